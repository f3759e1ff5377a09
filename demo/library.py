"""The sample organisation's library: twelve assets, some in several versions, and who took them.

What they do is known, because it is put in (`demo.history`): what is left of a use case after it
took `EFFECTIVE` takes `PATTERN_EFFECT` of its time. No other asset does anything. `LOOKS_GOOD` is
taken late: whoever takes it has not given up until then, so that more of those get to production.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from demo.history import SEED, YEARS, taken_after
from demo.live import TITLE
from demo.people import Cast
from demo.playing import at_work
from demo.ways import EFFECTIVE, PATTERN_NUMBER
from service.domain.case import Outcome
from service.domain.pathway import APPROVED_PATTERN
from service.domain.people import ENABLEMENT, Actor, Person
from service.domain.tiering import Tier
from service.domain.trace import TracedCase
from service.intake.use_cases import UseCaseRow, rows_of, standing_of, transitions_of
from service.library.adoptions import adopt, adopt_imported, exempt
from service.library.assets import Asset, Content, Kind, Link, Status
from service.library.checks import list_checks, note_openings, write_finding
from service.library.drawing import Draw
from service.library.pass_rules import rule_from_line
from service.library.store import decide_version, propose_asset, propose_version

DAY = timedelta(days=1)
DICE = 12
"""A stream of dice by which no asset without effect looks as if it had one: this shows, it does not
test."""
LOOKS_GOOD = "steering-report"
WITHDRAWN = "mask-personal-data"
"""Its first version is withdrawn, and somebody still uses it."""


@dataclass(frozen=True, slots=True)
class Idea:
    """An asset: the share of cases that would take it, after `days` on average, if they get there;
    `changes` are what each later version says is different."""

    key: str
    kind: Kind
    title: str
    text: str
    tags: tuple[str, ...]
    tiers: tuple[Tier, ...] = ()
    stages: tuple[str, ...] = ()
    share: float = 0.0
    days: float = 15.0
    changes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """Of a harness: what passes."""


MOMENT = timedelta(minutes=5)
UNFIT = 1
"""Which of the checks, in the order in which they are done, finds that a use case does not fit."""
DOES_NOT = "It answers customers by itself, and nobody reads the answer before."
BOTH = (Tier.LOW, Tier.MEDIUM)
IDEAS = (
    Idea(
        EFFECTIVE,
        Kind.PATTERN,
        "Answer questions from documents",
        "A service that searches, quotes its source and says when it does not know.\n\n"
        "**Not for** answers that decide something by themselves.",
        ("text", "search"),
        tiers=BOTH,
        stages=("triage",),
        changes=("Quotes the page, not only the document.", "Says when nothing fits."),
    ),
    Idea(
        LOOKS_GOOD,
        Kind.STANDARD,
        "Report to the steering committee",
        "One page before launch: what it is, what it cost, who looks after it.",
        ("reporting",),
        share=0.35,
        days=60.0,
    ),
    Idea(
        WITHDRAWN,
        Kind.STANDARD,
        "Mask personal data",
        "Names, numbers and addresses are masked before anything leaves the house.",
        ("privacy",),
        tiers=(Tier.MEDIUM, Tier.HIGH),
        share=0.2,
        changes=("Also masks licence plates: the first version let them through.",),
    ),
    Idea(
        "sort-by-urgency",
        Kind.PATTERN,
        "Sort what comes in by urgency",
        "A ranking that people still work through from the top.\n\n1. Take the template.\n"
        "2. Label 300 messages.\n3. Agree who looks at the rest.",
        ("text", "triage"),
        tiers=(Tier.MEDIUM,),
        stages=("triage",),
        share=0.12,
        changes=("Works for photographs, too.",),
    ),
    Idea(
        "read-scanned-forms",
        Kind.PATTERN,
        "Read scanned forms",
        "Fields out of scans, each with how sure it is; the unsure ones go to a person.",
        ("images", "forms"),
        tiers=BOTH,
        share=0.1,
    ),
    Idea(
        "detect-outliers",
        Kind.PATTERN,
        "Detect outliers in payments",
        "Marks what is unusual and says compared with what.",
        ("numbers", "finance"),
        tiers=BOTH,
        share=0.08,
        changes=("Explains each mark in a sentence.",),
    ),
    Idea(
        "draft-letters",
        Kind.PATTERN,
        "Draft letters that people send",
        "A draft in the tone of the house; somebody reads it before it goes.",
        ("text", "customers"),
        tiers=(Tier.LOW,),
        share=0.1,
    ),
    Idea(
        "log-every-answer",
        Kind.STANDARD,
        "Log every answer",
        "What was asked, what was answered, with which version of which model; kept for a year.",
        ("operations",),
        share=0.25,
        changes=("Also which documents were quoted.",),
    ),
    Idea(
        "model-card",
        Kind.STANDARD,
        "Write a model card",
        "What it was made from, where it fails, who to call.",
        ("documentation",),
        share=0.15,
    ),
    Idea(
        "evaluation-text",
        Kind.HARNESS,
        "Evaluate answers in text",
        "200 questions with agreed answers; counts right, wrong and does not know.",
        ("text", "evaluation"),
        tiers=(Tier.MEDIUM,),
        stages=("evaluate",),
        share=0.15,
        changes=("Forty questions that have no answer.",),
        rules=("accuracy at least 0.85, 200 samples, limit",),
    ),
    Idea(
        "evaluation-images",
        Kind.HARNESS,
        "Evaluate readings of images",
        "500 scans with their fields.",
        ("images", "evaluation"),
        tiers=(Tier.MEDIUM,),
        stages=("evaluate",),
        share=0.06,
        rules=("passed at least 0.95",),
    ),
    Idea(
        "speak-to-callers",
        Kind.PATTERN,
        "Speak to callers",
        "A voice that says that it is a machine, and hands over at any time.",
        ("voice", "customers"),
        tiers=(Tier.MEDIUM,),
    ),
)
DRAFTS = frozenset({"speak-to-callers"})
"""Proposed by a builder, and not published yet."""


async def add_library(
    session: AsyncSession,
    cast: Cast,
    *,
    source: str,
    history: Sequence[TracedCase],
    use_case_ids: Sequence[str],
    at: datetime,
) -> None:
    """The library as it stands at `at`, with what the history of that source and some of the live
    use cases took of it, each in the newest version of its day."""
    greta, samuel = cast.holders[ENABLEMENT][:2]
    begun = at - YEARS - 10 * DAY
    for number, idea in enumerate(IDEAS):
        proposer = cast.builders["mei"] if idea.key in DRAFTS else greta
        asset, days = await _write(session, idea, proposer, samuel, begun=begun, at=at)
        taken = _taken(idea, number, history, days, at)
        owner = cast.builders["amara"]
        await adopt_imported(session, asset, source, taken, by=owner.id, sample=True)
    rows = await rows_of(session, use_case_ids)
    await _opened(session, rows)
    await _live(session, {row.title: row for row in rows.values()}, greta.actor, at=at)
    await _check(session, cast, at=at)


async def _write(
    session: AsyncSession,
    idea: Idea,
    proposer: Person,
    publisher: Person,
    *,
    begun: datetime,
    at: datetime,
) -> tuple[Asset, list[datetime]]:
    """All versions of an asset, and when each was published."""
    content = Content(
        title=idea.title,
        owner=publisher.id,
        text=idea.text,
        links=(Link("Its template", f"https://wiki.sample-mutual.example/library/{idea.key}"),),
        tags=idea.tags,
        tiers=idea.tiers,
        stages=idea.stages,
        rules=tuple(map(rule_from_line, idea.rules)),
    )
    start = at - 4 * DAY if idea.key in DRAFTS else begun
    asset = await propose_asset(
        session, proposer.actor, key=idea.key, kind=idea.kind, content=content, at=at_work(start)
    )
    days: list[datetime] = []
    for number in range(1, len(idea.changes) + 2):
        day = at_work(start + YEARS * (number - 1) / (len(idea.changes) + 1))
        if number > 1:
            more = replace(content, text=f"{idea.text}\n\n{idea.changes[number - 2]}")
            asset = await propose_version(
                session,
                proposer.actor,
                idea.key,
                content=more,
                changed=idea.changes[number - 2],
                at=day,
            )
        if idea.key not in DRAFTS:
            asset = await decide_version(
                session,
                publisher.actor,
                idea.key,
                number,
                Status.PUBLISHED,
                reason="It has been used and looked at.",
                at=day,
            )
            days.append(day)
    return asset, days


def _taken(
    idea: Idea,
    number: int,
    history: Sequence[TracedCase],
    days: Sequence[datetime],
    at: datetime,
) -> list[tuple[str, int, datetime]]:
    """Which cases took an asset, in which version, and when. Whether and after how long a case
    would take it is drawn without a look at how long it takes."""
    rng = np.random.default_rng([SEED, DICE, number])
    found = []
    for place, one in enumerate(history):
        would, after = rng.random() < idea.share, rng.exponential(idea.days) * DAY
        if idea.key == EFFECTIVE:
            effective = taken_after(place)
            would, after = effective is not None, effective or after
        case = one.case
        moment = case.started_at + after
        if would and moment < (case.ended_at or at):
            version = max(sum(day <= moment for day in days), 1)
            found.append((case.case_id, version, moment))
    return found


async def _live(
    session: AsyncSession, by_title: dict[str, UseCaseRow], greta: Actor, *, at: datetime
) -> None:
    """Live use cases that took something: one of them in a version that is then withdrawn, one in
    one that is then behind; and one that is exempted from a standard."""

    def row(title: str) -> UseCaseRow:
        return by_title[TITLE + title]

    for title, key, number in (
        ("Find duplicate invoices", "detect-outliers", 1),
        ("Find duplicate invoices", "log-every-answer", 2),
        ("Explain bills in the customer portal", EFFECTIVE, 3),
        ("Recognise the damaged part on a photo", WITHDRAWN, 1),
        ("Flag claims that look like fraud", "detect-outliers", 2),
    ):
        use_case = row(title)
        taken = use_case.submitted_at + (at - use_case.submitted_at) / 4
        await adopt(session, use_case, greta, key, at=at_work(taken), number=number)
    await decide_version(
        session,
        greta,
        WITHDRAWN,
        1,
        Status.WITHDRAWN,
        reason="It lets licence plates through.",
        at=at - DAY / 4,
    )
    await exempt(
        session,
        row("Flag claims that look like fraud"),
        greta,
        "log-every-answer",
        reason="Investigators keep a log of their own.",
        until=(at + 60 * DAY).date(),
        at=at - 2 * DAY,
    )


async def _opened(session: AsyncSession, rows: Mapping[str, UseCaseRow]) -> None:
    """Live use cases whose gate was opened by a pattern (`demo.ways`): their owners took it a
    moment before, and the sample organisation checks them all."""
    steps = await transitions_of(session, rows)
    for row in sorted(rows.values(), key=lambda one: one.submitted_at):
        attached = next((one for one in steps[row.id] if one.subject == APPROVED_PATTERN), None)
        if attached is None or row.outcome not in {Outcome.OPEN, Outcome.PRODUCTION}:
            continue
        owner, taken = Actor(row.owner_id), max(attached.at - MOMENT, row.submitted_at)
        await adopt(session, row, owner, EFFECTIVE, at=taken, number=PATTERN_NUMBER)
        await note_openings(session, standing_of(row), [attached], Draw(1.0, "sample"))


async def _check(session: AsyncSession, cast: Cast, *, at: datetime) -> None:
    """Somebody has looked at all but the two newest; one use case does not fit."""
    ines = cast.holders[ENABLEMENT][2].actor
    due = await list_checks(session)
    for place, one in enumerate(due[:-2]):
        fits = place != UNFIT
        words = "It quotes its source, and says when it does not know." if fits else DOES_NOT
        later = min(one.opened_at + 9 * DAY, at - DAY)
        await write_finding(session, ines, one.id, fits=fits, words=words, at=at_work(later))
