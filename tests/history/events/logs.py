"""Small event logs for tests, and cases drawn at random."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from hypothesis import strategies as st

from service.domain.case import Case, Outcome
from service.domain.naming import fold
from service.domain.standing import Mode
from service.domain.trace import Step, TracedCase
from service.history.csv import Reject
from service.history.events import OWN, EventFile, EventMap, parse_event_map

NOW = datetime(2030, 1, 1, tzinfo=UTC)
START = datetime(2024, 3, 4, 9, tzinfo=UTC)

MAP = """
[cohort]
constant = "old way"
[tier]
column = "case:tier"
blank = "standard"
[stage]
column = "concept:name"
[activity]
unlisted = "keep"
[[activity.rules]]
when = { "concept:name" = ["live"] }
outcome = "production"
[[activity.rules]]
when = { "concept:name" = ["note"] }
ignore = true
"""
"""A plain map: the cohort is constant, `live` ends a case, notes do not count."""


def decided(cohort: str) -> EventMap:
    """A map under which `live` ends a case, `no` declines it if nothing follows, and in `build`
    somebody is at work."""
    return parse_event_map(
        f"""
        cohort = {{ constant = "{cohort}" }}
        tier = {{ constant = "all" }}
        [activity]
        unlisted = "keep"
        [[activity.rules]]
        when = {{ "concept:name" = ["live"] }}
        outcome = "production"
        [[activity.rules]]
        when = {{ "concept:name" = ["no"] }}
        outcome_if_last = "declined"
        [[activity.rules]]
        when = {{ "concept:name" = ["build"] }}
        mode = "working"
        """,
        "test",
    )


def read(
    path: Path, mapping: EventMap | str = OWN, cases: int = 1000
) -> tuple[list[TracedCase], list[Reject]]:
    """Everything that a log says."""
    if isinstance(mapping, str):
        mapping = parse_event_map(mapping, "test")
    accepted: list[TracedCase] = []
    rejects: list[Reject] = []
    with EventFile(path, mapping, latest=NOW) as file:
        for batch in file.batches(cases):
            assert batch.read == len(batch.accepted) + len(batch.rejects) > 0
            accepted += batch.accepted
            rejects += batch.rejects
    return accepted, rejects


def xes(*traces: str, head: str = "") -> str:
    """A log with these traces, without a namespace: as several tools write it."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1.0">{head}\n' + "\n".join(
        (*traces, "</log>\n")
    )


def trace(case_id: str, *events: str, extra: str = "") -> str:
    """A trace on lines of its own: its first event is on the line after."""
    return (
        f'<trace><string key="concept:name" value="{case_id}"/>{extra}\n'
        + "\n".join(events)
        + "\n</trace>"
    )


def event(hour: float, name: str, word: str = "", group: str = "enablement", more: str = "") -> str:
    """An event so many hours after `START`."""
    at = (START + timedelta(hours=hour)).isoformat()
    lifecycle = f'<string key="lifecycle:transition" value="{word}"/>' if word else ""
    return (
        f'<event><string key="concept:name" value="{name}"/>{lifecycle}'
        f'<string key="org:group" value="{group}"/><date key="time:timestamp" value="{at}"/>'
        f"{more}</event>"
    )


def line(hour: float, case_id: str, name: str, word: str = "", group: str = "enablement") -> str:
    """The same as a line of CSV, behind `HEADER`."""
    at = (START + timedelta(hours=hour)).isoformat()
    return f"{case_id},{name},{word},{group},{at}"


HEADER = "case:concept:name,concept:name,lifecycle:transition,org:group,time:timestamp"

names = (
    st.text(
        st.characters(
            codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"), include_characters="é<>&\"',;="
        ),
        min_size=1,
        max_size=12,
    )
    .map(fold)
    .filter(bool)
)
# Fixed offsets only: Python does not compare moments that a clock shows twice (in autumn) by what
# they are.
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
lengths = st.one_of(
    st.just(timedelta(0)),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=200)),
    st.integers(0, 3).map(lambda us: timedelta(microseconds=us)),
)


@st.composite
def traced_cases(draw: st.DrawFn, case_id: str) -> TracedCase:
    """Any case with any steps, of no length too, that the domain allows."""
    at = draw(
        st.datetimes(
            min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - the zone is drawn
            max_value=datetime(2020, 1, 1),  # noqa: DTZ001
            timezones=zones,
        )
    ).astimezone(UTC)
    started = at
    stages = draw(st.lists(names, min_size=1, max_size=3))
    holders = draw(st.lists(names, min_size=1, max_size=3))
    made = []
    for _ in range(draw(st.integers(1, 8))):
        zone = draw(zones)
        made.append(
            Step(
                at.astimezone(zone),
                draw(st.sampled_from(stages)),
                draw(st.sampled_from(holders)),
                draw(st.sampled_from(Mode)),
                draw(st.booleans()),
            )
        )
        at += draw(lengths)
    outcome = draw(st.sampled_from(Outcome))
    case = Case(
        case_id=case_id,
        cohort=draw(names),
        tier=draw(names),
        business_unit=draw(st.one_of(st.just(""), names)),
        started_at=started,
        ended_at=None if outcome is Outcome.OPEN else at,
        outcome=outcome,
        observed_until=draw(st.one_of(st.none(), st.just(at))),
    )
    return TracedCase(case, tuple(made))
