"""Acts played in the domain at times of one's choice, with the notices that fell due meanwhile."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from demo.ways import Act
from service.domain.commands import Command
from service.domain.lifecycle import RULES, Move, Played, next_notice, play
from service.domain.people import THE_SYSTEM
from service.domain.standing import Standing
from service.domain.tiering import Tier

BEGINS = timedelta(hours=8)
HOURS = 10 / 24
"""The share of a day in which people are at work."""


def at_work(moment: datetime) -> datetime:
    """A moment of the day moved into working hours (UTC), in the same order as all others."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + BEGINS + HOURS * (moment - midnight)


def lived(
    standing: Standing, acts: Iterable[Act], *, until: datetime, certifications: tuple[str, ...]
) -> Iterator[Played]:
    """What becomes of a use case up to a moment, move by move; later acts have not happened yet.

    Reminders and escalations are made when the engine would have made them: none is left over
    that it would make at once when it takes the use case over.
    """
    clock = standing.at
    for act in acts:
        clock += act.after
        at = max(at_work(clock), standing.at)
        if at > until:
            break
        for noticed in _noticed(standing, at):
            standing = noticed.standing
            yield noticed
        move = Move(
            act.command,
            act.who,
            reason=act.reason or _approved(standing, act),
            party=act.party,
            evidence_kind=act.evidence_kind,
            evidence_reference=act.evidence_reference,
            owner_certifications=certifications,
            rules=RULES,
        )
        played = play(standing, move, at)
        standing = played.standing
        yield played
    yield from _noticed(standing, until)


def _approved(standing: Standing, act: Act) -> str:
    """In tier high an approval takes a reason."""
    high = standing.pathway.tier is Tier.HIGH and act.command is Command.APPROVE
    return "The answers and the evidence hold." if high else ""


def _noticed(standing: Standing, until: datetime) -> Iterator[Played]:
    while (notice := next_notice(standing)) is not None and notice[1] <= until:
        played = play(standing, Move(notice[0], THE_SYSTEM), notice[1])
        standing = played.standing
        yield played
