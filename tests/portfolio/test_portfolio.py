"""The portfolio: totals add up, gaps are named, orders are total, pages neither repeat nor skip."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from service.errors import BadInput
from service.measure.reaching import ANYWHERE, Chances
from service.portfolio.portfolio import NOBODY_KNOWS, Gap, Portfolio, Sort, Wanted, portfolio_of
from service.value.evidence import State
from service.value.grades import Grade
from service.value.haircut import OUTSIDE_RATE
from service.value.held import Held, Kind, Promise, one_currency, still_promised
from service.value.terms import Benefit
from tests.value.promised import AT, Promised, every
from tests.value.test_held import RATES

CHANCES = Chances({ANYWHERE: 0.5, (None, "evaluate"): 0.6, ("high", "evaluate"): 0.7})


def found(
    rows: Sequence[Promised], wanted: Wanted | None = None, inactive: Sequence[str] = ()
) -> Portfolio:
    columns = every(rows)
    money = one_currency(columns, RATES)
    counts = still_promised(columns) & ~np.isnan(money.factor)
    held = Held(columns, Promise.FIRST, money, counts)
    stages = [row.stage for row in rows if row.due is None and not row.outcome]
    return portfolio_of(held, wanted or Wanted(), CHANCES, stages, inactive)


SOME = [
    Promised(yearly=100),  # open
    Promised(due=50, yearly=200, tier="high"),  # unproven
    Promised(due=80, measured=60, delivered=30, error=3, yearly=400, unit="HR", grade=Grade.B),
    Promised(due=80, yearly=400, currency="USD", unit="HR", sponsor="Zoe"),
    Promised(due=9, yearly=4, currency="XAU"),
    Promised(outcome="withdrawn"),
]


def test_a_total_is_the_sum_of_its_parts_in_one_currency() -> None:
    one = found(SOME)
    whole = one.total()
    assert whole.cases == 4
    assert whole.promised == pytest.approx(100 + 200 + 400 + 0.8 * 400)
    parts = whole.not_due_a_year + whole.unproven_a_year + whole.measured_a_year
    assert whole.promised == pytest.approx(parts)
    assert whole.realised.due == pytest.approx(50 + 80 + 0.8 * 80)
    assert whole.realised.rate == pytest.approx(0.5)
    for kind in Kind:
        groups = one.totals(kind)
        assert sum(some.cases for some in groups) == whole.cases
        assert sum(some.promised for some in groups) == pytest.approx(whole.promised)
        assert sum(some.realised.due for some in groups) == pytest.approx(whole.realised.due)
    assert one.notes == ("Left out, as there is no rate of their currency into EUR: XAU (1).",)


def test_what_is_expected_is_the_promise_after_the_haircut_and_the_chance() -> None:
    ended = [Promised(due=10), Promised(outcome="declined")]
    stages = [("low", "evaluate"), ("high", "evaluate"), ("high", "build")]
    one = found([*ended, *(Promised(tier=tier, stage=stage) for tier, stage in stages)])
    assert one.chance.tolist() == [1.0, 0.0, 0.6, 0.7, 0.5]
    assert one.expected[2] == pytest.approx(1000 * 0.6 * OUTSIDE_RATE)
    line = one.line(2)
    assert [line.haircut, line.chance] == pytest.approx([OUTSIDE_RATE, 0.6])


def test_as_long_as_nothing_has_got_there_everything_is_taken_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.portfolio.test_portfolio.CHANCES", Chances({}))
    assert found([Promised()]).chance.tolist() == [1.0]
    assert found([Promised()]).notes == (NOBODY_KNOWS,)


def test_a_gap_is_named_for_what_still_matters() -> None:
    one = found(
        [
            Promised(owners=("gone",)),
            Promised(owners=("gone", "here"), observed=False),
            Promised(due=10, planned=False),
            Promised(due=10, measured=5, delivered=5),
            Promised(due=10, measured=5, delivered=5, newest=AT.date() - timedelta(days=400)),
            Promised(outcome="declined", owners=("gone",), observed=False, planned=False),
        ],
        inactive=["gone"],
    )
    assert [one.line(place).gaps for place in range(6)] == [
        (Gap.NO_OWNER,),
        (Gap.NO_BASELINE,),
        (Gap.OVERDUE, Gap.NO_PLAN),
        (),
        (Gap.OVERDUE,),
        (),
    ]
    assert [one.count(gap) for gap in Gap] == [1, 1, 2, 1, 0]


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        (Wanted(), [1, 2, 3, 4, 5]),
        (Wanted(unit="HR"), [3, 4]),
        (Wanted(sponsor="Zoe"), [4]),
        (Wanted(tier="high"), [2]),
        (Wanted(state=State.UNPROVEN), [2, 4, 5]),
        (Wanted(benefit=Benefit.RISK), []),
        (Wanted(unit="None such"), []),
        (Wanted(owner="owner", unit="HR", sponsor="Zoe"), [4]),
        (Wanted(owner="somebody"), []),
        (Wanted(gap=Gap.OVERDUE), [2, 4, 5]),
    ],
)
def test_what_is_asked_for_is_what_is_in_it(wanted: Wanted, keys: list[int]) -> None:
    one = found(SOME, wanted)
    lines, more = one.page(Sort.NEWEST)
    assert sorted(int(line.key[3:]) for line in lines) == keys
    assert more is None


@pytest.mark.parametrize("sort", Sort)
def test_pages_neither_repeat_nor_skip(sort: Sort) -> None:
    one = found(SOME)
    whole, _ = one.page(sort)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        lines, after = one.page(sort, limit=2, after=after)
        seen += [line.key for line in lines]
    assert seen == [line.key for line in whole]
    with pytest.raises(BadInput, match="cursor"):
        one.page(sort, after="UC-6")


def test_a_line_says_what_is_known_and_no_more() -> None:
    one = found(SOME)
    open_, measured = one.line(0), one.line(2)
    assert (open_.state, open_.delivered, open_.grade, open_.newest) == (
        State.NOT_DUE,
        None,
        None,
        None,
    )
    assert (measured.delivered, measured.measured, measured.grade) == (30, 60, Grade.B)
    assert measured.low == pytest.approx(30 - 1.96 * 3)
    assert measured.age_days == 10


def test_an_empty_portfolio_has_totals_too() -> None:
    one = found([])
    assert (one.total().cases, one.totals(Kind.UNIT), one.page(Sort.DUE)) == (0, (), ([], None))
