"""Reports at hand: the same for a page and its pictures, and never for long."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from service.errors import BadInput
from service.known import Moment
from service.reports.catalogue import Found, Name, Question
from web.shelf import KEPT_FOR, MOST_KEPT, Shelf

NOW = datetime(2026, 11, 1, tzinfo=UTC)
QUESTION = Question()


async def test_a_report_is_read_once_by_all_who_ask_within_a_moment() -> None:
    shelf, read = Shelf(), 0

    async def make() -> Found:
        nonlocal read
        read += 1
        await asyncio.sleep(0)
        return {"read": read}

    async def at(now: datetime, *, asked: bool = False, question: Question = QUESTION) -> Found:
        return await shelf.read(Name.CLOCK, question, Moment(now, asked=asked), now, make)

    assert await asyncio.gather(*(at(NOW) for _ in range(3))) == [{"read": 1}] * 3
    assert await at(NOW + KEPT_FOR / 2) == {"read": 1}
    assert await at(NOW + KEPT_FOR) == {"read": 2}
    assert await at(NOW, question=Question(tier="low")) == {"read": 3}
    assert await at(NOW, asked=True) == {"read": 4}
    assert await at(NOW + timedelta(seconds=1), asked=True) == {"read": 5}
    for number in range(MOST_KEPT):
        await at(NOW, question=Question(unit=str(number)))
    assert await at(NOW, asked=True) == {"read": 6 + MOST_KEPT}


async def test_what_is_older_than_what_it_goes_with_is_read_again() -> None:
    shelf, read = Shelf(), 0

    async def make() -> Found:
        nonlocal read
        read += 1
        return {"read": read}

    async def at(now: datetime, since: datetime) -> Found:
        return await shelf.read(
            Name.CLOCK, QUESTION, Moment(now, asked=False), now, make, since=since
        )

    second = timedelta(seconds=1)
    assert await at(NOW, NOW) == {"read": 1}
    assert await at(NOW + second, NOW) == {"read": 1}
    assert await at(NOW + second, NOW + second) == {"read": 2}


async def test_what_could_not_be_read_is_tried_again() -> None:
    shelf = Shelf()
    moment = Moment(NOW, asked=False)

    async def fails() -> Found:
        raise BadInput("cohort", "there is none")

    async def works() -> Found:
        return {}

    with pytest.raises(BadInput):
        await shelf.read(Name.CLOCK, QUESTION, moment, NOW, fails)
    assert await shelf.read(Name.CLOCK, QUESTION, moment, NOW, works) == {}


async def test_who_goes_away_takes_nothing_from_the_others() -> None:
    shelf, begun, go_on = Shelf(), asyncio.Event(), asyncio.Event()
    moment = Moment(NOW, asked=False)

    async def make() -> Found:
        begun.set()
        await go_on.wait()
        return {"whole": True}

    first = asyncio.create_task(shelf.read(Name.FLOW, QUESTION, moment, NOW, make))
    await begun.wait()
    second = asyncio.create_task(shelf.read(Name.FLOW, QUESTION, moment, NOW, make))
    first.cancel()
    go_on.set()
    assert await second == {"whole": True}
