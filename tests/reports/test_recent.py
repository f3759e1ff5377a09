"""Reports at hand: the same for a page and its pictures, and never for long."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from service.domain.moment import zone_of
from service.errors import BadInput
from service.facts.as_of import Moment
from service.reports.question import Question
from service.reports.registry import Name
from web.reports.recent import KEPT_FOR, MOST_KEPT, RecentReports

NOW = datetime(2026, 11, 1, tzinfo=UTC)
QUESTION = Question()
Made = dict[str, int]


async def test_a_report_is_read_once_by_all_who_ask_within_a_moment() -> None:
    recent, read = RecentReports(), 0

    async def make() -> Made:
        nonlocal read
        read += 1
        await asyncio.sleep(0)
        return {"read": read}

    async def at(now: datetime, *, asked: bool = False, question: Question = QUESTION) -> Made:
        return await recent.read(Name.CLOCK, question, Moment(now, asked=asked), now, make)

    assert await asyncio.gather(*(at(NOW) for _ in range(3))) == [{"read": 1}] * 3
    assert await at(NOW + KEPT_FOR / 2) == {"read": 1}
    assert await at(NOW + KEPT_FOR) == {"read": 2}
    assert await at(NOW, question=Question(tier="low")) == {"read": 3}
    second = timedelta(seconds=1)
    assert await at(NOW - second, asked=True) == {"read": 4}
    assert await at(NOW + second, asked=True) == {"read": 5}
    for number in range(MOST_KEPT):
        await at(NOW, question=Question(unit=str(number)))
    assert await at(NOW + second, asked=True) == {"read": 6 + MOST_KEPT}


async def test_the_present_is_also_found_under_its_moment() -> None:
    """A page names its moment in the addresses of its pictures: they are of the same reading."""
    recent, read = RecentReports(), 0

    async def make() -> Made:
        nonlocal read
        read += 1
        return {"read": read}

    async def at(now: datetime, moment: Moment) -> Made:
        return await recent.read(Name.CLOCK, QUESTION, moment, now, make)

    later = NOW + KEPT_FOR / 2
    present = await at(NOW, Moment(NOW, asked=False))
    assert await at(later, Moment(NOW, asked=True)) is present
    assert await at(later, Moment(later, asked=False)) is present
    assert await at(later, Moment(NOW, asked=True, zone=zone_of("+01:00"))) == {"read": 2}


async def test_what_has_happened_since_is_seen_at_once() -> None:
    """A report counts as the present while nothing is written; a page keeps its pictures."""
    recent, read = RecentReports(), 0

    async def make() -> Made:
        nonlocal read
        read += 1
        return {"read": read}

    async def at(mark: tuple[int, int], *, asked: bool = False) -> Made:
        moment = Moment(NOW, asked=asked)
        return await recent.read(Name.FLOW, QUESTION, moment, NOW, make, mark=mark)

    assert await at((7, 3)) == await at((7, 3)) == {"read": 1}
    assert await at((8, 4), asked=True) == {"read": 1}
    assert await at((8, 4)) == await at((8, 4)) == {"read": 2}


async def test_what_was_read_together_is_at_hand_for_each() -> None:
    recent, moment = RecentReports(), Moment(NOW, asked=False)
    recent.keep(Name.HELP, QUESTION, moment, NOW, {"kept": True})

    async def make() -> Made:
        return {"kept": False}

    for one in (moment, Moment(NOW, asked=True)):
        assert await recent.read(Name.HELP, QUESTION, one, NOW, make) == {"kept": True}
    late = NOW + KEPT_FOR
    assert await recent.read(Name.HELP, QUESTION, moment, late, make) == {"kept": False}


async def test_what_could_not_be_read_is_tried_again() -> None:
    recent = RecentReports()
    moment = Moment(NOW, asked=False)

    async def fails() -> Made:
        raise BadInput("cohort", "there is none")

    async def works() -> Made:
        return {}

    with pytest.raises(BadInput):
        await recent.read(Name.CLOCK, QUESTION, moment, NOW, fails)
    assert await recent.read(Name.CLOCK, QUESTION, moment, NOW, works) == {}


async def test_who_goes_away_takes_nothing_from_the_others() -> None:
    recent, begun, go_on = RecentReports(), asyncio.Event(), asyncio.Event()
    moment = Moment(NOW, asked=False)

    async def make() -> Made:
        begun.set()
        await go_on.wait()
        return {"whole": True}

    first = asyncio.create_task(recent.read(Name.FLOW, QUESTION, moment, NOW, make))
    await begun.wait()
    second = asyncio.create_task(recent.read(Name.FLOW, QUESTION, moment, NOW, make))
    first.cancel()
    go_on.set()
    assert await second == {"whole": True}
