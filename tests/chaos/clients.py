"""Clients as they should be: one Idempotency-Key for each wish, repeated until it is answered."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.checking import Acknowledged, Submitted
from tests.kit.submission import submission

PATIENCE = 90.0
"""Seconds after which a wish that is still not answered counts as a broken promise."""
ONE_TRY = 8.0
PAUSE = 0.25
REPEATED = 0.15
"""Share of the answered wishes that are sent once more, to see the same answer."""
NOTES = 3
COURSE: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("enabler", "claim", {}),
    ("enabler", "ask", {"reason": "Which data does it read?"}),
    ("builder", "answer", {"reason": "Purchase orders."}),
    ("enabler", "approve", {}),
    ("enabler", "hand_over", {}),
    ("builder", "hand_over", {}),
    ("enabler", "attach", {"evidence_kind": "evaluation-report", "evidence_reference": "eval"}),
    ("enabler", "approve", {}),
    ("enabler", "approve", {}),
    ("builder", "attach", {"evidence_kind": "measurement-plan", "evidence_reference": "plan"}),
)
COMMANDS = len(COURSE) + NOTES + 1
"""Commands on the way of one use case to production; with `NOTES` attached meanwhile."""


class Broken(Exception):  # noqa: N818
    """An answer that must not be."""


@dataclass
class Crowd:
    """People at work, and what they were told."""

    address: str
    tokens: dict[str, str]
    dice: random.Random
    sent: set[str] = field(default_factory=set)
    submitted: list[Submitted] = field(default_factory=list)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    progress: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self, submissions: int, *, at_once: int) -> None:
        """Bring so many use cases to production."""
        gate = asyncio.Semaphore(at_once)
        async with httpx.AsyncClient(
            base_url=self.address, timeout=ONE_TRY, trust_env=False
        ) as http:

            async def one(number: int) -> None:
                async with gate:
                    try:
                        await self._to_production(http, f"Case {number:05}")
                    except Broken as broken:
                        self.broken.append(str(broken))
                        self.progress.set()

            async with asyncio.TaskGroup() as group:
                for number in range(1, submissions + 1):
                    group.create_task(one(number))

    async def has_got(self, answers: int) -> None:
        """Wait until so many wishes have been answered, or none more will be."""
        while self.counts["acknowledged"] < answers and not self.broken:
            self.progress.clear()
            await self.progress.wait()

    async def _to_production(self, http: httpx.AsyncClient, title: str) -> None:
        self.sent.add(title)
        wish = submission(title=title)
        receipt = await self._until_answered(http, "builder", "/v1/use-cases", wish, 201)
        self.submitted.append(Submitted(title, receipt["key"], receipt["id"]))
        key: str = receipt["key"]
        notes = asyncio.create_task(self._attach_notes(http, key))
        try:
            for who, command, details in COURSE:
                await self._give(http, who, key, command, details, lane="course")
        finally:
            await notes
        await self._give(http, "builder", key, "go_live", {}, lane="course")

    async def _attach_notes(self, http: httpx.AsyncClient, key: str) -> None:
        for number in range(NOTES):
            details = {"evidence_kind": "note", "evidence_reference": f"{key}/note-{number}"}
            await self._give(http, "builder", key, "attach", details, lane="notes")

    async def _give(
        self,
        http: httpx.AsyncClient,
        who: str,
        key: str,
        command: str,
        details: dict[str, str],
        *,
        lane: str,
    ) -> None:
        path = f"/v1/use-cases/{key}/commands/{command}"
        answer = await self._until_answered(http, who, path, details, 200)
        sequences = tuple(step["sequence"] for step in answer["transitions"])
        reference = details.get("evidence_reference", "")
        self.acknowledged.append(
            Acknowledged(lane, key, command, answer["decision_id"], sequences, reference)
        )

    async def _until_answered(
        self, http: httpx.AsyncClient, who: str, path: str, wish: dict[str, Any], good: int
    ) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {self.tokens[who]}",
            "Idempotency-Key": f"{self.dice.getrandbits(128):032x}",
        }
        answer = await self._insist(http, path, wish, headers, good)
        self.counts["acknowledged"] += 1
        self.progress.set()
        if self.dice.random() < REPEATED:
            self.counts["repeated"] += 1
            again = await self._insist(http, path, wish, headers, good)
            if again != answer:
                raise Broken(f"{path}: the same key was answered {answer}, and then {again}")
        return answer

    async def _insist(
        self,
        http: httpx.AsyncClient,
        path: str,
        wish: dict[str, Any],
        headers: dict[str, str],
        good: int,
    ) -> dict[str, Any]:
        give_up = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < give_up:
            try:
                answer = await http.post(path, json=wish, headers=headers)
            except httpx.TransportError:
                self.counts["no answer"] += 1
            else:
                if answer.status_code == good:
                    body: dict[str, Any] = answer.json()
                    return body
                self.counts[str(answer.status_code)] += 1
                if answer.status_code not in {202, 503}:
                    raise Broken(f"{path}: {answer.status_code} {answer.text}")
            self.counts["retried"] += 1
            await asyncio.sleep(PAUSE)
        raise Broken(f"{path}: not answered in {PATIENCE:.0f} seconds")
