"""After a restore: nothing is recorded with a gap, gaps are filled from the engine, and what has
ended stays ended, whichever of the two knows it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDReusePolicy
from temporalio.service import RPCError

from service.domain.case import Outcome
from service.domain.clock import Transition, spans
from service.domain.decision import Beginning
from service.domain.people import Role
from service.errors import TransitionsDisagree, TransitionsMissing
from service.facts.counts.rebuild import recount
from service.facts.counts.write import count_recorded
from service.intake.tables import TransitionRow, UseCaseRow
from service.intake.use_cases import projection, transition_values, transitions
from service.reactions import record
from tests.facts.test_counts import counts
from tests.intake.restoring import back_up, restore
from tests.intake.test_reconcile_workflow import id_of, reconcile
from tests.kit.engines import apart
from tests.kit.house import House, Visitor, open_house
from workflows.intake.messages import workflow_id
from workflows.intake.reconcile import Gap
from workflows.intake.workflow import UseCaseWorkflow
from workflows.names import Name


@pytest.fixture
async def house(database_url: str, client: Client) -> AsyncIterator[House]:
    """A house with a database and an engine that no other test looks at."""
    async with open_house(database_url, await apart(client)) as opened:
        yield opened


async def log_of(house: House, use_case_id: str) -> list[Transition]:
    """What the database says happened."""
    async with house.sessions() as session:
        return await transitions(session, use_case_id)


async def row_of(house: House, use_case_id: str) -> UseCaseRow:
    """Where the database says that it stands."""
    async with house.sessions() as session:
        return await session.get_one(UseCaseRow, use_case_id)


async def known(house: House, use_case_id: str) -> Beginning:
    """What the workflow knows."""
    found: Beginning = await house.client.get_workflow_handle(workflow_id(use_case_id)).query(
        Name.KNOWN.value, result_type=Beginning
    )
    return found


async def status(house: House, use_case_id: str) -> WorkflowExecutionStatus | None:
    """Of its workflow."""
    return (await house.client.get_workflow_handle(workflow_id(use_case_id)).describe()).status


async def is_whole(house: House, use_case_id: str, last: int) -> None:
    """Assert that transitions 1 to `last` are there once each, and that everything that follows
    from them adds up: spans, counts, and what the workflow knows."""
    log = await log_of(house, use_case_id)
    assert [step.sequence for step in log] == list(range(1, last + 1))
    assert list((await known(house, use_case_id)).log) == log
    row = await row_of(house, use_case_id)
    assert row.sequence == last
    until = log[-1].at if row.outcome is not Outcome.OPEN else log[-1].at + timedelta(hours=1)
    lengths = [span.end - span.start for span in spans(log, until)]
    assert sum(lengths, timedelta(0)) == until - log[0].at
    kept_up = await counts(house.sessions)
    await recount(house.sessions)
    assert await counts(house.sessions) == kept_up


async def asked_and_answered(house: House) -> tuple[str, str, Visitor, Visitor]:
    """A use case at 5, with a backup from when it was at 2."""
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    await enabler.does(key, "claim")
    await back_up(house.sessions)
    await enabler.does(key, "ask", reason="Which data?")
    await builder.does(key, "answer", reason="Invoices")
    await enabler.does(key, "park", reason="Budget")
    return key, await id_of(house, key, builder), builder, enabler


async def write(house: House, known: Beginning, *steps: Transition) -> None:
    """Record these transitions of what is known."""
    async with house.sessions.begin() as session:
        await record(session, known.standing, steps, known.seen)


async def record_with_a_gap(house: House, use_case_id: str, late: Beginning) -> None:
    """What a release before this one did after a restore: the last transition alone."""
    async with house.sessions.begin() as session:
        mark = late.seen[-1]
        session.add(
            TransitionRow(
                **transition_values(late.log[-1]),
                decision_id=mark.decision_id,
                request_digest=mark.request_digest,
            )
        )
        row = await session.get_one(UseCaseRow, use_case_id)
        for column, value in projection(late.standing).items():
            setattr(row, column, value)
        await session.flush()
        await count_recorded(session, late.standing, {late.log[-1].sequence})


@pytest.mark.usefixtures("looks_again_soon")
async def test_what_comes_after_a_restore_waits_for_what_is_missing_and_brings_it_back(
    house: House,
) -> None:
    key, use_case_id, _, enabler = await asked_and_answered(house)
    before = await log_of(house, use_case_id)
    await restore(house.sessions)
    assert [step.sequence for step in await log_of(house, use_case_id)] == [1, 2]

    assert (await enabler.does(key, "resume"))["sequence"] == 6

    assert (await log_of(house, use_case_id))[:5] == before
    await is_whole(house, use_case_id, 6)
    assert (await reconcile(house, use_case_id)).findings == []


async def test_transitions_with_a_gap_are_refused_and_nothing_changes(house: House) -> None:
    _, use_case_id, _, _ = await asked_and_answered(house)
    whole = await known(house, use_case_id)
    await restore(house.sessions)
    before = await counts(house.sessions), await row_of(house, use_case_id)

    for late in ([5], [4, 5]):
        steps = tuple(step for step in whole.log if step.sequence in late)
        with pytest.raises(TransitionsMissing, match=f"{late[0]} cannot be recorded before"):
            await write(house, whole, *steps)
    with pytest.raises(ValueError, match="not in sequence"):
        await write(house, whole, whole.log[2], whole.log[4])

    assert [step.sequence for step in await log_of(house, use_case_id)] == [1, 2]
    assert (await counts(house.sessions), await row_of(house, use_case_id)) == before


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.usefixtures("looks_again_soon")
async def test_reconcile_fills_a_gap_that_an_earlier_release_left(
    house: House, ended: bool
) -> None:
    key, use_case_id, builder, enabler = await asked_and_answered(house)
    await (
        builder.does(key, "withdraw", reason="Not needed") if ended else enabler.does(key, "resume")
    )
    before, whole = await log_of(house, use_case_id), await known(house, use_case_id)
    await restore(house.sessions)
    await record_with_a_gap(house, use_case_id, whole)
    assert [step.sequence for step in await log_of(house, use_case_id)] == [1, 2, 6]

    seen = await reconcile(house, use_case_id, repair=False)
    done = await reconcile(house, use_case_id)

    assert [found.detail for found in seen.findings] == ["3 to 5 missing, at 6, the workflow at 6"]
    assert [(found.gap, found.repaired) for found in done.findings] == [(Gap.DATABASE_BEHIND, True)]
    assert await log_of(house, use_case_id) == before
    await is_whole(house, use_case_id, 6)
    outcome = Outcome.WITHDRAWN if ended else Outcome.OPEN
    assert (await row_of(house, use_case_id)).outcome is outcome
    assert (await reconcile(house, use_case_id)).findings == []


@pytest.mark.usefixtures("looks_again_soon")
async def test_what_nobody_knows_is_said_and_left(house: House, another_client: Client) -> None:
    key, use_case_id, builder, _ = await asked_and_answered(house)
    await builder.does(key, "withdraw", reason="Not needed")
    whole = await known(house, use_case_id)
    await restore(house.sessions)
    await record_with_a_gap(house, use_case_id, whole)

    async with with_another_engine(house, another_client) as without:
        done = await reconcile(without, use_case_id)

    assert [(found.gap, found.repaired, found.detail) for found in done.findings] == [
        (Gap.MISSING, False, "3 to 5, and no engine knows them")
    ]
    assert (await row_of(house, use_case_id)).outcome is Outcome.WITHDRAWN


@pytest.mark.usefixtures("looks_again_soon")
async def test_an_engine_that_took_a_gap_over_says_so_and_nothing_is_made_up(
    house: House, another_client: Client
) -> None:
    key, use_case_id, _, enabler = await asked_and_answered(house)
    await enabler.does(key, "resume")
    whole = await known(house, use_case_id)
    await restore(house.sessions)
    await record_with_a_gap(house, use_case_id, whole)
    async with with_another_engine(house, another_client) as without:
        again = Visitor(enabler.person, enabler.token, without.anonymous())
        again.http.headers.update(enabler.http.headers)
        first = await reconcile(without, use_case_id)
        assert (await again.does(key, "approve"))["sequence"] == 7
        await restore(house.sessions)
        done = await reconcile(without, use_case_id)

    assert [found.gap for found in first.findings] == [Gap.NO_WORKFLOW]
    assert [(found.gap, found.repaired, found.detail) for found in done.findings] == [
        (Gap.MISSING, False, "3 to 5, and no engine knows them")
    ]
    assert [step.sequence for step in await log_of(house, use_case_id)] == [1, 2]


@pytest.mark.usefixtures("looks_again_soon")
async def test_a_terminated_workflow_still_tells_what_a_restored_database_lacks(
    house: House,
) -> None:
    key, use_case_id, _, enabler = await asked_and_answered(house)
    await restore(house.sessions)
    await house.client.get_workflow_handle(workflow_id(use_case_id)).terminate()

    done = await reconcile(house, use_case_id)

    assert [(found.gap, found.repaired, found.detail) for found in done.findings] == [
        (Gap.DATABASE_BEHIND, True, "at 2, the workflow at 5; no workflow: it was terminated")
    ]
    await is_whole(house, use_case_id, 5)
    assert (await enabler.does(key, "resume"))["sequence"] == 6


@pytest.mark.usefixtures("looks_again_soon")
async def test_what_ended_in_the_engine_only_ends_in_the_database(house: House) -> None:
    key, use_case_id, builder, enabler = await asked_and_answered(house)
    await builder.does(key, "withdraw", reason="Not needed")
    await restore(house.sessions)

    refused = await enabler.give(key, "approve")
    assert refused.status_code == 503, refused.text
    assert await status(house, use_case_id) is WorkflowExecutionStatus.COMPLETED
    done = await reconcile(house, use_case_id)

    assert [(found.gap, found.repaired) for found in done.findings] == [(Gap.DATABASE_BEHIND, True)]
    assert (await row_of(house, use_case_id)).outcome is Outcome.WITHDRAWN
    await is_whole(house, use_case_id, 6)


@pytest.fixture
async def another_client(client: Client) -> Client:
    """A client of an engine that no house begins with."""
    return await apart(client)


@asynccontextmanager
async def with_another_engine(house: House, client: Client) -> AsyncIterator[House]:
    """The same database beside an engine that was restored from before everything."""
    async with open_house(house.url, client, task_queue=house.engine.task_queue) as opened:
        yield opened


async def restore_engine(house: House, old: Beginning) -> None:
    """What restoring the engine from a backup does to one use case: it knows what it knew then."""
    await house.client.start_workflow(
        UseCaseWorkflow.run,
        old,
        id=workflow_id(old.standing.use_case_id),
        task_queue=house.engine.task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )


@pytest.mark.usefixtures("looks_again_soon")
async def test_what_ended_in_the_database_only_is_ended_in_the_engine_and_never_reopened(
    house: House,
) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    await enabler.does(key, "claim")
    use_case_id = await id_of(house, key, builder)
    old = await known(house, use_case_id)
    await builder.does(key, "withdraw", reason="Not needed")
    before = await log_of(house, use_case_id)
    await restore_engine(house, old)

    # The old engine would take it; the database holds another third transition, and keeps it.
    refused = await enabler.give(key, "approve")
    assert refused.status_code == 409, refused.text
    with pytest.raises(TransitionsDisagree):
        await write(house, old, replace(before[-1], reason="another"))
    done = await reconcile(house, use_case_id)

    assert [(found.gap, found.repaired, found.detail) for found in done.findings] == [
        (Gap.ENGINE_BEHIND, True, "at 2, the database at 3, where it has ended")
    ]
    assert await status(house, use_case_id) is WorkflowExecutionStatus.TERMINATED
    assert await log_of(house, use_case_id) == before
    assert (await row_of(house, use_case_id)).outcome is Outcome.WITHDRAWN
    assert (await reconcile(house, use_case_id)).findings == []


@pytest.mark.usefixtures("looks_again_soon")
async def test_a_database_that_knows_fewer_use_cases_than_the_engine_says_so(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    await back_up(house.sessions)
    key = await builder.hand_in()
    await enabler.does(key, "claim")
    use_case_id = await id_of(house, key, builder)
    await restore(house.sessions)

    done = await reconcile(house, use_case_id)

    assert [(found.gap, found.repaired, found.detail) for found in done.findings] == [
        (Gap.NO_USE_CASE, False, "its workflow runs on")
    ]
    assert await status(house, use_case_id) is WorkflowExecutionStatus.RUNNING


@pytest.mark.usefixtures("looks_again_soon")
async def test_an_engine_that_knows_fewer_use_cases_than_the_database_gets_the_open_ones(
    house: House, another_client: Client
) -> None:
    builder = await house.visitor(Role.BUILDER)
    open_key, ended_key = await builder.hand_in(), await builder.hand_in()
    await builder.does(ended_key, "withdraw", reason="Not needed")
    open_id, ended_id = [await id_of(house, key, builder) for key in (open_key, ended_key)]

    async with with_another_engine(house, another_client) as without:
        done = await reconcile(without, open_id, ended_id)
        assert await status(without, open_id) is WorkflowExecutionStatus.RUNNING
        with pytest.raises(RPCError, match="not found"):
            await status(without, ended_id)

    assert [(found.use_case, found.gap, found.repaired) for found in done.findings] == [
        (open_id, Gap.NO_WORKFLOW, True)
    ]
    assert (await row_of(house, ended_id)).outcome is Outcome.WITHDRAWN


async def test_recorders_at_the_same_time_write_everything_once(house: House) -> None:
    # The workflow's activity, its second try and a reconciliation, all behind the same restore.
    key, use_case_id, _, enabler = await asked_and_answered(house)
    await enabler.does(key, "resume")
    whole = await known(house, use_case_id)
    log = whole.log
    batches = [log, log[:4], log[2:4], log[4:5], log[3:], log[5:], log[1:3], log, log[4:]]

    async def recording(batch: tuple[Transition, ...]) -> None:
        while True:
            try:
                await write(house, whole, *batch)
            except TransitionsMissing:
                await asyncio.sleep(0)
            else:
                return

    for turn in range(3):
        await restore(house.sessions)
        turned = batches[turn * 3 :] + batches[: turn * 3]
        async with asyncio.timeout(20):
            await asyncio.gather(*(recording(batch) for batch in turned))
        await is_whole(house, use_case_id, 6)


async def test_deciding_and_reconciling_at_the_same_time(house: House) -> None:
    key, use_case_id, _, enabler = await asked_and_answered(house)
    await restore(house.sessions)

    await asyncio.gather(
        enabler.does(key, "resume"), *(reconcile(house, use_case_id) for _ in range(2))
    )

    await is_whole(house, use_case_id, 6)
    assert (await reconcile(house, use_case_id)).findings == []
