"""What holds for every log: parts add up, nothing is lost, the order of rows does not matter."""

import csv
import io
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from xml.sax.saxutils import quoteattr

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.case import Outcome
from service.measure import traces
from tests.history.events.logs import HEADER, MAP, NOW, START, read
from tests.kit.examples import examples

Row = tuple[str, str, str, str, str]  # case, activity, transition, group, moment

WORDS = [
    *("schedule", "assign", "start", "suspend", "resume", "complete"),
    *("START", "withdraw", "", "nonsense"),
]


def moment(minutes: int) -> str:
    return (START + timedelta(minutes=minutes)).isoformat()


rows = st.tuples(
    st.sampled_from(["A", "B", "C"]),
    st.sampled_from(["triage", "build", "risk", "live", "note"]),
    st.sampled_from(WORDS[:8]) | st.sampled_from(WORDS),
    st.sampled_from(["enablement", "builder", "risk"]) | st.sampled_from(["risk", ""]),
    st.integers(0, 300).map(moment) | st.sampled_from([moment(0), "", "soon", "2099-01-01"]),
)
logs = st.lists(rows, max_size=25)


def write_csv(path: Path, log: list[Row]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(log)
    path.write_text(f"{HEADER}\n{text.getvalue()}", "utf-8")


def write_xes(path: Path, log: list[Row]) -> None:
    lines = ["<log>"]
    for case_id in sorted({row[0] for row in log}):
        lines.append(f'<trace><string key="concept:name" value="{case_id}"/>')
        for _, *cells in (row for row in log if row[0] == case_id):
            keys = ("concept:name", "lifecycle:transition", "org:group", "time:timestamp")
            lines.append("<event>")
            lines += [
                f'<string key="{key}" value={quoteattr(cell)}/>'
                for key, cell in zip(keys, cells, strict=True)
            ]
            lines.append("</event>")
        lines.append("</trace>")
    path.write_text("\n".join([*lines, "</log>"]), "utf-8")


@settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(log=logs)
def test_every_case_is_read_once_and_its_spans_add_up_to_its_time(
    log: list[Row], tmp_path: Path
) -> None:
    path = tmp_path / "log.csv"
    write_csv(path, log)

    accepted, rejects = read(path, MAP)

    there = {row[0] for row in log}
    assert sorted([c.case.case_id for c in accepted] + [r.case_id for r in rejects]) == sorted(
        there
    )
    for traced in accepted:
        case, steps = traced.case, traced.steps
        end = case.ended_at or NOW
        bounds = [step.at for step in steps] + [end]
        lengths = [after - before for before, after in pairwise(bounds)]
        assert min(lengths) >= timedelta(0)
        assert sum(lengths, timedelta(0)) == end - case.started_at
        mine = [
            datetime.fromisoformat(at)
            for of, name, _, _, at in log
            if of == case.case_id and name != "note"
        ]
        assert case.started_at == min(mine)
        assert {step.at for step in steps} <= set(mine)
        if case.outcome is Outcome.OPEN:
            assert not [row for row in log if row[0] == case.case_id and is_end(row)]
    if accepted:
        columns = traces.of(accepted, NOW)
        assert abs(columns.length_days.sum() - columns.cases.duration_days.sum()) < 1e-6


def is_end(row: Row) -> bool:
    return row[1] == "live" and row[2] in {"complete", "withdraw", ""}


@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(log=logs, turns=st.randoms(use_true_random=False))
def test_xes_and_csv_in_any_order_of_cases_tell_the_same(
    log: list[Row], turns: Random, tmp_path: Path
) -> None:
    as_xes, as_csv, mixed = tmp_path / "log.xes", tmp_path / "log.csv", tmp_path / "mixed.csv"
    grouped = sorted(log, key=lambda row: row[0])
    queues = {case_id: [row for row in log if row[0] == case_id] for case_id in "ABC"}
    order = [row[0] for row in log]
    turns.shuffle(order)  # the cases take turns; each keeps its own order
    write_xes(as_xes, log)
    write_csv(as_csv, grouped)
    write_csv(mixed, [queues[case_id].pop(0) for case_id in order])

    (cases, rejects), *others = (read(path, MAP) for path in (as_xes, as_csv, mixed))

    for other_cases, other_rejects in others:
        assert sorted(other_cases, key=lambda traced: traced.case.case_id) == cases
        assert sorted(reject.case_id for reject in other_rejects) == [
            reject.case_id for reject in rejects
        ]
