"""Requests and answers. What they mean is in `service.domain`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictBool, StrictInt
from pydantic_core import to_json

from api.intake import examples
from api.kit.bodies import Input, shows
from api.library.bodies import ToldRead
from api.people import Names, PersonRef, ref
from service.domain.case import Outcome
from service.domain.certification import NOBODY, Certified
from service.domain.clock import Share, Span, Transition, gate_tax, shares
from service.domain.commands import Command
from service.domain.forecast import MadeForecast
from service.domain.lifecycle import Rule
from service.domain.passing import By, Missing, Need, missing, missing_ahead
from service.domain.pathway import Stage, StageKind
from service.domain.people import SYSTEM, Actor
from service.domain.standing import Lowering, Mode, Position
from service.domain.tiering import Autonomy, RiskAnswers, Tier
from service.intake.fields import InvestmentCase, Kpi, UseCase, UseCaseFields
from service.intake.handing_in import Receipt
from service.intake.queue import target_of
from service.intake.use_cases import UseCaseRow, key_of, standing_of
from service.kinds import Email, Reason, Words
from service.library.told import Told
from service.process.in_force import question
from service.value.haircut import Haircut, Source

DAY_SECONDS = 86_400
AT_FIRST = (
    *("title", "problem", "business_unit", "owner", "co_owners", "sponsor"),
    *("kpi", "investment", "risk", "wished_for", "estimate_days", "lighthouse"),
)
"""The fields that use cases were first handed in with, in that order. None is ever added."""


class KpiBody(Kpi):
    """The number that should move."""


class InvestmentBody(InvestmentCase):
    """What it costs and what it is expected to bring."""


class RiskBody(Input):
    """The risk questions. Their answers decide the tier."""

    personal_data: StrictBool = Field(description=question("personal_data").asks)
    affects_people: StrictBool = Field(description=question("affects_people").asks)
    safety_impact: StrictBool = Field(description=question("safety_impact").asks)
    customer_facing: StrictBool = Field(description=question("customer_facing").asks)
    regulated: StrictBool = Field(description=question("regulated").asks)
    external_model: StrictBool = Field(description=question("external_model").asks)
    autonomy: Autonomy = Field(description=question("autonomy").asks, examples=["suggests"])


@shows(examples.USE_CASE)
class UseCaseBody(UseCaseFields):
    """A use case as it is handed in."""

    model_config = {"extra": "forbid"}  # noqa: RUF012 - as pydantic has it

    owner: Email | None = Field(
        default=None, description="Who answers for it; you, if empty", examples=["bea@example.com"]
    )
    co_owners: list[Email] = Field(default=[], max_length=10)
    kpi: KpiBody
    investment: InvestmentBody
    risk: RiskBody

    def use_case(self, owner: str, co_owners: tuple[str, ...]) -> UseCase:
        """The same with people by their ids."""
        return UseCase(
            **self.fields(),
            owner=owner,
            co_owners=co_owners,
            kpi=self.kpi,
            investment=self.investment,
            risk=RiskAnswers(**self.risk.model_dump()),
        )

    def content(self) -> str:
        """What tells this submission from another: the same words in every version, or a request
        that is repeated after an update would be taken for a different one."""
        whole = self.model_dump()
        return to_json(
            {name: whole[name] for name in AT_FIRST} | self.model_dump(exclude_defaults=True)
        ).decode()


class StageRead(BaseModel):
    """A stage that is ahead, or the present one."""

    key: str = Field(examples=["triage"])
    title: str
    kind: StageKind
    holder: str = Field(examples=["enablement"])
    target_days: float
    approvers: int
    evidence: list[str]
    certification: str | None

    @classmethod
    def of(cls, stage: Stage) -> "StageRead":
        """The answer for a stage."""
        return cls(
            key=stage.key,
            title=stage.title,
            kind=stage.kind,
            holder=stage.holder,
            target_days=stage.target.total_seconds() / DAY_SECONDS,
            approvers=stage.approvers,
            evidence=list(stage.evidence),
            certification=stage.certification,
        )


class MissingRead(BaseModel):
    """One thing that a stage asks for and that is not there."""

    stage: str = Field(description="Key of the stage", examples=["evaluate"])
    need: Need
    name: str = Field(
        description="The kind of evidence, or the certificate", examples=["evaluation-report"]
    )
    number: int = Field(description="How many are missing: approvals, or people with a certificate")
    by: By = Field(description="Who can see to it")
    party: str = Field(
        description="The party that holds the stage, or was asked for its view",
        examples=["enablement"],
    )
    blocks: bool = Field(
        default=True, description="False for a certificate whose absence stops nothing"
    )
    basis: str = Field(default="", description="Of a certificate: the legal basis, if there is one")
    detail: str = Field(description="The same as a sentence")

    @classmethod
    def of(cls, missing: Missing) -> "MissingRead":
        """The answer for what is missing."""
        return cls(
            stage=missing.stage,
            need=missing.need,
            name=missing.name,
            number=missing.number,
            by=missing.by,
            party=missing.party,
            blocks=missing.blocks,
            basis=missing.basis,
            detail=missing.detail,
        )


class ForecastRead(BaseModel):
    """A forecast as it was made. Of the cases like this one that reach production, half do so by
    `p50_at` and 85% by `p85_at`."""

    made_at: datetime
    p50_days: float = Field(description="Days from `made_at`")
    p85_days: float = Field(description="Days from `made_at`")
    p50_at: datetime
    p85_at: datetime
    reaches_production: float = Field(description="The share that gets there at all")
    basis: str = Field(
        description="Which cases it rests on, and by how much it was corrected because forecasts "
        "of its kind came too early or too late"
    )
    p50_level: float = Field(
        description="The level of their curve at which `p50_days` was taken: 0.5, or another one "
        "after a correction"
    )
    p85_level: float = Field(description="The same for `p85_days`: 0.85, or another one")

    @classmethod
    def of(cls, made: MadeForecast | None) -> "ForecastRead | None":
        """The answer for a forecast, if there is one."""
        if made is None:
            return None
        return cls(
            made_at=made.made_at,
            p50_days=round(made.p50_days, 2),
            p85_days=round(made.p85_days, 2),
            p50_at=made.p50_at,
            p85_at=made.p85_at,
            reaches_production=round(made.reaches_production, 4),
            basis=made.basis,
            p50_level=round(made.p50_level, 4),
            p85_level=round(made.p85_level, 4),
        )


class HaircutRead(BaseModel):
    """What measured use cases delivered of what their cases said, and the yearly value after it."""

    rate: float = Field(description="What part of its promise is to be expected")
    low: float | None = Field(
        description="95% of use cases like it, with `high`; null where nothing says how sure it is"
    )
    high: float | None
    use_cases: int = Field(description="Measured ones that it rests on; 0 for a figure of others")
    source: Source = Field(
        description="unit: this business unit, drawn to the mean of all; all: everything measured "
        "here; outside: others' projects, as long as too few are measured here"
    )
    sentence: str
    expected_yearly_value: float = Field(
        description="What was promised a year after it, in the currency of the case"
    )

    @classmethod
    def of(cls, found: Haircut, promised: float) -> "HaircutRead":
        """The answer for a promised yearly value."""
        return cls(
            rate=round(found.rate, 4),
            low=None if found.low is None else round(found.low, 4),
            high=None if found.high is None else round(found.high, 4),
            use_cases=found.use_cases,
            source=found.source,
            sentence=found.sentence,
            expected_yearly_value=round(found.rate * promised, 2),
        )


@shows(examples.RECEIPT)
class ReceiptRead(BaseModel):
    """The answer to a submission."""

    key: str = Field(examples=["UC-42"])
    id: str
    submitted_at: datetime
    tier: Tier
    tier_reasons: list[str]
    pathway: str = Field(examples=["standard"])
    pathway_version: int
    stage: StageRead
    stages_ahead: list[StageRead]
    position: Position
    holder: str = Field(description="Whose move it is", examples=["enablement"])
    mode: Mode
    forecast: ForecastRead | None = Field(description="Null while there is no history")
    haircut: HaircutRead | None = Field(
        default=None, description="What is to be expected of the value, as known when it came"
    )
    missing: list[MissingRead] = Field(
        description="What its stages will ask for and what is not there on the first day"
    )

    @classmethod
    def of(cls, receipt: Receipt, haircut: HaircutRead | None = None) -> "ReceiptRead":
        """The answer for a receipt."""
        return cls(
            key=receipt.key,
            id=receipt.use_case_id,
            submitted_at=receipt.submitted_at,
            tier=receipt.tier,
            tier_reasons=list(receipt.tier_reasons),
            pathway=receipt.pathway,
            pathway_version=receipt.pathway_version,
            stage=StageRead.of(receipt.stage),
            stages_ahead=[StageRead.of(stage) for stage in receipt.stages_ahead],
            position=receipt.position,
            holder=receipt.holder,
            mode=receipt.mode,
            forecast=ForecastRead.of(receipt.forecast),
            haircut=haircut,
            missing=[MissingRead.of(one) for one in receipt.missing],
        )


class UseCaseSummary(BaseModel):
    """A use case in a list: whose move it is, and for how long."""

    key: str
    title: str
    business_unit: str
    owner: PersonRef | None
    tier: Tier
    pathway: str
    stage: str
    position: Position
    status: Outcome
    holder: str | None
    mode: Mode | None
    assignee: PersonRef | None
    turn_since: datetime
    target_used: float | None = Field(
        description="Share of the present holder's target that is used up; over 1 is late"
    )
    submitted_at: datetime
    ended_at: datetime | None
    lighthouse: bool
    sequence: int

    @classmethod
    def of(cls, row: UseCaseRow, names: Names, at: datetime) -> "UseCaseSummary":
        """The answer for a row, as of a moment."""
        return cls(**_summary(row, names, at))


def _summary(row: UseCaseRow, names: Names, at: datetime) -> dict[str, object]:
    target = target_of(row, at)
    return {
        "key": key_of(row),
        "title": row.title,
        "business_unit": row.business_unit,
        "owner": ref(row.owner_id, names),
        "tier": row.tier,
        "pathway": row.pathway,
        "stage": row.stage,
        "position": row.position,
        "status": row.outcome,
        "holder": row.holder,
        "mode": row.mode,
        "assignee": ref(row.assignee, names),
        "turn_since": row.turn_since,
        "target_used": round(target[1] / target[0], 4) if target else None,
        "submitted_at": row.submitted_at,
        "ended_at": row.ended_at,
        "lighthouse": row.lighthouse,
        "sequence": row.sequence,
    }


class EvidenceRead(BaseModel):
    """Something attached. Attested: by somebody who does not own the use case."""

    kind: str
    reference: str
    attached_by: PersonRef | None
    attested: bool


class LoweringRead(BaseModel):
    """A lower tier that is proposed, until all who must agree have."""

    tier: Tier
    proposed_by: PersonRef | None
    waiting_for: list[str] = Field(description="Who still must agree, in turn; the first is asked")
    agreed: list[PersonRef | None]

    @classmethod
    def of(cls, lowering: Lowering | None, names: Names) -> "LoweringRead | None":
        """The answer for what a standing knows of it."""
        if lowering is None:
            return None
        return cls(
            tier=lowering.pathway.tier,
            proposed_by=ref(lowering.proposed_by, names),
            waiting_for=list(lowering.parties),
            agreed=[ref(person, names) for person in lowering.agreed],
        )


@shows(examples.WHOLE)
class UseCaseRead(UseCaseFields, UseCaseSummary):
    """A use case, whole."""

    model_config = {"json_schema_serialization_defaults_required": True}

    id: str
    owners: list[PersonRef | None]
    kpi: KpiBody
    investment: InvestmentBody
    risk: RiskBody
    tier_reasons: list[str]
    pathway_version: int
    stages: list[StageRead]
    passed: list[str]
    approvals: list[PersonRef | None]
    evidence: list[EvidenceRead]
    evidence_missing: list[str]
    lowering: LoweringRead | None = Field(description="A lower tier that waits for agreement")
    missing: list[MissingRead] = Field(description="Before it can pass the present stage")
    missing_ahead: list[MissingRead] = Field(description="What later stages will ask for")
    forecast: ForecastRead | None = Field(
        description="The newest one; null while there is no history, and once it has ended"
    )
    told: list[ToldRead] = Field(
        description="Of what it uses of the library: withdrawn versions, and what does not fit"
    )

    @classmethod
    def of(
        cls,
        row: UseCaseRow,
        names: Names,
        at: datetime,
        made: MadeForecast | None = None,
        *,
        certified: Certified = NOBODY,
        reader: Actor | None = None,
        told: Sequence[Told] = (),
    ) -> "UseCaseRead":
        """The answer for a row, as of a moment."""
        standing = standing_of(row)
        return cls(
            **row.fields() | _summary(row, names, at),
            id=row.id,
            owners=[ref(person, names) for person in row.owners],
            kpi=KpiBody(
                name=row.kpi_name,
                unit=row.kpi_unit,
                baseline=row.kpi_baseline,
                target=row.kpi_target,
            ),
            investment=InvestmentBody(
                one_off_cost=row.one_off_cost,
                yearly_run_cost=row.yearly_run_cost,
                expected_yearly_value=row.expected_yearly_value,
                currency=row.currency,
            ),
            risk=RiskBody.model_validate(row.risk_answers),
            tier_reasons=row.tier_reasons,
            pathway_version=row.pathway_version,
            stages=[StageRead.of(stage) for stage in standing.pathway.stages],
            passed=list(standing.passed),
            forecast=ForecastRead.of(None if standing.ended else made),
            told=[ToldRead.of(one) for one in told],
            approvals=[ref(person, names) for person in standing.approvals],
            evidence=[
                EvidenceRead(
                    kind=item.kind,
                    reference=item.reference,
                    attached_by=ref(item.attached_by, names),
                    attested=item.attested,
                )
                for item in standing.evidence
            ],
            evidence_missing=list(standing.evidence_missing),
            lowering=LoweringRead.of(standing.lowering, names),
            missing=[MissingRead.of(one) for one in missing(standing, certified, reader)],
            missing_ahead=[MissingRead.of(one) for one in missing_ahead(standing, certified)],
        )


@shows(examples.PAGE)
class UseCasePage(BaseModel):
    """Some use cases. `cursor` asks for the next ones; null at the end."""

    items: list[UseCaseSummary]
    cursor: str | None


@shows(examples.QUEUE)
class QueueRead(BaseModel):
    """What waits for you, the longest wait against its target first."""

    items: list[UseCaseSummary]
    total: int


class TransitionRead(BaseModel):
    """One thing that happened, and where it left the use case."""

    sequence: int
    at: datetime
    command: Command
    actor: PersonRef | None
    stage: str
    position: Position
    holder: str | None
    mode: Mode | None
    assignee: PersonRef | None
    tier: Tier
    reason: str
    subject: str
    reference: str

    @classmethod
    def of(cls, step: Transition, names: Names) -> "TransitionRead":
        """The answer for a transition."""
        return cls(
            sequence=step.sequence,
            at=step.at,
            command=step.command,
            actor=ref(step.actor, names),
            stage=step.stage,
            position=step.position,
            holder=step.holder,
            mode=step.mode,
            assignee=ref(step.assignee, names),
            tier=step.tier,
            reason=step.reason,
            subject=names.get(step.subject, step.subject),
            reference=step.reference,
        )


def people_in(steps: Iterable[Transition]) -> set[str | None]:
    """The ids of everybody who is named in these transitions."""
    found: set[str | None] = set()
    for step in steps:
        found |= {step.actor, step.assignee}
        if step.command is Command.ASSIGN:
            found.add(step.subject)
    return found - {None, SYSTEM}


@shows(examples.TRANSITIONS)
class TransitionsRead(BaseModel):
    """All that happened to a use case, in order."""

    key: str
    items: list[TransitionRead]


class SpanRead(BaseModel):
    """A stretch of time on one clock."""

    stage: str
    holder: str
    mode: Mode
    start: datetime
    end: datetime
    microseconds: int


class ShareRead(BaseModel):
    """What one party spent in one mode."""

    holder: str
    mode: Mode
    microseconds: int
    days: float
    share: float = Field(description="Of the whole elapsed time, 0 to 1")


@shows(examples.CLOCK)
class ClockRead(BaseModel):
    """Every minute of a use case on somebody's clock. The spans add up to `microseconds`."""

    key: str
    running: bool
    start: datetime
    end: datetime = Field(description="When it ended, or the moment of this answer")
    microseconds: int
    days: float
    gate_tax_microseconds: int = Field(description="Time on which it lay waiting for enablement")
    shares: list[ShareRead]
    spans: list[SpanRead]

    @classmethod
    def of(
        cls, key: str, start: datetime, end: datetime, found: tuple[Span, ...], *, running: bool
    ) -> "ClockRead":
        """The answer for spans that begin at `start` and end at `end`."""
        total = end - start
        whole = total / _MICROSECOND
        return cls(
            key=key,
            running=running,
            start=start,
            end=end,
            microseconds=round(whole),
            days=total.total_seconds() / DAY_SECONDS,
            gate_tax_microseconds=gate_tax(found) // _MICROSECOND,
            shares=[_share(share, whole) for share in shares(found)],
            spans=[
                SpanRead(
                    stage=span.stage,
                    holder=span.holder,
                    mode=span.mode,
                    start=span.start,
                    end=span.end,
                    microseconds=span.elapsed // _MICROSECOND,
                )
                for span in found
            ],
        )


_MICROSECOND = datetime.resolution


def _share(share: Share, whole: float) -> ShareRead:
    mine = share.total // _MICROSECOND
    return ShareRead(
        holder=share.holder,
        mode=share.mode,
        microseconds=mine,
        days=share.total.total_seconds() / DAY_SECONDS,
        share=round(mine / whole, 6) if whole else 0,
    )


class ActionRead(BaseModel):
    """Something that you may do now."""

    command: Command
    does: str = Field(description="In words, for a button's help", examples=["approve"])
    reason_required: bool
    takes: list[str] = Field(description="Details to give beside a reason", examples=[["party"]])
    href: str = Field(examples=["/v1/use-cases/UC-42/commands/claim"])

    @classmethod
    def of(cls, rule: Rule, key: str, tier: Tier) -> "ActionRead":
        """The answer for a row of the lifecycle, for a use case of this tier."""
        return cls(
            command=rule.command,
            does=rule.does,
            reason_required=rule.needs_reason(tier),
            takes=list(rule.takes),
            href=f"/v1/use-cases/{key}/commands/{rule.command}",
        )


@shows(examples.ACTIONS)
class ActionsRead(BaseModel):
    """What you may do now. Give `sequence` as `expected_sequence` to be sure of it."""

    key: str
    sequence: int
    items: list[ActionRead]
    missing: list[MissingRead] = Field(
        description="Before it can pass: what would be refused for it is not among the items"
    )
    take_back_until: datetime | None = Field(
        description="Until when you can take your last decision back; null when you cannot"
    )


@shows(examples.COMMAND)
class CommandBody(Input):
    """A command's details. Each command takes its own; `actions` says which."""

    reason: Reason = Field(default="", examples=["Which data does it read?"])
    assignee: Words = Field(default="", description="assign: a person's email or id")
    party: Words = Field(default="", description="refer: the third party", examples=["legal"])
    to_stage: Words = Field(default="", description="send_back: an earlier building stage")
    evidence_kind: Words = Field(default="", description="attach: what it is")
    evidence_reference: Reason = Field(default="", description="attach: where it is to be found")
    tier: Tier | None = Field(default=None, description="change_tier: the new tier")
    owner: Words = Field(default="", description="transfer: the new owner's email or id")
    expected_sequence: Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="Refuse if something else has happened since this transition"
    )


@shows(examples.DECISION)
class DecisionRead(BaseModel):
    """What a decision led to. Repeating the request with the same key gives it again."""

    status: Literal["applied"]
    decision_id: str
    key: str
    sequence: int
    stage: str
    position: Position
    holder: str | None
    mode: Mode | None
    assignee: PersonRef | None
    transitions: list[TransitionRead]

    @classmethod
    def of(
        cls, decision_id: str, key: str, steps: tuple[Transition, ...], names: Names
    ) -> "DecisionRead":
        """The answer for the transitions that a decision caused."""
        last = steps[-1]
        return cls(
            status="applied",
            decision_id=decision_id,
            key=key,
            sequence=last.sequence,
            stage=last.stage,
            position=last.position,
            holder=last.holder,
            mode=last.mode,
            assignee=ref(last.assignee, names),
            transitions=[TransitionRead.of(step, names) for step in steps],
        )


@shows(examples.PENDING)
class PendingRead(BaseModel):
    """A decision that has not been confirmed. It may still apply."""

    status: Literal["pending"] = "pending"
    decision_id: str
    key: str
    detail: str
    look_at: str = Field(examples=["/v1/use-cases/UC-42/decisions/5f0c..."])
    idempotency_key: str | None = Field(
        default=None, description="Repeat the request with this key to get the first answer"
    )
