"""Continue-as-new, for real: on a server that thinks a history long after thirty events."""

import asyncio
from pathlib import Path

from service.database import Sessions
from service.domain.commands import Command
from service.domain.decision import Applied
from service.domain.tiering import Tier
from tests.kit.cases import Case, open_case, worker_on
from tests.kit.engines import temporal_with


async def test_decisions_survive_the_renewal_of_the_history(
    tmp_path: Path, sessions: Sessions, queue: str
) -> None:
    async with (
        temporal_with(tmp_path, "limit.historyCount.suggestContinueAsNew=30") as client,
        worker_on(client, sessions, queue),
    ):
        case = await open_case(client, sessions, queue, tier=Tier.LOW)
        first_run = await case.run_id()
        first = case.decision(
            case.people.owner, Command.ATTACH, evidence_kind="first", evidence_reference="wiki/0"
        )
        first_answer = await case.send(first)

        answers = await asyncio.gather(*(_notes(case, author) for author in range(4)))

        assert await case.run_id() != first_run
        await case.agrees()
        recorded = await case.recorded()
        assert len(recorded) == 2 + 4 * 15
        answered = [step for author in answers for note in author for step in note.transitions]
        assert sorted(answered, key=lambda step: step.sequence) == recorded[2:]
        # Decided in a run that is long gone, and repeated now.
        assert await case.send(first) == first_answer
        assert len(await case.recorded()) == len(recorded)
        await case.does(case.people.owner, Command.GO_LIVE)
        await case.handle.result()
        await case.agrees()


async def _notes(case: Case, author: int) -> list[Applied]:
    return [
        await case.does(
            case.people.owner,
            Command.ATTACH,
            evidence_kind=f"note-{author}",
            evidence_reference=f"wiki/{author}/{number}",
        )
        for number in range(15)
    ]
