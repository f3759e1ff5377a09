"""The chess clock as shapes: shares and spans in percent of the elapsed time, drawn to scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.domain.clock import Span
from service.domain.people import BUILDER, ENABLEMENT, PARKED
from service.domain.standing import Mode

MOST_TICKS = 6
STEPS = (
    *(timedelta(minutes=some) for some in (1, 5, 15, 30)),
    *(timedelta(hours=some) for some in (1, 3, 6)),
    *(timedelta(days=some) for some in (1, 2, 7, 14, 28, 91, 182, 364, 728, 1820, 3640)),
)


@dataclass(frozen=True, slots=True)
class Part:
    """What one party took of the whole, and how much of that it lay waiting there."""

    holder: str
    total: timedelta
    waited: timedelta
    share: float
    start: float
    """Where its piece of the bar begins; all are shares of 1."""

    @property
    def worked(self) -> timedelta:
        """The time at work on it."""
        return self.total - self.waited

    @property
    def waited_share(self) -> float:
        """The part of the bar that was waiting."""
        return self.share * (self.waited / self.total) if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A span on its party's lane."""

    span: Span
    start: float
    share: float

    @property
    def waiting(self) -> bool:
        """Whether it lay there."""
        return self.span.mode is Mode.WAITING


@dataclass(frozen=True, slots=True)
class Lane:
    """All the spans of one party."""

    holder: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment on the line of time."""

    at: datetime
    start: float
    by_the_hour: bool


def _order(holder: str) -> tuple[int, str]:
    ours = {BUILDER: 0, ENABLEMENT: 1, PARKED: 3}
    return ours.get(holder, 2), holder


def parts(found: Sequence[Span]) -> tuple[Part, ...]:
    """One piece for each party: builder, enablement, third parties, parked. They add up to 1."""
    totals: dict[str, list[timedelta]] = {}
    for span in found:
        sums = totals.setdefault(span.holder, [timedelta(0), timedelta(0)])
        sums[0] += span.elapsed
        if span.mode is Mode.WAITING:
            sums[1] += span.elapsed
    whole = sum((total for total, _ in totals.values()), timedelta(0))
    made: list[Part] = []
    start = 0.0
    for holder in sorted(totals, key=_order):
        total, waited = totals[holder]
        share = total / whole if whole else 0.0
        made.append(Part(holder, total, waited, share, start))
        start += share
    return tuple(made)


def lanes(found: Sequence[Span]) -> tuple[Lane, ...]:
    """The spans to scale, a lane for each party in the order of the bar."""
    if not found:
        return ()
    begin, whole = found[0].start, found[-1].end - found[0].start
    by_holder: dict[str, list[Mark]] = {}
    for span in found:
        start = (span.start - begin) / whole if whole else 0.0
        share = span.elapsed / whole if whole else 0.0
        by_holder.setdefault(span.holder, []).append(Mark(span, start, share))
    return tuple(Lane(holder, tuple(by_holder[holder])) for holder in sorted(by_holder, key=_order))


def ticks(begin: datetime, end: datetime) -> tuple[Tick, ...]:
    """Round moments between the two, a few of them; none right at the edges, where words would be
    cut off."""
    whole = end - begin
    if whole <= timedelta(0):
        return ()
    step = next((step for step in STEPS if whole / step <= MOST_TICKS), STEPS[-1])
    midnight = begin.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + ((begin - midnight) // step + 1) * step
    made = []
    while at < end:
        start = (at - begin) / whole
        if 0.04 <= start <= 0.96:
            made.append(Tick(at, start, step < timedelta(days=1)))
        at += step
    return tuple(made)
