"""Reconciling: what a restore or a terminated workflow leaves behind is found and repaired."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from temporalio.client import Client

from api.intake.bodies import UseCaseBody
from service.domain.lifecycle import begin
from service.domain.people import Role
from service.intake.fields import UseCase
from service.intake.outbox import beginning
from service.intake.use_cases import find, standing_of
from service.reactions import submit
from tests.kit.engines import apart
from tests.kit.house import House, Visitor, open_house
from tests.kit.submission import submission
from workflows.intake.messages import workflow_id
from workflows.intake.reconcile import Gap, Reconciler, Report

pytestmark = pytest.mark.usefixtures("looks_again_soon")


@pytest.fixture
async def own_house(database_url: str, client: Client) -> AsyncIterator[House]:
    """A house with a database and an engine that no other test looks at."""
    async with open_house(database_url, await apart(client)) as opened:
        yield opened


async def reconcile(house: House, *ours: str, repair: bool = True) -> Report:
    """Reconcile, and leave out what other tests have in the shared engine."""
    report = await Reconciler(house.sessions, house.client, house.engine, repair).run()
    report.findings = [found for found in report.findings if found.use_case in ours]
    return report


async def id_of(house: House, key: str, reader: Visitor) -> str:
    """A use case's id."""
    async with house.sessions() as session:
        return (await find(session, key, reader.person.actor)).id


async def restore_to(house: House, use_case_id: str, sequence: int, standing: str) -> None:
    """What restoring an old backup does to one use case."""
    async with house.sessions.begin() as session:
        await session.execute(text("ALTER TABLE transition DISABLE TRIGGER USER"))
        await session.execute(
            text("DELETE FROM transition WHERE use_case_id = :id AND sequence > :at"),
            {"id": use_case_id, "at": sequence},
        )
        await session.execute(
            text(
                "UPDATE use_case SET sequence = :at, outcome = 'open', ended_at = NULL, "
                "standing = CAST(:standing AS jsonb) WHERE id = :id"
            ),
            {"id": use_case_id, "at": sequence, "standing": standing},
        )
        await session.execute(text("ALTER TABLE transition ENABLE TRIGGER USER"))


async def standing_json(house: House, use_case_id: str) -> str:
    """The database's standing, as stored."""
    async with house.sessions() as session:
        stored: str = (
            await session.execute(
                text("SELECT standing::text FROM use_case WHERE id = :id"), {"id": use_case_id}
            )
        ).scalar_one()
        return stored


async def test_nothing_differs_and_nothing_is_touched(own_house: House) -> None:
    builder, enabler = await own_house.visitor(Role.BUILDER), await own_house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    await enabler.does(key, "claim")

    report = await reconcile(own_house, await id_of(own_house, key, builder))

    assert report.checked >= 1
    assert report.findings == []


async def test_a_use_case_that_no_engine_took_over_is_started(own_house: House) -> None:
    builder, enabler = await own_house.visitor(Role.BUILDER), await own_house.visitor(Role.ENABLER)
    async with own_house.sessions.begin() as session:
        submitted = await submit(
            session, a_use_case(builder), builder.person.actor, at=datetime.now(UTC)
        )
    receipt = submitted.receipt

    seen = await reconcile(own_house, receipt.use_case_id, repair=False)
    done = await reconcile(own_house, receipt.use_case_id)

    assert [(found.gap, found.repaired) for found in seen.findings] == [(Gap.NO_WORKFLOW, False)]
    assert [(found.gap, found.repaired) for found in done.findings] == [(Gap.NO_WORKFLOW, True)]
    assert (await enabler.does(receipt.key, "claim"))["sequence"] == 2


async def test_a_terminated_workflow_goes_on_from_the_database(own_house: House) -> None:
    builder, enabler = await own_house.visitor(Role.BUILDER), await own_house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    first = await enabler.give(key, "claim", idempotency_key="my-claim")
    use_case_id = await id_of(own_house, key, builder)
    await own_house.client.get_workflow_handle(workflow_id(use_case_id)).terminate()

    done = await reconcile(own_house, use_case_id)

    assert [(found.gap, found.repaired) for found in done.findings] == [(Gap.NO_WORKFLOW, True)]
    again = await enabler.give(key, "claim", idempotency_key="my-claim")
    assert first.status_code == again.status_code == 200
    assert again.json() == first.json()
    assert (await enabler.does(key, "approve"))["sequence"] == 3


@pytest.mark.parametrize("tier", ["low", "medium"])
async def test_a_restored_database_is_filled_from_the_workflow_even_when_that_has_ended(
    own_house: House, tier: str
) -> None:
    builder, enabler = await own_house.visitor(Role.BUILDER), await own_house.visitor(Role.ENABLER)
    key = await builder.hand_in(tier=tier)
    use_case_id = await id_of(own_house, key, builder)
    backup = await standing_json(own_house, use_case_id)
    if tier == "low":
        await builder.does(key, "go_live")
    else:
        await enabler.does(key, "claim")
        await enabler.does(key, "ask", reason="Which data?")
    before = await builder.sees(f"use-cases/{key}/transitions")
    await restore_to(own_house, use_case_id, 1, backup)

    done = await reconcile(own_house, use_case_id)

    assert [(found.gap, found.repaired) for found in done.findings] == [(Gap.DATABASE_BEHIND, True)]
    assert await builder.sees(f"use-cases/{key}/transitions") == before
    async with own_house.sessions() as session:
        row = await find(session, key, builder.person.actor)
    assert row.sequence == standing_of(row).sequence == len(before["items"])
    assert (await reconcile(own_house, use_case_id)).findings == []


async def test_other_content_under_the_same_sequence_is_left_to_people(own_house: House) -> None:
    builder, enabler = await own_house.visitor(Role.BUILDER), await own_house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    await enabler.does(key, "park", reason="Budget")
    use_case_id = await id_of(own_house, key, builder)
    async with own_house.sessions.begin() as session:
        await session.execute(text("ALTER TABLE transition DISABLE TRIGGER USER"))
        await session.execute(
            text(
                "UPDATE transition SET reason = 'forged' WHERE use_case_id = :id AND sequence = 2"
            ),
            {"id": use_case_id},
        )
        await session.execute(text("ALTER TABLE transition ENABLE TRIGGER USER"))

    done = await reconcile(own_house, use_case_id)

    assert [(found.gap, found.repaired) for found in done.findings] == [(Gap.DISAGREE, False)]
    steps = (await builder.sees(f"use-cases/{key}/transitions"))["items"]
    assert steps[1]["reason"] == "forged"


async def test_an_engine_that_lost_decisions_goes_on_from_the_database(own_house: House) -> None:
    builder, enabler = await own_house.visitor(Role.BUILDER), await own_house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    await enabler.does(key, "claim")
    use_case_id = await id_of(own_house, key, builder)
    handle = own_house.client.get_workflow_handle(workflow_id(use_case_id))
    await handle.terminate()
    # An engine restored from a backup knows the use case as it was handed in.
    async with own_house.sessions() as session:
        whole = await beginning(session, use_case_id)
    begun = begin(
        use_case_id,
        whole.standing.pathway,
        whole.standing.owners,
        builder.person.id,
        whole.log[0].at,
    )
    old = replace(whole, standing=begun.standing, log=begun.transitions, seen=())
    await own_house.engine.begin(old, again=True)

    done = await reconcile(own_house, use_case_id)

    assert [(found.gap, found.repaired) for found in done.findings] == [(Gap.ENGINE_BEHIND, True)]
    assert (await enabler.does(key, "approve"))["sequence"] == 3


def a_use_case(owner: Visitor) -> UseCase:
    """A use case that is handed in without the API."""
    return UseCaseBody.model_validate(submission()).use_case(owner.person.id, ())
