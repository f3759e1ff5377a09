"""Whether the numbers of the flow hang together: Little's law, and dates that cannot be.

From the day of the first start until now, begun with nothing open, the days that cases spent inside
are the same whether one adds up the open cases over the calendar or the time of each case:

    integral of WIP = lengths of the cases that ended + ages of the cases that are open

This is the finite form of Little's law, L = lambda W (Little 1961; along one path: Stidham 1974;
Little and Graves 2008); it needs no steady state. It holds to the microsecond unless the dates are
wrong or the counts are. With W taken over the cases that ended only, as people do, L and lambda W
differ by the ages of the open cases over the length of the time: what lies at its edge.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from service.measure.days import MICROSECONDS_PER_DAY
from service.measure.flow import DAY_LENGTH, Calendar, Events, day_of

Number = float | int | str | None

MUCH_IN_A_DAY = 0.2
"""A day with more than this share of all starts (or ends) ..."""
TIMES_THE_USUAL = 10
"""... and more than so many times the usual day ..."""
ENOUGH_FOR_BULK = 20
"""... and at least so many looks like a file that was written in one go."""
ENOUGH_OPEN = 5
"""Fewer open cases may well be oddly old ..."""
ENOUGH_ENDED = 20
"""... and fewer that ended say little of what is odd."""
SMALL_EDGE = 1 / 3
"""Up to this share of L the edge is ordinary: of an old cohort only the slowest cases are open."""
USUAL = 0.95
"""The length that this share of the ended cases did not exceed stands for what is usual."""
DATES_ONLY = 0.99
"""From this share at midnight on, a history holds dates without times: coarse, not wrong."""


@dataclass(frozen=True, slots=True)
class Little:
    """Little's law over the `days` from the day of the first start until now.

    `wip_mean` is L, `arrivals_per_day` and `ends_per_day` are lambda. `days_ended` is the mean
    length of the cases that ended, `days_so_far` that of all cases so far. None where there is
    nothing to divide by.
    """

    days: float
    wip_mean: float | None
    arrivals_per_day: float | None
    ends_per_day: float | None
    days_ended: float | None
    days_so_far: float | None


@dataclass(frozen=True, slots=True)
class Check:
    """Whether something holds, with the numbers and what to look at."""

    name: str
    ok: bool
    sentence: str
    numbers: Mapping[str, Number]


def little(calendar: Calendar) -> Little:
    """The figures of Little's law."""
    days = _watched(calendar) / MICROSECONDS_PER_DAY

    def per_day(value: float) -> float | None:
        return value / days if days > 0.0 else None

    return Little(
        days=days,
        wip_mean=per_day(_area(calendar) / MICROSECONDS_PER_DAY),
        arrivals_per_day=per_day(calendar.arrived.total),
        ends_per_day=per_day(calendar.left.total),
        days_ended=_mean(calendar.closed.moments, calendar.closed.total),
        days_so_far=_mean(_person_days(calendar), calendar.arrived.total),
    )


def checks(
    calendar: Calendar,
    *,
    in_table: tuple[int, int] | None = None,
    every_case_traced: bool = False,
) -> tuple[Check, ...]:
    """Every check.

    `in_table` are the open cases by the table of use cases and by the counts, seen at one moment;
    `every_case_traced` says that the stages know all cases.
    """
    return (
        _open_cases(calendar, in_table, every_case_traced=every_case_traced),
        _order(calendar),
        _future(calendar),
        _identity(calendar),
        _edge(calendar),
        *_bulk(calendar),
    )


def _watched(calendar: Calendar) -> int:
    """Microseconds from the beginning of the first day until now."""
    return calendar.now - calendar.first_day * DAY_LENGTH if calendar.arrived.total else 0


def _mean(microseconds: int, cases: int) -> float | None:
    return microseconds / MICROSECONDS_PER_DAY / cases if cases else None


def _area(calendar: Calendar) -> int:
    """The integral of WIP over the calendar until now, in microseconds: every start adds what is
    left of the time, every end takes away what is left after it."""
    arrived, left = calendar.arrived, calendar.left
    now = calendar.now
    return (arrived.total * now - arrived.moments) - (left.total * now - left.moments)


def _person_days(calendar: Calendar) -> int:
    """The time of each case until now, added up, in microseconds; nothing is shorter than 0."""
    return calendar.closed.moments + calendar.open.total * calendar.now - calendar.open.moments


def _open_cases(
    calendar: Calendar, in_table: tuple[int, int] | None, *, every_case_traced: bool
) -> Check:
    by_calendar = calendar.arrived.total - calendar.left.total
    numbers: dict[str, Number] = {"starts_less_ends": by_calendar, "open": calendar.open.total}
    ok = by_calendar == calendar.open.total
    if every_case_traced:
        began = sum(events.total for events in calendar.began.values())
        done = sum(events.total for events in calendar.done.values())
        numbers["in_stages"] = began - done
        ok &= began - done == by_calendar
    if in_table is not None:
        numbers["open_in_table"], numbers["open_in_counts"] = in_table
        ok &= in_table[0] == in_table[1]
    return Check(
        "open_cases",
        ok,
        "As many cases are open as came and did not leave."
        if ok
        else "The open cases are not those that came and did not leave: dates lie in the future, "
        "or the counts have come apart from the cases and want a recount.",
        numbers,
    )


def _order(calendar: Calendar) -> Check:
    early = [name for name in calendar.began if _falls_below_zero(calendar, name)]
    ok = not calendar.negative and not early
    return Check(
        "order",
        ok,
        "Nothing ends before it begins."
        if ok
        else f"{calendar.negative} cases end before they start"
        + (f", and visits to {', '.join(sorted(early))} before they begin" if early else "")
        + ": look for clocks that were set back, mixed time zones, or columns that were swapped.",
        {"cases": calendar.negative, "stages": len(early)},
    )


def _falls_below_zero(calendar: Calendar, name: str) -> bool:
    """Whether by the end of some day more visits to the stage were over than had begun."""
    done = calendar.done.get(name)
    if done is None:
        return False
    days = done.days + 1
    return bool((calendar.began[name].before(days) < done.before(days)).any())


def _future(calendar: Calendar) -> Check:
    ok = not calendar.later
    return Check(
        "future",
        ok,
        "Nothing is dated later than the report."
        if ok
        else f"{calendar.later} starts or ends are dated later than the report: look for a clock "
        "that runs ahead, or planned dates that were imported as if they had happened.",
        {"dates": calendar.later},
    )


def _identity(calendar: Calendar) -> Check:
    area, inside = _area(calendar), _person_days(calendar)
    ok = area == inside
    return Check(
        "identity",
        ok,
        "Open cases added up over the days are the days of each case added up."
        if ok
        else "Open cases added up over the days are not the days of each case added up: some cases "
        "have impossible dates (see the other checks), or the counts want a recount.",
        {
            "wip_days": area / MICROSECONDS_PER_DAY,
            "case_days": inside / MICROSECONDS_PER_DAY,
        },
    )


def _edge(calendar: Calendar) -> Check:
    """L against lambda W of the cases that ended. They differ by the ages of the open cases over
    the length of the time: by more than `SMALL_EDGE` of L, and than what open cases as old as
    `USUAL` of the others ever became would explain, only if the open ones are oddly old."""
    found = little(calendar)
    wip_mean, law = found.wip_mean or 0.0, (found.ends_per_day or 0.0) * (found.days_ended or 0.0)
    numbers: dict[str, Number] = {
        "wip_mean": found.wip_mean,
        "ends_times_days": law,
        "gap": wip_mean - law,
        "most": None,
    }
    if calendar.closed.total < ENOUGH_ENDED or calendar.open.total < ENOUGH_OPEN:
        sentence = "Too little is finished, or open, to hold one against the other."
        return Check("littles_law", True, sentence, numbers)
    usual = _usual_length(calendar)
    most = max(calendar.open.total * usual / found.days, SMALL_EDGE * wip_mean)
    numbers["most"] = most
    ok = abs(wip_mean - law) <= most + 1e-9
    return Check(
        "littles_law",
        ok,
        "What is open on average fits what leaves in a day and how long that took."
        if ok
        else "More is open on average than what leaves in a day and how long that took explain: "
        f"the open cases are on average older than the {usual} days within which 95% of the others "
        "ended. Look for cases that ended and were never closed, and for back-dated starts.",
        numbers,
    )


def _usual_length(calendar: Calendar) -> int:
    """The days within which `USUAL` of the cases that ended did so, rounded up."""
    closed = calendar.closed
    place = np.searchsorted(np.cumsum(closed.n), USUAL * closed.total)
    return int(closed.days[place]) + 1


def _bulk(calendar: Calendar) -> Iterator[Check]:
    pairs = (("starts", calendar.arrived), ("ends", calendar.left))
    for (what, events), at_midnight in zip(pairs, calendar.at_midnight, strict=True):
        yield _one_day(what, events)
        yield _midnight(what, events.total, at_midnight)


def _one_day(what: str, events: Events) -> Check:
    """Whether one day has much more than its share."""
    name = f"{what}_on_one_day"
    if not events.total:
        return Check(name, True, f"There are no {what}.", {"day": None, "n": 0, "usual": None})
    place = int(np.argmax(events.n))
    most, others = int(events.n[place]), np.delete(events.n, place)
    usual = float(np.median(others)) if others.size else 0.0
    day = day_of(int(events.days[place])).date().isoformat()
    share = most / events.total
    ok = not (most >= ENOUGH_FOR_BULK and share > MUCH_IN_A_DAY and most > TIMES_THE_USUAL * usual)
    return Check(
        name,
        ok,
        f"No day has an unlikely share of the {what}."
        if ok
        else f"{most} of {events.total} {what} are dated {day}, a usual day has {usual:g}: look "
        "whether they were entered in one go and dated back, or given the date of the import.",
        {"day": day, "n": most, "share": share, "usual": usual},
    )


def _midnight(what: str, of: int, at_midnight: int) -> Check:
    """Whether a part of the moments, and not all of them, are dates without a time.

    Counts know it only of days on which all of a source and tier are, so `at_midnight` may be too
    low; files that hold dates are sources of their own.
    """
    name = f"{what}_at_midnight"
    share = at_midnight / of if of else 0.0
    numbers: dict[str, Number] = {"n": at_midnight, "share": share}
    if share >= DATES_ONLY:
        sentence = f"The {what} are dates without a time of day: right to the day, not to the hour."
        return Check(name, True, sentence, numbers)
    ok = not (at_midnight >= ENOUGH_FOR_BULK and share > MUCH_IN_A_DAY)
    return Check(
        name,
        ok,
        f"The {what} have a time of day."
        if ok
        else f"{at_midnight} of {of} {what} are at exactly midnight (UTC), the others "
        "are not: look whether dates without a time were imported among them.",
        numbers,
    )
