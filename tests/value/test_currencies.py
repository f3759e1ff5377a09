"""Currency rates: dated, corrected by later ones, never changed; read by reports as known then."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.domain.people import Person, Role
from service.errors import BadInput
from service.value.currencies import (
    FIRST_DAY,
    LARGEST,
    MOST_RATES,
    Rate,
    Rates,
    list_rates,
    rates,
    read_rates,
    record_rates,
    remove_rates,
)
from tests.kit.desk import DAY, START, Desk

TODAY = START.date()
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def of(days: dict[date, float], reporting: str = "EUR") -> Rates:
    columns = (
        np.array([(day - FIRST_DAY).days for day in days], dtype=np.int64),
        np.array(list(days.values())),
    )
    return Rates(reporting, {"USD": columns})


async def write(
    desk: Desk, by: Person, *found: Rate, source: str = "ledger", days: float = 0
) -> int:
    async with desk.sessions.begin() as session:
        at = START + days * DAY
        return await record_rates(session, found, source=source, by=by.id, at=at)


def test_the_newest_rate_on_or_before_the_day_counts() -> None:
    known = of({JANUARY: 0.9, FEBRUARY: 0.8})
    assert known.convert(100.0, "USD", JANUARY) == pytest.approx(90.0)
    assert known.convert(100.0, "USD", FEBRUARY - timedelta(days=1)) == pytest.approx(90.0)
    assert known.convert(100.0, "USD", FEBRUARY) == pytest.approx(80.0)
    assert known.convert(100.0, "USD", JANUARY - timedelta(days=1)) is None
    assert known.convert(100.0, "CHF", FEBRUARY) is None
    assert known.convert(100.0, "EUR", date(1980, 1, 1)) == 100.0


@given(
    st.dictionaries(st.integers(0, 40), st.floats(0.01, 100.0), max_size=6),
    st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.integers(-5, 50)), min_size=1, max_size=20),
)
def test_in_columns_it_is_the_same_as_one_by_one(
    days: dict[int, float], asked: list[tuple[int, int]]
) -> None:
    known = of({FIRST_DAY + timedelta(days=day): days[day] for day in sorted(days)})
    names = ("EUR", "USD", "CHF")
    factors = known.factors(
        names,
        np.array([name for name, _ in asked], dtype=np.int64),
        np.array([day for _, day in asked], dtype=np.int64),
    )
    for (name, day), factor in zip(asked, factors.tolist(), strict=True):
        on = date.fromordinal(FIRST_DAY.toordinal() + day)
        one = known.convert(1.0, names[name], on)
        assert (factor == one) if one is not None else np.isnan(factor)


async def test_a_correction_counts_from_its_moment_and_nothing_is_lost(desk: Desk) -> None:
    ada = await desk.person(Role.ADMIN)
    assert await write(desk, ada, Rate("USD", JANUARY, 0.9), Rate("CHF", JANUARY, 1.05)) == 2
    again = (Rate("USD", JANUARY, 0.85), Rate("CHF", JANUARY, 1.05), Rate("USD", FEBRUARY, 0.8))
    assert await write(desk, ada, *again, source="treasury", days=2) == 2

    async with desk.sessions() as session:
        before, since = await rates(session, START + DAY), await rates(session, START + 3 * DAY)
        none = await rates(session, START - DAY)
        listed = await list_rates(session, START + 3 * DAY, currency="USD")
    assert before.convert(1.0, "USD", FEBRUARY) == 0.9
    assert since.convert(1.0, "USD", JANUARY) == 0.85
    assert since.convert(1.0, "USD", FEBRUARY) == 0.8
    assert since.convert(1.0, "CHF", FEBRUARY) == 1.05
    assert (none.reporting, none.known) == ("EUR", {})
    assert [(one.rate.day, one.rate.rate, one.corrected) for one in listed] == [
        (FEBRUARY, 0.8, False),
        (JANUARY, 0.85, False),
        (JANUARY, 0.9, True),
    ]
    assert (listed[0].source, listed[0].by_name) == ("treasury", ada.name)


async def test_rates_belong_to_the_reporting_currency_of_their_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await desk.person(Role.ADMIN)
    await write(desk, ada, Rate("USD", JANUARY, 0.9))
    monkeypatch.setenv("HEADWAY_REPORTING_CURRENCY", "CHF")
    await write(desk, ada, Rate("EUR", JANUARY, 0.95), days=1)
    async with desk.sessions() as session:
        known = await rates(session, START + DAY)
    assert (known.reporting, set(known.known)) == ("CHF", {"EUR"})


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (Rate("USD", JANUARY, 0.0), "no rate"),
        (Rate("USD", JANUARY, -0.9), "no rate"),
        (Rate("USD", JANUARY, LARGEST * 2), "no rate"),
        (Rate("USD", JANUARY, float("nan")), "no rate"),
        (Rate("usd", JANUARY, 0.9), "three capital letters"),
        (Rate("EUR", JANUARY, 1.0), "reporting currency"),
        (Rate("USD", TODAY + timedelta(days=1), 0.9), "still to come"),
        (Rate("USD", date(1969, 12, 31), 0.9), "begin on 1970-01-01"),
        (Rate("CHF", JANUARY, 0.9), "comes twice"),
    ],
)
async def test_what_cannot_be_a_rate_is_refused_with_all_that_came_with_it(
    desk: Desk, wrong: Rate, why: str
) -> None:
    ada = await desk.person(Role.ADMIN)
    with pytest.raises(BadInput, match=why):
        await write(desk, ada, Rate("CHF", JANUARY, 1.05), wrong)
    async with desk.sessions() as session:
        assert (await rates(session, START)).known == {}


async def test_bounds(desk: Desk) -> None:
    ada = await desk.person(Role.ADMIN)
    many = [Rate("USD", TODAY - timedelta(days=day), 0.9) for day in range(MOST_RATES + 1)]
    with pytest.raises(BadInput, match="more than"):
        await write(desk, ada, *many)
    with pytest.raises(BadInput, match="no rate"):
        await write(desk, ada)
    with pytest.raises(BadInput, match="where the rates come from"):
        await write(desk, ada, many[0], source=" ")
    assert await write(desk, ada, *many[:MOST_RATES]) == MOST_RATES


async def test_the_database_keeps_them_and_only_those_of_samples_go(desk: Desk) -> None:
    ada, sam = await desk.person(Role.ADMIN), await desk.person(Role.ADMIN)
    await write(desk, ada, Rate("USD", JANUARY, 0.9))
    await write(desk, sam, Rate("USD", FEBRUARY, 0.8))
    for statement in (
        "UPDATE currency_rate SET rate = 1",
        "DELETE FROM currency_rate",
        "TRUNCATE currency_rate",
    ):
        with pytest.raises(DBAPIError, match="a currency rate is never changed or deleted"):
            async with desk.sessions.begin() as session:
                await session.execute(text(statement))
    async with desk.sessions.begin() as session:
        await session.execute(
            text("UPDATE person SET sample = true WHERE id = :id"), {"id": sam.id}
        )
        await remove_rates(session, [sam.id])
        left = await list_rates(session, START)
    assert [one.rate.day for one in left] == [JANUARY]


def test_csv_is_read_and_what_cannot_be_read_is_named_with_its_line() -> None:
    assert read_rates("\ufeffCurrency, day ,rate\nUSD,2026-01-01,0.9\n\nCHF,2026-01-01,1.05\n") == (
        Rate("USD", JANUARY, 0.9),
        Rate("CHF", JANUARY, 1.05),
    )
    for written, why in {
        "": "line 1",
        "currency,rate\nUSD,1\n": "the columns are",
        "currency,day,rate\nUSD,2026-01-01\n": "line 2: 2 cells",
        "currency,day,rate\nUSD,2026-01-01,0.9\nUSD,1/2/2026,0.9\n": "line 3",
        "currency,day,rate\nUSD,2026-01-01,zero\n": "line 2",
    }.items():
        with pytest.raises(BadInput, match=why):
            read_rates(written)
