"""The counts at each event against counting them one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from service.library.risk_sets import Ages, Moments, RiskSets

# Few different whole days, so that ends, adoptions and entries fall together.
DAYS = st.integers(0, 8)
CASES = st.lists(
    st.tuples(
        st.integers(0, 2),  # the stratum
        DAYS,  # the age at the end
        st.booleans(),  # whether that is the event
        st.none() | st.integers(0, 8),  # the age at adopting
        st.none() | st.integers(0, 7),  # the age at becoming known
    ).filter(lambda case: (case[3] or 0) <= case[1] and (case[4] is None or case[4] < case[1])),
    min_size=1,
    max_size=25,
)
Case = tuple[int, int, bool, int | None, int | None]


def counted(cases: list[Case], *, naive: bool) -> set[tuple[float, ...]]:
    """Stratum, age, and how many at risk and with the event, of them with the asset."""
    found: set[tuple[float, ...]] = set()
    for stratum, moment in {(case[0], case[1]) for case in cases if case[2]}:
        there = [
            case
            for case in cases
            if case[0] == stratum
            and case[1] >= moment
            and (-1 if case[4] is None else case[4]) < moment
        ]
        having = [case for case in there if with_it(case, moment, naive=naive)]
        ends = [case for case in there if case[2] and case[1] == moment]
        both = [case for case in having if case[2] and case[1] == moment]
        found.add((len(there), len(having), len(ends), len(both)))
    return found


def with_it(case: Case, moment: int, *, naive: bool) -> bool:
    if case[3] is None:
        return False
    own_end = case[3] == case[1] == moment
    return naive or case[3] < moment or own_end


def rows(moments: Moments) -> set[tuple[float, ...]]:
    columns = (moments.at_risk, moments.at_risk_with, moments.events, moments.events_with)
    return set(zip(*(column.tolist() for column in columns), strict=True))


@settings(max_examples=200, deadline=None)
@given(CASES, st.booleans(), st.booleans())
def test_counts_are_those_of_counting_one_by_one(
    cases: list[Case], late: bool, naive: bool
) -> None:
    if not late:
        cases = [(*case[:4], None) for case in cases]
    ages = Ages(
        np.array([float(case[1]) for case in cases]),
        np.array([-1.0 if case[4] is None else float(case[4]) for case in cases]) if late else None,
    )
    sets = RiskSets(
        np.array([case[0] for case in cases]), ages, np.array([case[2] for case in cases])
    )
    adopters = np.array([i for i, case in enumerate(cases) if case[3] is not None], dtype=np.int64)
    adopted = np.array([float(case[3]) for case in cases if case[3] is not None])
    found = sets.with_asset(adopters, None if naive else ages.since(adopters, adopted))

    assert rows(found) == counted(cases, naive=naive)
    compared = found.compared
    assert rows(compared) == {row for row in rows(found) if 0 < row[1] < row[0]}
