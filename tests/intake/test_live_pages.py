"""Pages that change by themselves: streams of events, bounded, and gone with the server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import routing

from service.domain.people import Role
from service.people.directory import change_person
from tests.kit.apps import app_over
from tests.kit.browsing import Guest, guest
from tests.kit.house import House
from tests.kit.serving import served
from web.intake import use_case
from web.intake.live import MOST_WATCHERS_EACH, Watch
from web.kit.context import Pages

PATIENCE = 20.0


@asynccontextmanager
async def stream(
    somebody: Guest, address: str, key: str, *, after: int = 0
) -> AsyncIterator[httpx.Response]:
    """The events of one use case, over a real connection."""
    cookies = {"headway": somebody.http.cookies["headway"]}
    async with (
        httpx.AsyncClient(timeout=PATIENCE, cookies=cookies) as http,
        http.stream(
            "GET",
            f"{address}/use-cases/{key}/events",
            params={"after": after} if after else None,
            headers={"Accept": "text/event-stream"},
        ) as answer,
    ):
        yield answer


async def next_event(lines: AsyncIterator[str]) -> dict[str, str]:
    """The next event that carries something."""
    event: dict[str, str] = {}
    async with asyncio.timeout(PATIENCE):
        async for line in lines:
            name, _, value = line.partition(": ")
            if line and name:
                event[name] = value
            elif "data" in event:
                return event
            else:
                event = {}
    raise AssertionError("the stream ended")


async def test_an_open_page_hears_of_every_move(house: House, address: str) -> None:
    builder, enabler = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    key = await builder.api.hand_in()
    async with stream(builder, address, key) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "set-cookie" not in answer.headers
        assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["x-accel-buffering"] == "no"
        lines = answer.aiter_lines()
        for command, sequence in (("claim", "2"), ("release", "3")):
            await enabler.api.does(key, command)
            event = await next_event(lines)
            assert event["event"] == "moved"
            assert event["data"] == event["id"] == sequence


async def test_what_happened_before_the_stream_began_is_heard_as_well(
    house: House, address: str
) -> None:
    builder, enabler = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    key = await builder.api.hand_in()
    await enabler.api.does(key, "claim")
    async with stream(builder, address, key, after=1) as answer:
        assert (await next_event(answer.aiter_lines()))["data"] == "2"


async def test_a_quiet_stream_is_kept_open_and_ends_after_a_while(
    house: House, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "_PING_INTERVAL", 0.1)
    monkeypatch.setattr(use_case, "LIVES", 0.5)
    builder = await guest(house, Role.BUILDER)
    key = await builder.api.hand_in()
    async with stream(builder, address, key) as answer, asyncio.timeout(PATIENCE):
        lines = [line async for line in answer.aiter_lines() if line]
    assert lines[0] == "retry: 3000"
    assert len(lines) > 1
    assert all(line.startswith(":") for line in lines[1:])


async def test_streams_are_bounded_for_each_person_and_given_back(
    house: House, address: str
) -> None:
    builder, other = await guest(house, Role.BUILDER), await guest(house, Role.BUILDER)
    key, theirs = await builder.api.hand_in(), await other.api.hand_in()
    watch = house.app.state.pages.the(Watch)
    before = watch.watchers
    opened = [stream(builder, address, key) for _ in range(MOST_WATCHERS_EACH)]
    answers = [await one.__aenter__() for one in opened]
    assert [answer.status_code for answer in answers] == [200] * MOST_WATCHERS_EACH
    async with stream(builder, address, key) as refused:
        assert refused.status_code == 409
    async with stream(other, address, theirs) as answer:
        assert answer.status_code == 200
    for one in opened:
        await one.__aexit__(None, None, None)
    async with asyncio.timeout(PATIENCE):
        while watch.watchers > before:  # noqa: ASYNC110 - the server notices in its own time
            await asyncio.sleep(0.01)


async def signs_out(house: House, somebody: Guest) -> None:
    """Signs out, in another tab."""
    await somebody.sends((await somebody.sees("/account")).form("/sign-out"))


async def is_let_out(house: House, somebody: Guest) -> None:
    """An administrator lets them out."""
    async with house.sessions.begin() as session:
        await change_person(session, somebody.person.id, active=False)


async def loses_the_role(house: House, somebody: Guest) -> None:
    """They work for enablement no more."""
    async with house.sessions.begin() as session:
        await change_person(session, somebody.person.id, roles=[Role.BUILDER])


@pytest.mark.parametrize("happens", [signs_out, is_let_out, loses_the_role])
async def test_a_stream_says_nothing_more_to_whoever_may_not_know(
    house: House, address: str, happens: Callable[[House, Guest], Awaitable[None]]
) -> None:
    builder, somebody = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    other = await guest(house, Role.ENABLER)
    key = await builder.api.hand_in()
    async with stream(somebody, address, key) as answer:
        lines = answer.aiter_lines()
        await other.api.does(key, "claim")
        assert (await next_event(lines))["data"] == "2"
        await happens(house, somebody)
        await other.api.does(key, "release")
        async with asyncio.timeout(PATIENCE):
            rest = [line async for line in lines]
    assert all("moved" not in line for line in rest)


async def test_streams_end_with_the_server(house: House) -> None:

    builder = await guest(house, Role.BUILDER)
    key = await builder.api.hand_in()
    app = app_over(house.app.state.context, Pages())
    async with asyncio.timeout(PATIENCE):
        async with served(app) as where:
            open_one = stream(builder, where, key)
            answer = await open_one.__aenter__()
            lines = answer.aiter_lines()
            await anext(lines)
        rest = [line async for line in lines]
        await open_one.__aexit__(None, None, None)
    assert all("moved" not in line for line in rest)


@pytest.mark.parametrize("after", ["-1", "x", str(2**31)])
async def test_a_stream_from_nowhere_is_refused(house: House, after: str) -> None:
    builder = await guest(house, Role.BUILDER)
    key = await builder.api.hand_in()
    await builder.sees(f"/use-cases/{key}/events", after=after, status=422)
