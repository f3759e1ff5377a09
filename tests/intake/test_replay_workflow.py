"""Every recorded history replays: with the workflow as it is now, and with the rules as they are.

When one fails, running use cases would stall (or come to stand somewhere else than in the
database): keep the old way for them with `workflow.patched`, and record nothing anew.
"""

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import pytest
from temporalio.api.common.v1 import Payloads
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.workflow import NondeterminismError

from service.domain.decision import Beginning, Decision
from service.domain.lifecycle import Move, play
from service.domain.people import THE_SYSTEM
from tests.intake.changed import ChangedWorkflow
from tests.intake.histories_told import STORIES
from tests.intake.record import HISTORIES, MACHINES, RECORDER
from workflows.intake.messages import Record, workflow_id
from workflows.names import Name
from workflows.worker import make_replayer

RECORDED = sorted(HISTORIES.rglob("*.json"))
LARGEST = 200_000
every_history = pytest.mark.parametrize(
    "path", RECORDED, ids=[f"{path.parent.name}-{path.stem}" for path in RECORDED]
)
Message = TypeVar("Message", Beginning, Decision, Record)


@every_history
async def test_it_replays(path: Path) -> None:
    await make_replayer().replay_workflow(_read(path))


@every_history
async def test_the_rules_still_lead_where_they_led(path: Path) -> None:
    """Replaying compares what the workflow asked for, not with which content. This does."""
    history = _read(path)
    decisions = {decision.decision_id: decision for decision in _decisions(history)}
    standing = _beginning(history).standing
    for record in _records(history):
        first = record.happened[0]
        if first.sequence <= standing.sequence:
            continue  # projected again
        move = (
            decisions[record.seen[0].decision_id].move
            if record.seen
            else Move(first.command, THE_SYSTEM)
        )
        played = play(standing, move, first.at)
        assert (played.standing, played.transitions) == (record.standing, record.happened)
        standing = played.standing


@every_history
def test_it_says_nothing_of_the_machine_that_recorded_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    identities = {value for key, value in _fields(json.loads(text)) if key == "identity"}

    assert identities == {RECORDER}
    assert not any(field in text for field in MACHINES)
    assert len(text) < LARGEST


def test_every_story_is_recorded_for_this_version() -> None:
    there = {path.stem for path in RECORDED if path.parent.name == version("headway")}

    assert there == set(STORIES)


async def test_a_workflow_that_was_changed_does_not_replay() -> None:
    with pytest.raises(NondeterminismError):
        await make_replayer(ChangedWorkflow).replay_workflow(_read(RECORDED[0]))


def _read(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(workflow_id(path.stem), path.read_text(encoding="utf-8"))


def _beginning(history: WorkflowHistory) -> Beginning:
    return _message(history.events[0].workflow_execution_started_event_attributes.input, Beginning)


def _decisions(history: WorkflowHistory) -> Iterator[Decision]:
    for event in history.events:
        request = event.workflow_execution_update_accepted_event_attributes.accepted_request
        if request.input.name == Name.DECIDE:
            yield _message(request.input.args, Decision)


def _records(history: WorkflowHistory) -> Iterator[Record]:
    for event in history.events:
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name == Name.RECORD:
            yield _message(scheduled.input, Record)


def _message(payloads: Payloads, kind: type[Message]) -> Message:
    converter = pydantic_data_converter.payload_converter
    message: Message = converter.from_payload(payloads.payloads[0], kind)
    return message


def _fields(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield key, part
            yield from _fields(part)
    elif isinstance(value, list):
        for part in value:
            yield from _fields(part)
