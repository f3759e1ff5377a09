"""The worked example: the shipped map on a log of the same form, and on the published one.

The published log is not part of the checkout; where it is not next to it, that test is skipped. The
figures are those of docs/process-mining-log.md.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.domain.case import Outcome
from service.domain.trace import TracedCase
from service.history.csv import Reject
from service.history.events import EventFile, load_event_map
from service.measure import traces
from service.measure.cases import of as cases_of
from service.measure.verdict import Direction, judge
from tests.kit.shared import DECLARATIONS

NOW = datetime(2025, 6, 1, tzinfo=UTC)


def read(path: Path) -> tuple[list[TracedCase], list[Reject]]:
    with EventFile(path, load_event_map("travel-permits-2020"), latest=NOW) as file:
        batches = list(file.batches())
    return (
        [case for batch in batches for case in batch.accepted],
        [reject for batch in batches for reject in batch.rejects],
    )


def write(path: Path, *traces_: tuple[str, str, list[tuple[str, str]]]) -> None:
    """A log as the published one is written: the unit, then activities with their moments."""
    lines = ['<?xml version="1.0" encoding="UTF-8" ?>', '<log xes.version="1.0">']
    for name, unit, events in traces_:
        lines += ["<trace>", f'<string key="concept:name" value="{name}"/>']
        lines += [f'<string key="Permit OrganizationalEntity" value="organizational unit {unit}"/>']
        for activity, at in events:
            lines += [
                '<event><string key="id" value="st_step 1_0"/>',
                '<string key="org:resource" value="STAFF MEMBER"/>',
                f'<string key="concept:name" value="{activity}"/>',
                f'<date key="time:timestamp" value="{at}:00.000+01:00"/>',
                '<string key="org:role" value="UNDEFINED"/></event>',
            ]
        lines.append("</trace>")
    path.write_text("\n".join([*lines, "</log>"]))


def test_a_permit_sent_back_and_a_claim_paid(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    events = [
        ("Start trip", "2018-01-01T00:00"),
        ("Permit SUBMITTED by EMPLOYEE", "2018-02-01T09:00"),
        ("Permit REJECTED by ADMINISTRATION", "2018-02-02T09:00"),
        ("Permit REJECTED by EMPLOYEE", "2018-02-05T09:00"),
        ("Permit SUBMITTED by EMPLOYEE", "2018-02-06T09:00"),
        ("Permit APPROVED by ADMINISTRATION", "2018-02-07T09:00"),
        ("Permit FINAL_APPROVED by SUPERVISOR", "2018-02-09T09:00"),
        ("End trip", "2018-03-01T00:00"),
        ("Send Reminder", "2018-04-01T09:00"),
        ("Declaration SUBMITTED by EMPLOYEE", "2018-04-10T09:00"),
        ("Declaration FINAL_APPROVED by SUPERVISOR", "2018-04-12T09:00"),
        ("Request Payment", "2018-04-13T09:00"),
        ("Payment Handled", "2018-04-20T09:00"),
    ]
    write(path, ("declaration 1", "65458", events), ("declaration 2", "1", events[:3]))

    accepted, rejects = read(path)

    assert rejects == []
    paid, stuck = accepted
    assert (paid.case.cohort, paid.case.tier) == ("rollout 2018", "unit 65458")
    assert paid.case.business_unit == "organizational unit 65458"
    assert paid.case.outcome is Outcome.PRODUCTION
    start = paid.case.started_at
    assert [
        ((step.at - start) / timedelta(days=1), step.stage, step.holder, step.mode, step.rework)
        for step in paid.steps
    ] == [
        (0, "permit: administration", "enablement", "waiting", False),
        (1, "permit", "builder", "waiting", True),
        (4, "permit", "builder", "working", True),
        (5, "permit: administration", "enablement", "waiting", False),
        (6, "permit: supervisor", "supervisor", "waiting", False),
        (8, "trip and claim", "builder", "working", False),
        (68, "claim: supervisor", "supervisor", "waiting", False),
        (70, "payment", "enablement", "waiting", False),
    ]
    assert (stuck.case.tier, stuck.case.outcome) == ("other departments", Outcome.OPEN)
    assert stuck.case.observed_until == datetime(2019, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "last", ["Declaration REJECTED by EMPLOYEE", "Declaration REJECTED by MISSING"]
)
def test_a_claim_that_was_rejected_and_never_came_again_is_withdrawn(
    last: str, tmp_path: Path
) -> None:
    path = tmp_path / "log.xes"
    events = [
        ("Permit SUBMITTED by EMPLOYEE", "2018-01-01T09:00"),
        ("Declaration SUBMITTED by EMPLOYEE", "2018-02-01T09:00"),
        (last, "2018-02-03T09:00"),
    ]
    write(
        path, ("1", "65454", events), ("2", "65454", [*events, (events[1][0], "2018-03-01T09:00")])
    )

    accepted, _ = read(path)

    assert [case.case.outcome for case in accepted] == [Outcome.WITHDRAWN, Outcome.OPEN]


def test_a_claim_without_a_permit_is_no_whole_case(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    claim = ("Declaration SUBMITTED by EMPLOYEE", "2018-02-01T09:00")
    write(path, ("1", "65454", [("Start trip", "2018-01-09T00:00"), claim]))

    accepted, rejects = read(path)

    assert accepted == []
    assert [(reject.line, reject.reason) for reject in rejects] == [
        (3, "it begins with the claim: its permit is not in the log")
    ]


@pytest.mark.skipif(
    not DECLARATIONS.exists(), reason="the published log is not next to the checkout"
)
def test_the_published_log_gives_the_figures_of_the_docs() -> None:
    accepted, rejects = read(DECLARATIONS)
    snapshot = datetime(2019, 1, 1, tzinfo=UTC)
    compared = [case for case in accepted if case.case.cohort in {"pilot 2017", "rollout 2018"}]
    found = traces.of(compared, snapshot)
    verdict = judge(
        cases_of((traced.case for traced in compared), snapshot),
        intake="rollout 2018",
        baseline="pilot 2017",
    )

    assert (len(accepted), len(rejects)) == (6_001, 448)
    assert sum(len(case.steps) for case in accepted) == 44_446
    assert Counter(case.case.cohort for case in compared) == {
        "pilot 2017": 740,
        "rollout 2018": 3_050,
    }
    builder = found.holder == found.holders.index("builder")
    share = found.length_days[builder].sum() / found.length_days.sum()
    assert share == pytest.approx(0.805, abs=0.001)
    assert verdict.direction is Direction.INCONCLUSIVE
    assert verdict.time.ratio == pytest.approx(0.962, abs=0.001)
