"""Whose move it is, as one would say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.domain.pathway import StageKind
from service.domain.people import BUILDER, Person
from service.domain.standing import Position, Standing
from web.kit.parties import party_name
from web.kit.strings import t


@dataclass(frozen=True, slots=True)
class Target:
    """The present holder's target: how much of it is used up."""

    target: timedelta
    used: timedelta

    @property
    def share(self) -> float:
        """Over 1 is late."""
        return self.used / self.target

    @property
    def left(self) -> timedelta:
        """What is left of it; less than nothing when it is late."""
        return self.target - self.used

    @property
    def late(self) -> bool:
        """Whether it is used up."""
        return self.left < timedelta(0)

    @property
    def near(self) -> bool:
        """Whether it is nearly used up."""
        return not self.late and self.share >= 0.8


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose move it is, since when, and what they have to do."""

    headline: str
    todo: str
    mine: bool
    since: datetime
    target: Target | None


def target_of(standing: Standing, at: datetime) -> Target | None:
    """How much of the target is used up at this moment."""
    hold = standing.hold
    if hold is None or hold.target is None:
        return None
    return Target(hold.target, hold.spent + max(at - hold.since, timedelta(0)))


def turn(standing: Standing, reader: Person, names: Mapping[str, str], at: datetime) -> Turn:
    """The move in words for this reader. `names` has owners and the assignee."""
    mine = _is_mine(standing, reader)
    return Turn(
        headline=_headline(standing, names, mine=mine),
        todo=_todo(standing, mine=mine),
        mine=mine,
        since=standing.turn_since if not standing.ended else standing.at,
        target=target_of(standing, at),
    )


def _is_mine(standing: Standing, reader: Person) -> bool:
    if standing.ended or standing.position is Position.PARKED:
        return False
    if standing.holder == BUILDER:
        return reader.id in standing.owners
    if standing.assignee is not None:
        return standing.assignee == reader.id
    owns = reader.id in standing.owners
    return not owns and reader.actor.belongs_to(standing.holder or "")


def _headline(standing: Standing, names: Mapping[str, str], *, mine: bool) -> str:
    if standing.ended or standing.position is Position.PARKED:
        return t(f"move.{standing.position.value}")
    if mine:
        return t("move.mine" if standing.assignee or standing.holder == BUILDER else "move.ours")
    if standing.holder == BUILDER:
        return t("move.person", name=names.get(standing.owners[0], t("move.the_builder")))
    if standing.assignee:
        name = names.get(standing.assignee, t("move.somebody"))
        return t("move.person_for", name=name, party=party_name(standing.holder))
    return t("move.party", party=party_name(standing.holder))


def _todo(standing: Standing, *, mine: bool) -> str:
    stage, position = standing.stage, standing.position
    values = {"stage": stage.title, "party": party_name(standing.holder)}
    you = "you" if mine else "they"
    if standing.ended or position is Position.PARKED:
        return t(f"todo.{position.value}", **values)
    if position is Position.BUILDING:
        stages = standing.pathway.stages
        last = "launching" if len(stages) > 1 else "only_stage"
        return t(f"todo.{last if stage is stages[-1] else 'building'}_{you}", **values)
    if position in {Position.QUEUED, Position.CLAIMED}:
        kind = "gate" if stage.kind is StageKind.GATE else "help"
        return t(f"todo.{position.value}_{kind}_{you}", **values)
    return t(f"todo.{position.value}_{you}", **values)
