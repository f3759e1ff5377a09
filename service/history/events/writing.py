"""Cases on clocks as event logs, in XES and CSV, written as a stream.

A step in which somebody works is a `start` and a `complete` of its stage, a step that waits is a
`schedule`: the wait lasts until the next event. So process-mining tools see work as work, and the
queue as the time before it. The end of a case is one more event, named after its outcome. Moments
are in UTC, to the microsecond. `service.history.events.OWN` reads the same cases back.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import BinaryIO, NamedTuple
from xml.sax.saxutils import quoteattr

from service.domain.case import Case
from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.history.events.maps import Move

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">
  <extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
  <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Headway" prefix="headway" uri="urn:headway:events"/>
  <global scope="trace">
    <string key="concept:name" value=""/>
    <string key="headway:cohort" value=""/>
    <string key="headway:tier" value=""/>
    <string key="headway:business_unit" value=""/>
  </global>
  <global scope="event">
    <string key="concept:name" value=""/>
    <string key="lifecycle:transition" value="complete"/>
    <string key="org:group" value=""/>
    <date key="time:timestamp" value="1970-01-01T00:00:00.000000+00:00"/>
  </global>
  <classifier name="Stage" keys="concept:name"/>
  <classifier name="Stage and transition" keys="concept:name lifecycle:transition"/>
  <classifier name="Holder" keys="org:group"/>
  <string key="lifecycle:model" value="standard"/>
"""
_TAIL = "</log>\n"

_COLUMNS = (
    *("case:concept:name", "concept:name", "lifecycle:transition", "org:group", "time:timestamp"),
    *("headway:rework", "headway:outcome", "case:headway:cohort", "case:headway:tier"),
    *("case:headway:business_unit", "case:headway:observed_until"),
)

# XML 1.0 has no way to write these.
_UNWRITABLE = dict.fromkeys(
    [*(code for code in range(32) if code not in {9, 10, 13}), 0xFFFE, 0xFFFF],
    "\N{REPLACEMENT CHARACTER}",
) | dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")
_SPACES = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


class _Written(NamedTuple):
    name: str
    move: Move
    group: str
    at: datetime
    rework: bool
    outcome: str = ""


def write_xes(cases: Iterable[TracedCase], out: BinaryIO) -> None:
    """Writes an XES log (IEEE 1849-2016), case by case.

    What XML cannot hold (control characters) becomes U+FFFD.
    """
    out.write(_HEAD.encode())
    for traced in cases:
        out.write("".join(_trace(traced)).encode())
    out.write(_TAIL.encode())


def write_csv(cases: Iterable[TracedCase], out: BinaryIO) -> None:
    """Writes a CSV log with one row per event (UTF-8), case by case.

    The columns have the names that process-mining tools give to those of XES; an attribute of the
    case begins with `case:`. Nothing is escaped but what CSV asks for.
    """
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", errors="replace")
    try:
        writer = csv.writer(text)
        writer.writerow(_COLUMNS)
        for traced in cases:
            writer.writerows(_rows(traced))
    finally:
        text.detach()  # `out` stays open: it is the caller's


def _rows(traced: TracedCase) -> Iterator[tuple[str, ...]]:
    case = traced.case
    of_case = (case.cohort, case.tier, case.business_unit, _known_until(case))
    for event in _events(traced):
        yield (
            *(case.case_id, event.name, event.move.value, event.group, _moment(event.at)),
            *(_word(event.rework), event.outcome, *of_case),
        )


def _events(traced: TracedCase) -> Iterator[_Written]:
    """The events that stand for the steps of a case, and for its end."""
    case, steps = traced.case, traced.steps
    ends = chain((step.at for step in steps[1:]), [case.ended_at])
    for step, end in zip(steps, ends, strict=True):
        if step.mode is Mode.WAITING:
            yield _Written(step.stage, Move.SCHEDULE, step.holder, step.at, step.rework)
            continue
        yield _Written(step.stage, Move.START, step.holder, step.at, step.rework)
        if end is not None:
            yield _Written(step.stage, Move.COMPLETE, step.holder, end, step.rework)
    if case.ended_at is not None:
        last, outcome = steps[-1], case.outcome.value
        yield _Written(outcome, Move.COMPLETE, last.holder, case.ended_at, last.rework, outcome)


def _trace(traced: TracedCase) -> Iterator[str]:
    case = traced.case
    yield "  <trace>\n"
    yield f"    {_text('concept:name', case.case_id)}\n"
    yield f"    {_text('headway:cohort', case.cohort)}\n"
    yield f"    {_text('headway:tier', case.tier)}\n"
    yield f"    {_text('headway:business_unit', case.business_unit)}\n"
    if case.observed_until is not None:
        yield f"    {_date('headway:observed_until', case.observed_until)}\n"
    for event in _events(traced):
        yield "    <event>\n"
        yield f"      {_text('concept:name', event.name)}\n"
        yield f"      {_text('lifecycle:transition', event.move.value)}\n"
        yield f"      {_text('org:group', event.group)}\n"
        yield f"      {_date('time:timestamp', event.at)}\n"
        yield f'      <boolean key="headway:rework" value="{_word(event.rework)}"/>\n'
        if event.outcome:
            yield f"      {_text('headway:outcome', event.outcome)}\n"
        yield "    </event>\n"
    yield "  </trace>\n"


def _text(key: str, value: str) -> str:
    return f'<string key="{key}" value={quoteattr(value.translate(_UNWRITABLE), _SPACES)}/>'


def _date(key: str, moment: datetime) -> str:
    return f'<date key="{key}" value="{_moment(moment)}"/>'


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _known_until(case: Case) -> str:
    return "" if case.observed_until is None else _moment(case.observed_until)


def _word(flag: bool) -> str:
    return "true" if flag else "false"
