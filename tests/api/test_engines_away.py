"""Engines go away and come back: what is accepted stays, and what is not is said at once."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlmodel import col
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from embedded.temporal import address, free_port
from service.database import driver_url, open_sessions, sessions_of
from service.domain.people import Role
from service.intake.handing_in import Submitted
from service.intake.tables import OutboxRow, UseCaseRow
from service.reactions import submit
from tests.kit.apps import visiting
from tests.kit.house import House
from tests.kit.submission import submission
from workflows.client import CALL_RETRIES, CONNECT_WITHIN
from workflows.intake.dispatcher import TemporalEngine, dispatch
from workflows.worker import make_worker

LATER = timedelta(hours=1)


async def no_temporal() -> TemporalEngine:
    """The engine over an address where nothing listens, as `workflows.client` opens it."""
    client = await Client.connect(
        address(free_port()),
        data_converter=pydantic_data_converter,
        retry_config=CALL_RETRIES,
        connect_timeout=CONNECT_WITHIN,
        lazy=True,
    )
    return TemporalEngine(client, "nowhere")


async def in_outbox(house: House, key: str) -> bool:
    """Whether a use case waits for an engine to take it over."""
    async with house.sessions() as session:
        found = await session.scalar(
            select(func.count())
            .select_from(OutboxRow)
            .join(UseCaseRow, col(UseCaseRow.id) == col(OutboxRow.use_case_id))
            .where(col(UseCaseRow.number) == int(key.removeprefix("UC-")))
        )
    return bool(found)


async def test_handing_in_works_without_temporal_and_deciding_says_so_within_two_seconds(
    house: House,
) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    away = await no_temporal()
    there = visiting(builder, house.sessions, away)
    headers = {"Idempotency-Key": "in-the-dark"}
    began = time.monotonic()
    answer = await there.http.post("/v1/use-cases", json=submission(), headers=headers)
    took = time.monotonic() - began
    assert answer.status_code == 201
    assert took < 2
    key = answer.json()["key"]
    assert await in_outbox(house, key)
    again = await there.http.post("/v1/use-cases", json=submission(), headers=headers)
    assert again.text == answer.text
    assert (await there.sees(f"use-cases/{key}/clock"))["running"]

    deciding = visiting(enabler, house.sessions, away)
    began = time.monotonic()
    refused = await deciding.give(key, "claim", idempotency_key="mine")
    assert time.monotonic() - began < 2
    assert refused.status_code == 503
    assert refused.json()["idempotency_key"] == "mine"
    own_key = (await deciding.give(key, "claim")).json()["idempotency_key"]

    assert await dispatch(house.sessions, house.engine, at=datetime.now(UTC) + LATER) >= 1
    assert not await in_outbox(house, key)
    decided = await enabler.give(key, "claim", idempotency_key=own_key)
    assert decided.status_code == 200
    assert (await enabler.sees(f"use-cases/{key}"))["sequence"] == 2


async def test_a_decision_before_the_dispatcher_came_round_starts_the_case_itself(
    house: House,
) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await visiting(builder, house.sessions, await no_temporal()).hand_in()
    assert (await enabler.does(key, "claim"))["sequence"] == 2
    await dispatch(house.sessions, house.engine, at=datetime.now(UTC) + LATER)
    assert (await enabler.sees(f"use-cases/{key}"))["sequence"] == 2


async def test_a_decision_that_nobody_works_on_is_pending_until_somebody_does(
    house: House, client: Client
) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    slow = TemporalEngine(client, f"own-{builder.person.id}", decision_timeout=0.5)
    key = await visiting(builder, house.sessions, slow).hand_in()
    there = visiting(enabler, house.sessions, slow)
    pending = await there.give(key.lower(), "claim", idempotency_key="patience")
    assert pending.status_code == 202
    assert int(pending.headers["retry-after"]) > 0
    where = pending.headers["location"]
    assert pending.json()["look_at"] == where
    assert pending.json()["idempotency_key"] == "patience"
    assert (await there.http.get(where)).json()["status"] == "pending"

    async with make_worker(client, house.sessions, slow.task_queue, activities=2):
        patient = visiting(enabler, house.sessions, replace(slow, decision_timeout=20))
        repeated = await patient.give(key, "claim", idempotency_key="patience")
    assert repeated.status_code == 200
    assert (await there.http.get(where)).json() == repeated.json()
    assert repeated.json()["sequence"] == 2
    assert (await there.sees(f"use-cases/{key}"))["sequence"] == 2


async def test_letting_somebody_go_whose_cases_nobody_hands_over_in_time_is_503(
    house: House, client: Client
) -> None:
    admin, builder = await house.visitor(Role.ADMIN), await house.visitor(Role.BUILDER)
    successor = await house.visitor(Role.BUILDER)
    slow = TemporalEngine(client, f"own-{builder.person.id}", decision_timeout=0.5)
    await visiting(builder, house.sessions, slow).hand_in()
    there = visiting(admin, house.sessions, slow)
    change = {"active": False, "successor": successor.person.email}
    answer = await there.http.patch(f"/v1/people/{builder.person.id}", json=change)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:headway:problem:decision-pending"
    assert int(answer.headers["retry-after"]) > 0
    assert (await builder.sees("me"))["active"]


async def test_without_postgresql_nothing_is_accepted_and_every_answer_says_so(
    house: House, tmp_path: Path
) -> None:
    builder = await house.visitor(Role.BUILDER)
    url = f"postgresql://postgres@/house?host={tmp_path}"
    async with open_sessions(url, pool=2) as nowhere:
        http = visiting(builder, nowhere, house.engine).http
        answers = [
            await http.get("/health"),
            await http.get("/v1/me"),
            await http.get("/v1/use-cases"),
            await http.post("/v1/use-cases", json=submission()),
            await http.post("/v1/use-cases/UC-1/commands/claim"),
        ]
        assert (await http.get("/version")).status_code == 200
        assert (await http.get("/openapi.json")).status_code == 200
    assert [answer.status_code for answer in answers] == [503] * len(answers)
    for answer in answers:
        assert answer.json()["type"] == "urn:headway:problem:database-unreachable"
        assert str(tmp_path) not in answer.text
    assert (await builder.sees("use-cases"))["items"] == []


async def kill(database_url: str, backend: int | None) -> None:
    """End a connection from the server's side."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("SELECT pg_terminate_backend($1, 5000)", backend)
    await connection.close()


async def test_connections_that_are_killed_are_replaced(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    async with open_sessions(house.url, pool=3) as sessions:
        there = visiting(builder, sessions, house.engine)
        key = await there.hand_in()
        async with sessions() as session:
            mine = await session.scalar(select(func.pg_backend_pid()))
        await kill(house.url, mine)
        answers = [await there.http.get(f"/v1/use-cases/{key}") for _ in range(4)]
        assert {answer.status_code for answer in answers} <= {200, 503}
        assert answers[-1].status_code == 200
        health = await there.http.get("/health")
        assert health.json() == {"status": "ok", "database": "ok"}


async def test_a_connection_killed_in_the_middle_is_503_and_nothing_was_written(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def and_then_it_is_killed(session: AsyncSession, *given: Any, **more: Any) -> Submitted:
        submitted = await submit(session, *given, **more)
        await kill(house.url, await session.scalar(select(func.pg_backend_pid())))
        return submitted

    builder = await house.visitor(Role.BUILDER)
    headers = {"Idempotency-Key": "once"}
    with monkeypatch.context() as patch:
        patch.setattr("api.intake.routes.submit", and_then_it_is_killed)
        killed = await builder.http.post("/v1/use-cases", json=submission(), headers=headers)
    assert killed.status_code == 503
    assert (await builder.sees("use-cases"))["items"] == []
    again = await builder.http.post("/v1/use-cases", json=submission(), headers=headers)
    assert again.status_code == 201
    assert len((await builder.sees("use-cases"))["items"]) == 1


@pytest.mark.parametrize(
    "refuse",
    ['ALTER DATABASE "{name}" CONNECTION LIMIT 0', "ALTER ROLE {role} NOLOGIN"],
)
async def test_a_database_that_lets_nobody_in_is_503(
    house: House, database_url: str, refuse: str
) -> None:
    builder = await house.visitor(Role.BUILDER)
    name = database_url.partition("?")[0].rpartition("/")[2]
    role = f"guest_{name}"
    admin = await asyncpg.connect(house.url)
    await admin.execute(f"CREATE ROLE {role} LOGIN")
    await admin.execute(refuse.format(name=name, role=role))
    url = database_url.replace("postgres@", f"{role}@", 1)
    async with open_sessions(url, pool=1) as sessions:
        there = visiting(builder, sessions, house.engine)
        answers = [await there.http.get(path) for path in ("/health", "/v1/me")]
    await admin.execute(f"DROP ROLE {role}")
    await admin.close()
    assert [answer.status_code for answer in answers] == [503, 503]


async def test_when_all_connections_are_taken_the_answer_comes_all_the_same(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    narrow = create_async_engine(
        driver_url(house.url), pool_size=1, max_overflow=0, pool_timeout=0.1
    )
    sessions = sessions_of(narrow)
    there = visiting(builder, sessions, house.engine)
    async with sessions() as session:
        await session.scalar(select(1))
        assert (await there.http.get("/v1/me")).status_code == 503
    assert (await there.http.get("/v1/me")).status_code == 200
    await narrow.dispose()
