"""The report of value: from the database, by group, against either promise, at any moment."""

import pytest

from service.database import Sessions
from service.errors import BadInput
from service.facts.as_of import Moment
from service.reports.question import Grouping, Question, question_from
from service.reports.registry import Name, report
from service.reports.spreadsheet import as_csv
from service.reports.value import ValueReport
from service.value.held import Promise
from tests.kit.desk import DAY, START, open_desk
from tests.value.test_every_use_case import lively


async def found(sessions: Sessions, days: float, question: Question | None = None) -> ValueReport:
    async with sessions() as session:
        moment = Moment(START + days * DAY, asked=True)
        read = await report(session, Name.VALUE, moment, question or Question())
    assert isinstance(read, ValueReport)
    return read


async def test_it_says_what_was_delivered_of_what_was_due(sessions: Sessions) -> None:
    await lively(open_desk(sessions))
    nothing = await found(sessions, -1)
    assert (nothing.cases, nothing.sentence) == (0, "Nothing is due yet.")
    early = await found(sessions, 100)
    assert (early.measured, early.unproven) == (0, 4)
    assert early.rate is None
    late = await found(sessions, 300)
    assert (late.cases, late.not_due, late.measured, late.unproven) == (5, 1, 2, 2)
    assert late.currency == "EUR"
    assert late.rate is not None
    assert late.rate == pytest.approx(late.delivered / late.due_measured, abs=1e-4)
    assert late.worst is not None
    assert late.best is not None
    assert late.worst < late.rate < late.best
    assert [one.group for one in late.groups] == ["Procurement"]
    assert await found(sessions, 100) == early, "what was known does not change"
    newest = await found(sessions, 300, Question(against=Promise.LATEST))
    assert newest.due < late.due
    assert newest.delivered == late.delivered


async def test_it_goes_by_tier_kind_and_sponsor_and_into_parts(sessions: Sessions) -> None:
    await lively(open_desk(sessions))
    by = {
        grouping: {
            one.group: (one.cases, one.measured)
            for one in (await found(sessions, 300, Question(by=grouping))).groups
        }
        for grouping in (Grouping.TIER, Grouping.BENEFIT, Grouping.SPONSOR)
    }
    assert by == {
        Grouping.TIER: {"low": (4, 2), "medium": (1, 0)},
        Grouping.BENEFIT: {"revenue": (1, 1), "not stated": (4, 1)},
        Grouping.SPONSOR: {"Chief procurement officer": (5, 2)},
    }
    assert (await found(sessions, 300, Question(tier="low"))).cases == 4
    assert (await found(sessions, 300, Question(unit="Procurement"))).cases == 5
    table = as_csv(Name.VALUE.of.rows(await found(sessions, 300)))
    assert table.startswith("group,cases,cases_measured,own_rate,rate,rate_low,rate_high,shrunk")


def test_an_unknown_promise_is_refused() -> None:
    with pytest.raises(BadInput, match="first, latest"):
        question_from(
            cohort="intake", baseline="", tau_days=None, tier="", unit="", by="nothing", against="x"
        )
