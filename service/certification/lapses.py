"""What a certificate that lapses will cost: who lapses, and which use cases will then wait.

Nothing here renews a certificate: what is said is what comes if nobody does anything.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from service.domain.certification import (
    Effect,
    Held,
    RequiredOf,
    Requirement,
    certified_on,
    certified_until,
)
from service.domain.pathway import Pathway, Stage
from service.domain.tiering import Tier

HORIZON = timedelta(days=90)
"""How far is looked ahead."""

Stay = Callable[[Tier, Stage], timedelta]
"""How long a use case of a tier usually stays in a stage."""


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An open use case as it stands at a moment. The first of its owners is accountable."""

    key: str
    unit: str
    owners: tuple[str, ...]
    pathway: Pathway
    stage: str
    entered: datetime
    """Since when it is in that stage."""
    approvals: int = 0
    """That the present stage has already."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The present stage and those after it; all of them where the pathway has no such stage."""
        keys = [stage.key for stage in self.pathway.stages]
        return self.pathway.stages[keys.index(self.stage) if self.stage in keys else 0 :]


@dataclass(frozen=True, slots=True)
class Known:
    """What is asked, who holds what, and who could decide."""

    requirements: Sequence[Requirement]
    """Also those that are not in force yet."""
    held: Mapping[str, Sequence[Held]] = field(default_factory=dict)
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def certified(self, person: str, kind: str, day: date) -> bool:
        """Whether somebody counts as certified on a day, if nothing is renewed."""
        return certified_on(day, kind, self.held.get(person, ()))


@dataclass(frozen=True, slots=True)
class Asked:
    """A certificate that a stage asks of some people, of whom so many must be certified."""

    requirement: Requirement
    people: tuple[str, ...]
    wanted: int

    def enough(self, known: Known, day: date) -> bool:
        """Whether so many are certified on a day."""
        kind = self.requirement.kind
        return sum(known.certified(one, kind, day) for one in self.people) >= self.wanted


def asked_at(case: OpenCase, stage: Stage, known: Known) -> Iterator[Asked]:
    """What a stage asks for, of whom. Of third parties that are asked for a view nothing can be
    told beforehand: nobody knows which."""
    if stage.certification is not None:
        yield Asked(own_requirement(case.pathway, stage), case.owners[:1], 1)
    for one in known.requirements:
        if not one.asked_at(case.pathway.tier, stage):
            continue
        match one.required_of:
            case RequiredOf.OWNER:
                yield Asked(one, case.owners[:1], 1)
            case RequiredOf.BUILDER:
                yield Asked(one, case.owners, 1)
            case RequiredOf.APPROVER:
                able = tuple(
                    who for who in known.members.get(stage.holder, ()) if who not in case.owners
                )
                left = stage.approvers - (case.approvals if stage.key == case.stage else 0)
                yield Asked(one, able, left)


def own_requirement(pathway: Pathway, stage: Stage) -> Requirement:
    """What a gate of a pathway asks for itself, as a requirement."""
    return Requirement(
        RequiredOf.OWNER,
        stage.certification or "",
        pathway.tier,
        stage.key,
        Effect.BLOCKS,
        f"pathway {pathway.key}, version {pathway.version}",
        date.min,
    )


def schedule(case: OpenCase, at: datetime, stay: Stay) -> Iterator[tuple[Stage, datetime]]:
    """When it will leave the stages that it is in and has before it, if it stays in each as long as
    is usual; not before `at`."""
    clock = case.entered
    for stage in case.stages:
        clock = max(at, clock + stay(case.pathway.tier, stage))
        yield stage, clock


@dataclass(frozen=True, slots=True)
class WillWait:
    """That a use case will wait for a certificate, if nobody renews it."""

    case: OpenCase
    stage: Stage
    requirement: Requirement
    people: tuple[str, ...]
    """Whose certificates lapse before; empty where it is missing already."""
    since: datetime
    """When it would have left the stage."""
    days: float
    """From then to the end of the time that is looked ahead."""


def will_wait(case: OpenCase, known: Known, at: datetime, stay: Stay) -> WillWait | None:
    """The first stage at which it will wait for a certificate within the `HORIZON`; None where
    nothing that blocks will be missing."""
    today = at.astimezone(UTC).date()
    for stage, leaves in schedule(case, at, stay):
        if leaves > at + HORIZON:
            return None
        day = leaves.astimezone(UTC).date()
        for asked in asked_at(case, stage, known):
            rule = asked.requirement
            blocks = rule.effect is Effect.BLOCKS and rule.in_force(day)
            if not blocks or asked.enough(known, day):
                continue
            lapsed = tuple(
                one
                for one in asked.people
                if known.certified(one, rule.kind, today)
                and not known.certified(one, rule.kind, day)
            )
            days = (at + HORIZON - leaves) / timedelta(days=1)
            return WillWait(case, stage, rule, lapsed, leaves, days)
    return None


@dataclass(frozen=True, slots=True)
class Lapse:
    """That somebody will not be certified any more after a day."""

    person: str
    kind: str
    last_day: date


def lapses(held: Mapping[str, Sequence[Held]], today: date) -> list[Lapse]:
    """Who is certified today and will not be within the `HORIZON`, the first to lapse first."""
    found = []
    for person, some in held.items():
        for kind in {one.kind for one in some if one.holds(today)}:
            last = certified_until(today, kind, some)
            if last is not None and last < today + HORIZON:
                found.append(Lapse(person, kind, last))
    return sorted(found, key=lambda one: (one.last_day, one.person, one.kind))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the people of whom a certificate is asked, in open use cases: how many are certified."""

    required_of: RequiredOf
    group: str
    """The tier, or the unit."""
    kind: str
    effect: Effect
    people: int
    certified: int


def coverage(
    cases: Sequence[OpenCase], known: Known, today: date, group: Callable[[OpenCase], str]
) -> list[Coverage]:
    """Coverage by what is asked of whom and by group, over all stages that are still before each
    open use case."""
    people: dict[tuple[RequiredOf, str, str, Effect], set[str]] = {}
    for case in cases:
        for stage in case.stages:
            for asked in asked_at(case, stage, known):
                rule = asked.requirement
                if rule.in_force(today):
                    key = (rule.required_of, group(case), rule.kind, rule.effect)
                    people.setdefault(key, set()).update(asked.people)
    return [
        Coverage(*key, len(some), sum(known.certified(one, key[2], today) for one in some))
        for key, some in people.items()
    ]
