"""Cohorts as people write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.cohort import (
    LONGEST,
    BadCohort,
    Cohort,
    Period,
    cohort_from,
    period_from,
    quarter_of,
)


def day(year: int, month: int, number: int = 1) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "begin", "end"),
    [
        ("2026", day(2026, 1), day(2027, 1)),
        ("2026-H1", day(2026, 1), day(2026, 7)),
        ("2026-H2", day(2026, 7), day(2027, 1)),
        ("2026-Q1", day(2026, 1), day(2026, 4)),
        ("2026-Q4", day(2026, 10), day(2027, 1)),
        ("2026-12", day(2026, 12), day(2027, 1)),
        ("2026-01-15..2026-03-31", day(2026, 1, 15), day(2026, 4, 1)),
        ("2026-02-01..2026-02-01", day(2026, 2, 1), day(2026, 2, 2)),
    ],
)
def test_a_period_has_the_days_that_it_says(written: str, begin: datetime, end: datetime) -> None:
    assert period_from(written) == Period(written, begin, end)


@pytest.mark.parametrize(
    "written",
    ["", "26", "2026-H3", "2026-Q5", "2026-13", "2026-1", "2026-02-30..2026-03-01", "9999",
     "2026-03-02..2026-03-01", "..", "2026-01-01..", "yesterday", "2026-Q1..2026-Q2"],
)  # fmt: skip
def test_what_is_no_period_is_said_so(written: str) -> None:
    with pytest.raises(BadCohort, match="period"):
        period_from(written)


def test_conditions_are_read() -> None:
    written = "intake[started=2026-H1; unit=Claims; tier=high; pathway=standard@2]"
    cohort = cohort_from(written)

    assert cohort == Cohort(
        "intake",
        started=period_from("2026-H1"),
        unit="Claims",
        tier="high",
        pathway="standard",
        pathway_version=2,
    )
    assert str(cohort) == written
    assert cohort_from("intake[evidence!=approved-pattern]").without_evidence == "approved-pattern"
    assert cohort_from(" before the intake ") == Cohort("before the intake")
    assert cohort_from("intake[]") == Cohort("intake")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "write a cohort as"),
        ("[tier=high]", "write a cohort as"),
        ("a]b", "write a cohort as"),
        ("a[b][c]", "write a cohort as"),
        ("x" * (LONGEST + 1), "write a cohort as"),
        ("intake[tier]", "written once, as key=value"),
        ("intake[tier=]", "written once, as key=value"),
        ("intake[tier=low; tier=high]", "written once, as key=value"),
        ("intake[colour=red]", "there is no condition colour"),
        ("intake[asset=template]", "cohorts by adoption are not compared: the report library"),
        ("intake[adopted!=template]", "cohorts by adoption are not compared: the report library"),
        ("intake[started=soon]", "no period"),
    ],
)
def test_what_is_no_cohort_is_said_so(written: str, says: str) -> None:
    with pytest.raises(BadCohort, match=says):
        cohort_from(written)


NAMES = st.text(
    st.characters(categories=["L", "N"], include_characters=" -_."), min_size=1, max_size=20
).filter(lambda name: name.strip() == name)


@given(NAMES, NAMES, NAMES, NAMES, st.none() | st.integers(0, 999))
def test_a_cohort_is_read_back_as_it_is_written(
    name: str, unit: str, pathway: str, evidence: str, version: int | None
) -> None:
    cohort = Cohort(
        name,
        started=period_from("2026-Q2"),
        unit=unit,
        pathway=pathway,
        pathway_version=version,
        evidence=evidence,
    )
    assert cohort_from(str(cohort)) == cohort


@given(st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_moment_lies_in_its_quarter(moment: datetime) -> None:
    quarter = quarter_of(moment)

    assert quarter.begin <= moment < quarter.end
    assert quarter_of(quarter.end).begin == quarter.end
