"""Which cohorts are compared, and as of when."""

from datetime import UTC, datetime

import numpy as np
import pytest

from service.history.csv import HistoryError, choose_as_of, choose_baseline
from service.history.csv.packing import hashed_texts
from service.history.csv.used_ids import SeenIds

ONE, TWO, THREE = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3))


def test_the_only_other_cohort_is_the_baseline() -> None:
    assert choose_baseline(("before", "intake"), "intake", None) == "before"
    assert choose_baseline(("a", "b", "intake"), "intake", "b") == "b"


@pytest.mark.parametrize(
    ("cohorts", "baseline", "message"),
    [
        (("a", "b", "intake"), None, "there are several cohorts .* a, b, intake"),
        (("intake",), None, "there is no other cohort to compare 'intake' with"),
        (("a", "b"), None, "there is no cohort 'intake'; the cohorts are: a, b"),
        (("a", "intake"), "c", "there is no cohort 'c'; the cohorts are: a, intake"),
        (("a", "intake"), "intake", "'intake' cannot be compared with itself"),
        ((), None, "there is no usable case"),
    ],
)
def test_an_unclear_choice_lists_the_cohorts(
    cohorts: tuple[str, ...], baseline: str | None, message: str
) -> None:
    with pytest.raises(HistoryError, match=message):
        choose_baseline(cohorts, "intake", baseline)


def test_as_of_is_what_was_asked_for_or_the_snapshot_or_the_newest_moment() -> None:
    assert choose_as_of(TWO, ONE, THREE, THREE) == (ONE, None)
    assert choose_as_of(TWO, None, THREE, THREE) == (TWO, None)
    moment, note = choose_as_of(None, None, TWO, THREE)
    assert moment == TWO
    assert note is not None
    assert "--as-of" in note


def test_nothing_is_known_after_the_snapshot_or_in_the_future() -> None:
    with pytest.raises(HistoryError, match="the file describes the state of 2024-02-01"):
        choose_as_of(TWO, THREE, None, THREE)
    with pytest.raises(HistoryError, match="in the future"):
        choose_as_of(None, THREE, None, TWO)
    with pytest.raises(HistoryError, match="no usable case"):
        choose_as_of(None, None, None, TWO)


def test_seen_ids_agree_with_a_dictionary() -> None:
    seen, first = SeenIds(), dict[str, int]()
    ids = [str(i * i % 997) for i in range(5000)]
    for start in range(0, len(ids), 70):
        batch = ids[start : start + 70]
        lines = range(start + 2, start + 2 + len(batch))
        expected = {}
        for place, (case_id, line) in enumerate(zip(batch, lines, strict=True)):
            if case_id in first:
                expected[place] = first[case_id]
            else:
                first[case_id] = line
        assert seen.add(hashed_texts(batch), np.array(lines)) == expected
