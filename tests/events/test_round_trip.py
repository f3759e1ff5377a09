"""What Headway writes, it reads back: the very same cases, whatever they are."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.trace import TracedCase
from service.events import write_csv, write_xes
from tests.events.logs import names, read, traced_cases

Writer = Callable[[Iterable[TracedCase], BinaryIO], None]
WRITERS = pytest.mark.parametrize("write", [write_xes, write_csv])

several = st.lists(names, min_size=1, max_size=4, unique=True).flatmap(
    lambda ids: st.tuples(*map(traced_cases, ids))
)


@WRITERS
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
