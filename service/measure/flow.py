"""The flow of cases: how many come, go and are open, day by day, and how old the open ones are.

All of it is sums over the calendar, so it is exact whether it is read from the cases or from their
counts by day. Days are calendar days in UTC, numbered from 1970-01-01.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from service.domain.case import Outcome
from service.measure.cases import EPOCH, OPEN, Codes, Group
from service.measure.days import MICROSECONDS_PER_DAY
from service.measure.survival import Flags, Floats, Quantile, quantile
from service.measure.traces import Traces

MOST_ROWS = 1_000
ENDS = (Outcome.PRODUCTION, Outcome.DECLINED, Outcome.WITHDRAWN)
DAY_LENGTH = int(MICROSECONDS_PER_DAY)
MICROSECOND = timedelta(microseconds=1)


class Bucket(StrEnum):
    """How long the rows of the report are. Weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Events:
    """`n` things that happened on each of `days` (increasing, each once), so many `microseconds`
    into the day, added up over them."""

    days: Codes
    n: Codes
    microseconds: Codes

    @classmethod
    def joined(cls, parts: Iterable["Events"]) -> "Events":
        """Several as one."""
        given = list(parts)
        days, place = np.unique(
            np.concatenate([NO_CODES, *(part.days for part in given)]), return_inverse=True
        )
        n, microseconds = np.zeros((2, days.size), dtype=np.int64)
        np.add.at(n, place, np.concatenate([NO_CODES, *(part.n for part in given)]))
        into_day = np.concatenate([NO_CODES, *(part.microseconds for part in given)])
        np.add.at(microseconds, place, into_day)
        some = n != 0
        return cls(days[some], n[some], microseconds[some])

    @classmethod
    def at(cls, microseconds: Codes) -> "Events":
        """One for each moment, in microseconds since 1970."""
        days, into_day = np.divmod(microseconds, DAY_LENGTH)
        return cls.joined([cls(days, np.ones_like(days), into_day)])

    @property
    def total(self) -> int:
        """How many there are."""
        return int(self.n.sum())

    @property
    def moments(self) -> int:
        """The microseconds since day 0, added up over them; exact, and longer than 64 bits."""
        return int(self.days @ self.n) * DAY_LENGTH + int(self.microseconds.sum())

    def before(self, days: Codes) -> Codes:
        """How many there were before each of `days`."""
        reached = np.concatenate([[0], np.cumsum(self.n)])
        found: Codes = reached[np.searchsorted(self.days, days)]
        return found

    @property
    def at_midnight(self) -> int:
        """How many are known to have been at the very beginning of their day."""
        return int(self.n[self.microseconds == 0].sum())

    def until(self, day: int) -> "Events":
        """Those up to and on a day."""
        return self._some(self.days <= day)

    def since(self, day: int) -> "Events":
        """Those on a day and after it."""
        return self._some(self.days >= day)

    def _some(self, which: Flags) -> "Events":
        return Events(self.days[which], self.n[which], self.microseconds[which])


NO_CODES = np.zeros(0, dtype=np.int64)
NOTHING = Events(NO_CODES, NO_CODES, NO_CODES)


@dataclass(frozen=True)
class Calendar:
    """What happened on which day, as known at `until`, up to which the cases were watched.

    `began` and `done` are visits to each of the `stages` (in the order of the pathways), of a
    sample of the cases where `stage_scale` is not 1: each stands for so many. `closed` are the
    lengths of the cases that ended (`days` of age), without those (`negative`) whose end lies
    before their start; `open` are the starts of the open cases. Of the starts and the ends
    `at_midnight` say how many are dates without a time, as far as is known. `later` dates lie after
    `until`: they are left out of everything that happened.
    """

    until: datetime
    arrived: Events
    ended: Mapping[Outcome, Events]
    began: Mapping[str, Events]
    done: Mapping[str, Events]
    open: Events
    closed: Events
    at_midnight: tuple[int, int] = (0, 0)
    negative: int = 0
    later: int = 0
    stages: tuple[str, ...] = ()
    stage_scale: float = 1.0

    @property
    def now(self) -> int:
        """`until` in microseconds since 1970."""
        return (self.until - EPOCH) // MICROSECOND

    @property
    def today(self) -> int:
        """The day of `until`."""
        return self.now // DAY_LENGTH

    @property
    def left(self) -> Events:
        """The ends of all outcomes."""
        return Events.joined(self.ended.values())

    @property
    def first_day(self) -> int:
        """The day of the first start; today if there is none."""
        return min(int(self.arrived.days[0]), self.today) if self.arrived.total else self.today


@dataclass(frozen=True)
class Flow:
    """The calendar in rows, one for each stretch of days from `edges[i]` up to `edges[i + 1]`.

    `arrived` and `ended` count within a row; `wip`, `in_stage` and `out` (ended so far) stand at
    its end. `in_stage` is a column for each of `stages`, scaled up where they are a sample.
    """

    bucket: Bucket
    edges: Codes
    arrived: Codes
    ended: Mapping[Outcome, Codes]
    wip: Codes
    out: Codes
    stages: tuple[str, ...]
    in_stage: Floats
    notes: tuple[str, ...] = field(default=())


def day_of(day: int) -> datetime:
    """The beginning of a day."""
    return EPOCH + timedelta(days=day)


def bucket_for(first_day: int, last_day: int) -> Bucket:
    """Days up to a quarter, weeks up to two years, then months."""
    days = last_day - first_day + 1
    if days <= 92:
        return Bucket.DAY
    return Bucket.WEEK if days <= 731 else Bucket.MONTH


def flow(calendar: Calendar, bucket: Bucket | None = None) -> Flow:
    """The calendar in rows: by default of a length that suits the span.

    At most `MOST_ROWS` rows: the last ones, what was before is in their sums.
    """
    first, today = calendar.first_day, calendar.today
    chosen = bucket or bucket_for(first, today)
    edges = _edges(chosen, first, today)
    notes: tuple[str, ...] = ()
    if edges.size > MOST_ROWS + 1:
        edges = edges[-MOST_ROWS - 1 :]
        notes = (f"Only the last {MOST_ROWS} rows are shown, by {chosen}.",)
    arrived = calendar.arrived.before(edges)
    ended = {outcome: events.before(edges) for outcome, events in calendar.ended.items()}
    left = np.sum(list(ended.values()), axis=0, dtype=np.int64) + np.zeros_like(edges)
    stages = calendar.stages
    inside = [
        calendar.began[name].before(edges) - calendar.done.get(name, NOTHING).before(edges)
        for name in stages
    ]
    return Flow(
        bucket=chosen,
        edges=edges,
        arrived=np.diff(arrived),
        ended={outcome: np.diff(count) for outcome, count in ended.items()},
        wip=(arrived - left)[1:],
        out=left[1:],
        stages=stages,
        in_stage=np.reshape(inside, (len(stages), edges.size)).T[1:] * calendar.stage_scale,
        notes=notes,
    )


def in_order(began: Mapping[str, Mapping[str, Events]]) -> tuple[str, ...]:
    """The stages in the order of the pathways, out of the visits that began, by tier and stage.

    In a tier they stand as its first cases came to them (by day, then by the time of the day): what
    is only reached through another stage comes after it. Over the tiers by the median place that a
    visit finds its stage at, then by the mean one, then by name.
    """
    places: dict[str, list[int]] = {}
    weights: dict[str, list[int]] = {}
    for of_tier in began.values():
        found = [(name, events) for name, events in of_tier.items() if events.total]
        found.sort(key=lambda item: (*_first(item[1]), item[0]))
        for place, (name, events) in enumerate(found):
            places.setdefault(name, []).append(place)
            weights.setdefault(name, []).append(events.total)

    def middle(name: str) -> tuple[int, float, str]:
        place, weight = np.array(places[name]), np.array(weights[name])
        order = np.argsort(place, kind="stable")
        half = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
        return int(place[order][half]), float(np.average(place, weights=weight)), name

    return tuple(sorted(places, key=middle))


def _first(events: Events) -> tuple[int, float, int]:
    return int(events.days[0]), float(events.microseconds[0] / events.n[0]), -events.total


def _edges(bucket: Bucket, first: int, last: int) -> Codes:
    """The first days of the rows that cover these days, and of the row after them."""
    match bucket:
        case Bucket.DAY:
            return np.arange(first, last + 2)
        case Bucket.WEEK:
            monday = first - (first + 3) % 7  # 1970-01-01 was a Thursday
            return np.arange(monday, last + 8 - (last + 3) % 7, 7)
        case Bucket.MONTH:
            months = np.arange(_month(first), _month(last) + 2)
            found: Codes = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
            return found


def _month(day: int) -> int:
    """Months since January 1970."""
    moment = day_of(day)
    return (moment.year - 1970) * 12 + moment.month - 1


def visits_by_day(
    traces: Traces, stage: Codes, case: Codes, days: Floats
) -> dict[str, dict[str, Events]]:
    """Moments of cases (`days` since their start) by tier, stage and calendar day."""
    started = np.rint(traces.started_days[case] * MICROSECONDS_PER_DAY).astype(np.int64)
    at = started + np.rint(days * MICROSECONDS_PER_DAY).astype(np.int64)
    tier = traces.cases.tier[case]
    found: dict[str, dict[str, Events]] = {}
    for code in np.unique(tier).tolist():
        of_tier = tier == code
        found[traces.cases.tiers[code]] = {
            traces.stages[number]: Events.at(at[of_tier & (stage == number)])
            for number in np.unique(stage[of_tier]).tolist()
        }
    return found


@dataclass(frozen=True, slots=True)
class Ages:
    """How old the open cases of a tier are against what the tier takes to production.

    `p50`, `p85`, `p95` are Kaplan-Meier percentiles; `older_than_p50` and so on count the open
    cases that are older, None where the percentile is not known.
    """

    tier: str
    open: int
    p50: Quantile
    p85: Quantile
    p95: Quantile
    older_than_p50: int | None
    older_than_p85: int | None
    older_than_p95: int | None


def ages(tier: str, group: Group) -> Ages:
    """The ages of the open cases of a group."""
    p50, p85, p95 = (quantile(group.table, part) for part in (0.5, 0.85, 0.95))
    return Ages(
        tier=tier,
        open=group.count(OPEN),
        p50=p50,
        p85=p85,
        p95=p95,
        older_than_p50=_older(group, p50.days),
        older_than_p85=_older(group, p85.days),
        older_than_p95=_older(group, p95.days),
    )


def _older(group: Group, days: float | None) -> int | None:
    if days is None:
        return None
    rows = np.equal(group.outcome, OPEN) & (group.duration_days > days)
    weight = np.ones(rows.size) if group.weight is None else group.weight
    return round(float(weight[rows].sum()))


def recent(calendar: Calendar, days: int) -> tuple[int, int]:
    """How many arrived and how many ended in the last so many days, today among them."""
    edges = np.array([calendar.today + 1 - days, calendar.today + 1])
    arrived, left = (np.diff(events.before(edges)) for events in (calendar.arrived, calendar.left))
    return int(arrived[0]), int(left[0])
