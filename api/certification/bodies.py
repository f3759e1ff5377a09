"""Requests and answers about certification."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictBool, StrictInt, StringConstraints

from api.kit.bodies import Input, shows
from api.people import ADA, PersonRef
from service.certification.certificates import Issue, KeptCertificate, KeptWaiver
from service.certification.kinds import Kind
from service.certification.learning import COLUMNS, Brought
from service.certification.requirements import Asked, Example, KeptRequirement, Why
from service.domain.certification import Effect, RequiredOf
from service.domain.tiering import Tier
from service.intake.certifying import AskedOfMe
from service.kinds import Day, Name, Note, Reason, Words

Evidence = Annotated[Words, Field(description="A link, or where it is to be found")]

_KIND: dict[str, Any] = {
    "key": "responsible-ai",
    "title": "Responsible AI",
    "issuer": "The academy",
    "months_valid": 24,
}
_ASKED: dict[str, Any] = {
    "role": "owner",
    "certificate": "human-oversight",
    "tier": "high",
    "stage": "launch-review",
    "effect": "blocks",
    "basis": "Regulation (EU) 2024/1689 (AI Act), Art. 14 and 26(2)",
    "link": "https://eur-lex.europa.eu/eli/reg/2024/1689/oj",
    "note": "An example, to be checked by counsel.",
    "valid_from": "2027-12-02",
    "valid_until": None,
}
_WHY: dict[str, Any] = {"by": ADA, "at": "2026-11-02T09:00:00Z", "reason": "Counsel agrees."}
_REQUIREMENT: dict[str, Any] = {
    **_ASKED,
    "id": "6d9a0c8f-1f0e-4f7e-9a53-5d0f3c6f7a22",
    "begun": _WHY,
    "ended": None,
    "replaced_by": None,
    "why_ended": None,
}
_CERTIFICATE: dict[str, Any] = {
    "id": "0b9d8a4e-3a55-4c53-8a0e-5d0f3c6f7a22",
    "person": ADA,
    "certificate": "responsible-ai",
    "issuer": "The academy",
    "evidence": "https://academy.example.com/certificates/4711",
    "issued": "2026-01-15",
    "expires": "2028-01-14",
    "revoked": None,
    "why_revoked": "",
    "valid": True,
    "recorded_by": ADA,
    "recorded_at": "2026-01-16T08:00:00Z",
}
_WAIVER: dict[str, Any] = {
    "id": "93a5c0b0-9a53-4b1e-8a0e-5d0f3c6f7a22",
    "person": ADA,
    "certificate": "responsible-ai",
    "reason": "The course is full until December.",
    "granted": "2026-11-02",
    "until": "2026-12-31",
    "ended": None,
    "why_ended": "",
    "holds": True,
    "granted_by": {"id": "5c2f0c3e-9a53-4b1e-8a0e-5d0f3c6f7a23", "name": "Ravi Menon"},
}
_OF_ME: dict[str, Any] = {
    "role": "owner",
    "certificate": "responsible-ai",
    "tier": "high",
    "stage": "launch-review",
    "effect": "blocks",
    "basis": "pathway regulated, version 2",
    "use_cases": ["UC-42"],
    "certified": True,
    "until": "2028-01-14",
}


@shows(_KIND)
class KindBody(Input):
    """A certificate for the pick-list, or what one that is there is called from now on."""

    key: Name = Field(description="Small letters, digits and dashes", examples=["responsible-ai"])
    title: Name
    issuer: Words = Field(default="", description="Of a new one, if nobody says otherwise")
    months_valid: StrictInt | None = Field(
        default=None, ge=1, le=120, description="Of a new one; null for ever"
    )

    def kind(self) -> Kind:
        """As it is kept."""
        return Kind(self.key, self.title, self.issuer, self.months_valid)


@shows(_KIND)
class KindRead(BaseModel):
    """A certificate that can be held."""

    key: str
    title: str
    issuer: str
    months_valid: int | None

    @classmethod
    def of(cls, kind: Kind) -> "KindRead":
        """The answer for a kind."""
        return cls(
            key=kind.key, title=kind.title, issuer=kind.issuer, months_valid=kind.months_valid
        )


@shows({"items": [_KIND]})
class KindsRead(BaseModel):
    """The pick-list, by title."""

    items: list[KindRead]


@shows({**_ASKED, "reason": "Counsel agrees.", "replaces": None})
class RequirementBody(Input):
    """What is to be asked for, of whom, from which day on, and on what ground."""

    role: RequiredOf = Field(description="Of whom it is asked")
    certificate: Name = Field(examples=["human-oversight"])
    tier: Tier | None = Field(default=None, description="null for every tier")
    stage: Name | None = Field(default=None, description="null for every stage where it can be")
    effect: Effect
    basis: Name = Field(description="The legal basis as a citation")
    link: Words = Field(default="", description="Where the legal basis is to be read")
    note: Note = ""
    valid_from: Day
    valid_until: Day | None = None
    reason: Reason
    replaces: Name | None = Field(default=None, description="The id of the one that it ends")

    def asked(self) -> Asked:
        """As it is kept."""
        return Asked(
            self.role,
            self.certificate,
            self.tier,
            self.stage,
            self.effect,
            self.basis,
            self.link,
            self.note,
            self.valid_from,
            self.valid_until,
        )


class AskedRead(BaseModel):
    """What is asked for, of whom, from which day on, and on what ground."""

    role: RequiredOf
    certificate: str
    tier: Tier | None
    stage: str | None
    effect: Effect
    basis: str
    link: str
    note: str
    valid_from: date
    valid_until: date | None


def _asked(asked: Asked) -> dict[str, Any]:
    return {
        "role": asked.required_of,
        "certificate": asked.kind,
        "tier": asked.tier,
        "stage": asked.stage,
        "effect": asked.effect,
        "basis": asked.basis,
        "link": asked.link,
        "note": asked.note,
        "valid_from": asked.valid_from,
        "valid_until": asked.valid_until,
    }


class WhyRead(BaseModel):
    """Who wrote something down, when and why."""

    by: PersonRef
    at: datetime
    reason: str

    @classmethod
    def of(cls, why: Why) -> "WhyRead":
        """The answer for it."""
        return cls(by=PersonRef(id=why.by, name=why.by_name), at=why.at, reason=why.reason)


@shows(_REQUIREMENT)
class RequirementRead(AskedRead):
    """A requirement, and who began and ended it."""

    id: str
    begun: WhyRead
    ended: date | None = Field(description="The first day on which it is not asked for any more")
    replaced_by: str | None = Field(description="The id of what is asked for since then")
    why_ended: WhyRead | None

    @classmethod
    def of(cls, kept: KeptRequirement) -> "RequirementRead":
        """The answer for a requirement."""
        return cls(
            **_asked(kept.asked),
            id=kept.id,
            begun=WhyRead.of(kept.begun),
            ended=kept.ended,
            replaced_by=kept.replaced_by,
            why_ended=None if kept.why_ended is None else WhyRead.of(kept.why_ended),
        )


@shows({"items": [_REQUIREMENT]})
class RequirementsRead(BaseModel):
    """Requirements, the newest last; also those that have ended."""

    items: list[RequirementRead]


@shows({"key": "eu-human-oversight", "title": "Human oversight", "certificate": _KIND, "asked": []})
class ExampleRead(BaseModel):
    """A requirement that is shipped as an example, to be checked by counsel."""

    key: str
    title: str
    certificate: KindRead
    asked: list[AskedRead]

    @classmethod
    def of(cls, example: Example) -> "ExampleRead":
        """The answer for an example."""
        return cls(
            key=example.key,
            title=example.title,
            certificate=KindRead.of(example.kind),
            asked=[AskedRead(**_asked(one)) for one in example.asked],
        )


@shows(
    {
        "items": [
            {
                "key": "eu-human-oversight",
                "title": "Human oversight of high-risk systems",
                "certificate": {**_KIND, "key": "human-oversight", "title": "Human oversight"},
                "asked": [_ASKED],
            }
        ]
    }
)
class ExamplesRead(BaseModel):
    """The examples. None is asked of anybody until an administrator adopts it."""

    items: list[ExampleRead]


@shows({"effect": "warns"})
class AdoptBody(Input):
    """How an example is adopted."""

    effect: Effect | None = Field(default=None, description="Its own, if left out")


@shows({"reason": "Counsel says that it is not asked of us."})
class BecauseBody(Input):
    """Why something ends."""

    reason: Reason


@shows(
    {
        "person": "ada@example.com",
        "certificate": "responsible-ai",
        "issued": "2026-01-15",
        "issuer": "The academy",
        "evidence": "https://academy.example.com/certificates/4711",
    }
)
class CertificateBody(Input):
    """A certificate that somebody was given."""

    person: Name = Field(description="Email or id", examples=["ada@example.com"])
    certificate: Name = Field(description="The key of its kind", examples=["responsible-ai"])
    issued: Day
    expires: Day | None = Field(
        default=None, description="The last day; as its kind says, if left out"
    )
    endless: StrictBool = Field(default=False, description="No last day, whatever its kind says")
    issuer: Words = Field(default="", description="As its kind says, if empty")
    evidence: Evidence = ""

    def given(self) -> Issue:
        """As it is issued."""
        return Issue(
            self.certificate, self.issued, self.expires, self.issuer, self.evidence, self.endless
        )


@shows({"reason": "The exam was taken by somebody else.", "day": None})
class RevokeBody(Input):
    """Why a certificate is revoked, and from which day on."""

    reason: Reason
    day: Day | None = Field(
        default=None, description="The first day on which it is not valid; today, if left out"
    )


@shows(_CERTIFICATE)
class CertificateRead(BaseModel):
    """A certificate of somebody. `valid` says whether it is valid today."""

    id: str
    person: PersonRef
    certificate: str
    issuer: str
    evidence: str
    issued: date
    expires: date | None
    revoked: date | None = Field(description="The first day on which it is not valid any more")
    why_revoked: str
    valid: bool
    recorded_by: PersonRef | None = Field(
        description="null for the command line, and for what was moved over"
    )
    recorded_at: datetime

    @classmethod
    def of(cls, kept: KeptCertificate, day: date) -> "CertificateRead":
        """The answer for a certificate, as of a day."""
        one, by = kept.certificate, kept.recorded_by
        return cls(
            id=kept.id,
            person=PersonRef(id=kept.person, name=kept.person_name),
            certificate=one.kind,
            issuer=kept.issuer,
            evidence=kept.evidence,
            issued=one.issued,
            expires=one.expires,
            revoked=one.revoked,
            why_revoked=kept.why_revoked,
            valid=one.holds(day),
            recorded_by=None if by is None else PersonRef(id=by, name=kept.recorded_by_name),
            recorded_at=kept.recorded_at,
        )


@shows({"items": [_CERTIFICATE], "more": False})
class CertificatesRead(BaseModel):
    """Certificates, the newest first. `more` if there is another page."""

    items: list[CertificateRead]
    more: bool


@shows(
    {
        "person": "ada@example.com",
        "certificate": "responsible-ai",
        "reason": _WAIVER["reason"],
        "until": "2026-12-31",
    }
)
class WaiverBody(Input):
    """A waiver for somebody else."""

    person: Name = Field(description="Email or id", examples=["ada@example.com"])
    certificate: Name = Field(description="The key of its kind", examples=["responsible-ai"])
    reason: Reason
    until: Day = Field(description="The last day")


@shows(_WAIVER)
class WaiverRead(BaseModel):
    """That somebody counts as certified for a while. `holds` says whether they do today."""

    id: str
    person: PersonRef
    certificate: str
    reason: str
    granted: date
    until: date
    ended: date | None
    why_ended: str
    holds: bool
    granted_by: PersonRef

    @classmethod
    def of(cls, kept: KeptWaiver, day: date) -> "WaiverRead":
        """The answer for a waiver, as of a day."""
        return cls(
            id=kept.id,
            person=PersonRef(id=kept.person, name=kept.person_name),
            certificate=kept.waiver.kind,
            reason=kept.reason,
            granted=kept.waiver.granted,
            until=kept.waiver.until,
            ended=kept.waiver.ended,
            why_ended=kept.why_ended,
            holds=kept.waiver.holds(day),
            granted_by=PersonRef(id=kept.granted_by, name=kept.granted_by_name),
        )


@shows({"items": [_WAIVER]})
class WaiversRead(BaseModel):
    """Waivers, the newest first."""

    items: list[WaiverRead]


@shows(
    {
        "csv": "email,certificate,issued,expires,issuer,evidence,revoked\n"
        "ada@example.com,responsible-ai,2026-01-15,2028-01-14,The academy,4711,\n"
    }
)
class LearningBody(Input):
    """What a learning system knows, as CSV."""

    csv: Annotated[str, StringConstraints(min_length=1, max_length=200_000)] = Field(
        description=f"With the columns {', '.join(COLUMNS)}; the first three are needed"
    )


class RejectedRead(BaseModel):
    """A line that was left out."""

    line: int
    reason: str


@shows(
    {
        "read": 3,
        "accepted": 2,
        "new": 1,
        "revoked": 0,
        "known": 1,
        "rejected": 1,
        "reasons": [
            {
                "line": 4,
                "reason": 'there is no certificate "responsable-ai"; responsible-ai is near',
            }
        ],
    }
)
class BroughtRead(BaseModel):
    """What came of it. Accepted and rejected ones are all that were read."""

    read: int
    accepted: int
    new: int
    revoked: int = Field(description="That were there, and are revoked now")
    known: int = Field(description="That were there already, just so")
    rejected: int
    reasons: list[RejectedRead] = Field(description="Of the rejected ones")

    @classmethod
    def of(cls, brought: Brought) -> "BroughtRead":
        """The answer for a file."""
        return cls(
            read=brought.read,
            accepted=brought.accepted,
            new=brought.new,
            revoked=brought.revoked,
            known=brought.known,
            rejected=len(brought.rejected),
            reasons=[RejectedRead(line=one.line, reason=one.reason) for one in brought.rejected],
        )


class AskedOfMeRead(BaseModel):
    """A certificate that you are asked for."""

    role: RequiredOf
    certificate: str
    tier: Tier | None
    stage: str | None
    effect: Effect
    basis: str
    use_cases: list[str] = Field(description="That you own and that ask for it")
    certified: bool
    until: date | None = Field(description="The last day for which you are certified")

    @classmethod
    def of(cls, asked: AskedOfMe) -> "AskedOfMeRead":
        """The answer for it."""
        rule = asked.requirement
        return cls(
            role=rule.required_of,
            certificate=rule.kind,
            tier=rule.tier,
            stage=rule.stage,
            effect=rule.effect,
            basis=rule.basis,
            use_cases=list(asked.use_cases),
            certified=asked.certified,
            until=asked.until,
        )


@shows({"certificates": [_CERTIFICATE], "waivers": [], "asked": [_OF_ME]})
class MyCertificationRead(BaseModel):
    """What you hold, and what you are asked for: what is missing first."""

    certificates: list[CertificateRead]
    waivers: list[WaiverRead]
    asked: list[AskedOfMeRead]
