"""One use case as its page shows it: everything that is known of it at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy.ext.asyncio import AsyncSession

from service.certification.holding import certified_for
from service.domain.clock import Span, Transition, gate_tax, spans, what_counts
from service.domain.commands import Command
from service.domain.lifecycle import CAN_BE_TAKEN_BACK, Rule, build_stages_before
from service.domain.passing import Missing, missing, missing_ahead, offered
from service.domain.pathway import Stage
from service.domain.people import SYSTEM, Person
from service.domain.standing import Position, Standing
from service.domain.tiering import Tier
from service.intake.pathways import pathways
from service.intake.use_cases import UseCaseRow, find, key_of, standing_of, transitions
from service.people.directory import members, names_of, third_parties
from web.intake.clock_bar import Lane, Part, Tick, lanes, parts, ticks
from web.intake.turn import Turn, turn
from web.kit.parties import party_name
from web.kit.strings import t

SIMPLE = (
    Command.CLAIM,
    Command.APPROVE,
    Command.AGREE,
    Command.HAND_OVER,
    Command.GO_LIVE,
    Command.RESUME,
    Command.RELEASE,
)
"""Commands that are one press of a button."""
FIRST = (Command.ANSWER, Command.RETURN)
"""Commands whose form is open: they are what is waited for."""
DECISIONS = (Command.APPROVE, Command.DECLINE, Command.SEND_BACK, Command.RETURN)
"""What is decided on what was handed in."""
UNDOES = {
    **dict.fromkeys(CAN_BE_TAKEN_BACK, Command.TAKE_BACK),
    Command.PARK: Command.RESUME,
}
"""What takes a command back, where the lifecycle still allows it."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened, with names for ids."""

    step: Transition
    who: str
    what: str
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Choices:
    """What the forms let one choose from."""

    colleagues: tuple[Person, ...]
    parties: tuple[str, ...]
    stages: tuple[Stage, ...]
    tiers: tuple[Tier, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tracked:
    """A use case at `at`, for one reader."""

    row: UseCaseRow
    key: str
    standing: Standing
    names: Mapping[str, str]
    at: datetime
    turn: Turn
    found: tuple[Span, ...]
    reasons: tuple[str, ...]
    """Why each span began, in the words of whoever caused it."""
    history: tuple[Happened, ...]
    rules: tuple[Rule, ...]
    choices: Choices
    missing: tuple[Missing, ...]
    """Before it can pass the present stage."""
    missing_ahead: tuple[Missing, ...]
    """What later stages will ask for."""

    @property
    def elapsed(self) -> timedelta:
        """From handing in to the end, or to now."""
        return self.end - self.row.submitted_at

    @property
    def end(self) -> datetime:
        """When it ended, or now."""
        return self.row.ended_at or max(self.at, self.standing.at)

    @property
    def gate_tax(self) -> timedelta:
        """The time it lay waiting for enablement."""
        return gate_tax(self.found)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The bar of the clock."""
        return parts(self.found)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The timeline."""
        return lanes(self.found)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Its moments."""
        return ticks(self.found[0].start, self.found[-1].end) if self.found else ()

    @property
    def said(self) -> tuple[Happened, ...]:
        """The conversation."""
        return tuple(one for one in self.history if one.step.reason and one.step.actor != SYSTEM)

    @property
    def lowering(self) -> str:
        """What lower tier is proposed, why, and who still must agree; empty without one."""
        lowering = self.standing.lowering
        if lowering is None:
            return ""
        proposed = [
            one.step.reason for one in self.history if one.step.command is Command.CHANGE_TIER
        ]
        return t(
            "use_case.lowering",
            tier=t(f"tier.{lowering.pathway.tier.value}"),
            who=self.names.get(lowering.proposed_by, lowering.proposed_by),
            reason=proposed[-1] if proposed else "",
            parties=", ".join(party_name(party) for party in lowering.parties),
        )

    @property
    def question(self) -> str:
        """What the builder was asked last."""
        asked = [
            one.step.reason
            for one in self.history
            if one.step.command is Command.ASK and not one.taken_back
        ]
        return asked[-1] if asked else ""

    def stage_title(self, key: str) -> str:
        """What a stage is called, also one of a pathway that it has left."""
        return stage_title(self.standing, key)

    def why(self, span: Span) -> str:
        """Why a span began, in the words of whoever caused it."""
        return self.reasons[self.found.index(span)]

    @property
    def simple(self) -> tuple[Rule, ...]:
        """What is one press of a button."""
        return tuple(
            rule
            for command in SIMPLE
            for rule in self.rules
            if rule.command is command and not rule.needs_reason(self.row.tier)
        )

    @property
    def decides(self) -> bool:
        """Whether this reader can take a decision on it now."""
        return any(rule.command in DECISIONS for rule in self.rules)

    @property
    def seconds_left(self) -> int:
        """For how many seconds this reader can take the last decision back; 0 when they cannot."""
        undo = self.standing.undo
        if undo is None or all(rule.command is not Command.TAKE_BACK for rule in self.rules):
            return 0
        return max(ceil((undo.until - self.at).total_seconds()), 1)

    @property
    def tier_changed(self) -> "Happened | None":
        """The last change of the tier that the answers led to."""
        changes = [one for one in self.history if one.step.command is Command.CHANGE_TIER]
        return changes[-1] if changes else None

    @property
    def worded(self) -> tuple[Rule, ...]:
        """What needs words or a choice, what is waited for first."""
        others = [
            rule
            for rule in self.rules
            if rule not in self.simple and rule.command is not Command.TAKE_BACK
        ]
        wanted = {*FIRST, Command.APPROVE}
        if self.standing.evidence_missing:
            wanted.add(Command.ATTACH)
        return tuple(sorted(others, key=lambda rule: rule.command not in wanted))


def stage_title(standing: Standing, key: str) -> str:
    """What a stage is called."""
    for pathway in (standing.pathway, *pathways().values()):
        for stage in pathway.stages:
            if stage.key == key:
                return stage.title
    return key


async def track(session: AsyncSession, key: str, reader: Person, *, at: datetime) -> Tracked:
    """Everything that the page of one use case shows. `NotFound` also when it is not for them."""
    row = await find(session, key, reader.actor)
    standing = standing_of(row)
    steps = await transitions(session, row.id)
    names = await names_of(session, _people(row, standing, steps))
    end = row.ended_at or max(at, steps[-1].at)
    found = spans(steps, end)
    certified = await certified_for(session, [standing], at, reader.actor)
    rules = offered(standing, reader.actor, certified, at)
    counting = what_counts(steps)
    counted = {step.sequence for step in counting}
    return Tracked(
        row=row,
        key=key_of(row),
        standing=standing,
        names=names,
        at=at,
        turn=turn(standing, reader, names, at),
        found=found,
        reasons=tuple(_reason(span, counting) for span in found),
        history=tuple(
            Happened(
                step,
                _who(step, names),
                _what(step, standing, names),
                taken_back=step.sequence not in counted and step.takes_back is None,
            )
            for step in steps
        ),
        rules=rules,
        choices=await _choices(session, standing, rules, reader),
        missing=missing(standing, certified, reader.actor),
        missing_ahead=missing_ahead(standing, certified),
    )


def _people(row: UseCaseRow, standing: Standing, steps: list[Transition]) -> set[str | None]:
    attached = {item.attached_by for item in standing.evidence}
    named = {step.subject for step in steps if step.command in {Command.ASSIGN, Command.TRANSFER}}
    acted = {person for step in steps for person in (step.actor, step.assignee)}
    return {*row.owners, *standing.approvals, *attached, *named, *acted} - {SYSTEM}


async def _choices(
    session: AsyncSession, standing: Standing, rules: tuple[Rule, ...], reader: Person
) -> Choices:
    takes = {detail for rule in rules for detail in rule.takes}
    colleagues: list[Person] = []
    parties: list[str] = []
    if "assignee" in takes and standing.holder:
        there = await members(session, standing.holder)
        out = {*standing.owners, standing.assignee}
        colleagues = [person for person in there if person.id not in out]
        colleagues.sort(key=lambda person: person.id != reader.id)
    if "party" in takes:
        parties = [
            some
            for some in await third_parties(session, active=True)
            if some != standing.stage.holder
        ]
    wanted = [
        kind for stage in standing.pathway.stages for kind in (*stage.evidence, *stage.passes_with)
    ]
    return Choices(
        colleagues=tuple(colleagues),
        parties=tuple(parties),
        stages=build_stages_before(standing),
        tiers=tuple(tier for tier in Tier if tier is not standing.pathway.tier),
        evidence=tuple(dict.fromkeys([*standing.evidence_missing, *wanted])),
    )


def _reason(span: Span, steps: list[Transition]) -> str:
    """Of the last step that put it on this clock, or gave words for being there."""
    given = [
        step.reason
        for step in steps
        if step.at == span.start and step.holder == span.holder and step.reason
    ]
    return given[-1] if given else ""


def _who(step: Transition, names: Mapping[str, str]) -> str:
    return t("event.headway") if step.actor == SYSTEM else names.get(step.actor, step.actor)


def _what(step: Transition, standing: Standing, names: Mapping[str, str]) -> str:
    of_a_stage = {Command.APPROVE, Command.PASS, Command.HAND_OVER, Command.SEND_BACK}
    stage = stage_title(standing, step.subject if step.command in of_a_stage else step.stage)
    proposed = step.command is Command.CHANGE_TIER and step.position is Position.LOWERING
    return t(
        "event.propose_tier" if proposed else f"event.{step.command.value}",
        stage=stage,
        subject=names.get(step.subject, step.subject),
        party=party_name(step.subject),
    )
