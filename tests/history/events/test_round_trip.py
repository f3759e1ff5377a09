"""What Headway writes, it reads back: the very same cases, whatever they are."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.case import Outcome
from service.domain.trace import TracedCase
from service.history.events import write_csv, write_xes
from tests.history.events.logs import event, names, read, trace, traced_cases, xes
from tests.kit.examples import examples

Writer = Callable[[Iterable[TracedCase], BinaryIO], None]
WRITERS = pytest.mark.parametrize("write", [write_xes, write_csv])

several = st.lists(names, min_size=1, max_size=4, unique=True).flatmap(
    lambda ids: st.tuples(*map(traced_cases, ids))
)


@WRITERS
@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(cases=several)
def test_cases_come_back_as_they_were(
    write: Writer, cases: tuple[TracedCase, ...], tmp_path: Path
) -> None:
    path = tmp_path / "log"
    with path.open("wb") as out:
        write(cases, out)

    accepted, rejects = read(path)

    assert rejects == []
    assert tuple(accepted) == cases


def test_what_table_tools_write_for_nothing_is_nothing(tmp_path: Path) -> None:
    """pandas and pm4py write "nan" and "NaT" where an attribute was not given."""
    path = tmp_path / "log.xes"
    nothing = '<float key="headway:outcome" value="nan"/>'
    own = "".join(f'<string key="headway:{key}" value="x"/>' for key in ("cohort", "tier"))
    never = '<string key="headway:observed_until" value="NaT"/>'
    path.write_text(xes(trace("1", event(0, "build", "start", more=nothing), extra=own + never)))

    accepted, rejects = read(path)

    assert rejects == []
    assert accepted[0].case.outcome is Outcome.OPEN
    assert accepted[0].case.observed_until is None
