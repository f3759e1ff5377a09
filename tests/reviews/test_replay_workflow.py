"""Every recorded review replays: with the workflow as it is now, and with the rules as they are.

When one fails, see `tests/intake/test_replay_workflow.py`: keep the old way, record nothing anew.
"""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import pytest
from temporalio.api.common.v1 import Payloads
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from service.domain.people import THE_SYSTEM
from service.reviews.engine import Beginning, Wanted
from service.reviews.rules import Kind, Move, play
from tests.intake.record import MACHINES, RECORDER
from tests.reviews.record import HISTORIES, QUARTER
from workflows.names import Name
from workflows.reviews.messages import Record, workflow_id
from workflows.reviews.workflow import ReviewWorkflow
from workflows.worker import make_replayer

RECORDED = sorted(HISTORIES.rglob("*.json"))
LARGEST = 60_000
every_history = pytest.mark.parametrize(
    "path", RECORDED, ids=[f"{path.parent.name}-{path.stem}" for path in RECORDED]
)
Message = TypeVar("Message", Beginning, Wanted, Record)


@every_history
async def test_it_replays(path: Path) -> None:
    await make_replayer(ReviewWorkflow).replay_workflow(_read(path))


@every_history
async def test_the_rules_still_lead_where_they_led(path: Path) -> None:
    """Replaying compares what the workflow asked for, not with which content. This does."""
    history = _read(path)
    moves = {wanted.decision_id: wanted.move for wanted in _wanted(history)}
    first = history.events[0].workflow_execution_started_event_attributes.input
    standing = _message(first, Beginning).standing
    kinds = []
    for record in _records(history):
        kind = record.event.kind
        by_itself = Move(kind, THE_SYSTEM.person_id)
        move = moves[record.seen.decision_id] if record.seen else by_itself
        assert play(standing, move, record.event.at) == (record.standing, record.event)
        standing = record.standing
        kinds.append(kind)
    assert kinds == [
        Kind.REMINDED,
        Kind.ESCALATED,
        Kind.EVIDENCE_CLOSED,
        Kind.DECIDED,
        Kind.DATES_MOVED,
        Kind.LOCKED,
    ]


@every_history
def test_it_says_nothing_of_the_machine_that_recorded_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count('"identity"') == text.count(f'"identity": "{RECORDER}"') > 0
    assert not any(field in text for field in MACHINES)
    assert len(text) < LARGEST


def test_one_is_recorded_for_this_version() -> None:
    assert version("headway") in {path.parent.name for path in RECORDED}


def _read(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(workflow_id(QUARTER), path.read_text(encoding="utf-8"))


def _wanted(history: WorkflowHistory) -> Iterator[Wanted]:
    for event in history.events:
        request = event.workflow_execution_update_accepted_event_attributes.accepted_request
        if request.input.name == Name.MOVE_REVIEW:
            yield _message(request.input.args, Wanted)


def _records(history: WorkflowHistory) -> Iterator[Record]:
    for event in history.events:
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name == Name.RECORD_REVIEW:
            yield _message(scheduled.input, Record)


def _message(payloads: Payloads, kind: type[Message]) -> Message:
    converter = pydantic_data_converter.payload_converter
    message: Message = converter.from_payload(payloads.payloads[0], kind)
    return message
