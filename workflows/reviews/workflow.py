"""The workflows of the quarterly review: one for each quarter, and one that opens it."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from service.domain.people import THE_SYSTEM
    from service.domain.refusals import Refusal
    from service.reviews.engine import Beginning, Made, Seen, Wanted
    from service.reviews.rules import Move, Phase, Standing, next_deadline, play
    from workflows.failures import refused
    from workflows.names import Name
    from workflows.reviews.messages import Record

ONE_TRY = timedelta(minutes=2)
"""Closing the evidence reads what every use case delivered."""
DEAD_AFTER = timedelta(seconds=10)
"""Without a sign of life from the worker that is at it, another one takes over."""
RETRIES = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=30),
)
"""For ever: what happened is written as soon as the database is back."""
AFTER_A_FAILURE = timedelta(hours=1)
"""Until somebody has repaired what made the database refuse a deadline."""


@workflow.defn(name=Name.REVIEW.value)
class ReviewWorkflow:
    """Takes moves one after the other, gives each its time and number, has it recorded, and lets
    deadlines pass by themselves. It knows nothing that is not in its input or its messages."""

    @workflow.init
    def __init__(self, beginning: Beginning) -> None:
        self._standing = beginning.standing
        self._seen = {mark.decision_id: mark for mark in beginning.seen}
        self._not_before = beginning.standing.at
        self._one_at_a_time = asyncio.Lock()

    @workflow.run
    async def run(self, beginning: Beginning) -> None:
        """Until it is locked; the history is renewed on the way when it grows long."""
        while self._standing.phase is not Phase.LOCKED:
            await self._watch()
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _watch(self) -> None:
        before = self._standing
        deadline = next_deadline(before)
        if deadline is None:
            return
        pause = max(deadline[1], self._not_before) - workflow.now()
        try:
            await workflow.wait_condition(
                lambda: self._standing != before or self._can_be_renewed(),
                timeout=max(pause, timedelta(0)),
                timeout_summary="the next deadline of the review",
            )
        except TimeoutError:
            await self._passes()
        if self._can_be_renewed():
            workflow.continue_as_new(Beginning(self._standing, tuple(self._seen.values())))

    def _can_be_renewed(self) -> bool:
        return (
            workflow.info().is_continue_as_new_suggested()
            and workflow.all_handlers_finished()
            and self._standing.phase is not Phase.LOCKED
        )

    async def _passes(self) -> None:
        async with self._one_at_a_time:
            deadline = next_deadline(self._standing)
            if deadline is None or deadline[1] > workflow.now():
                return
            try:
                await self._make(Move(deadline[0], THE_SYSTEM.person_id))
            except (ActivityError, Refusal):
                workflow.logger.exception("a deadline of a review could not be recorded")
                self._not_before = workflow.now() + AFTER_A_FAILURE

    @workflow.update(name=Name.MOVE_REVIEW.value)
    async def move(self, wanted: Wanted) -> Made:
        """Make a move. A refusal comes back before anything is written."""
        async with self._one_at_a_time:
            earlier = self._seen.get(wanted.decision_id)
            if earlier is not None:
                return Made(earlier.request_digest, earlier.sequence)
            try:
                sequence = await self._make(wanted.move, wanted)
            except Refusal as refusal:
                # Another move came between the validator and the lock.
                raise refused(refusal) from None
            return Made(wanted.request_digest, sequence)

    @move.validator
    def _check(self, wanted: Wanted) -> None:
        # While another move is being recorded the standing is about to change.
        if self._one_at_a_time.locked() or wanted.decision_id in self._seen:
            return
        try:
            play(self._standing, wanted.move, workflow.now())
        except Refusal as refusal:
            raise refused(refusal) from None

    @workflow.query(name=Name.REVIEW_STANDING.value)
    def standing(self) -> Standing:
        """Where the review stands."""
        return self._standing

    async def _make(self, move: Move, wanted: Wanted | None = None) -> int:
        standing, event = play(self._standing, move, workflow.now())
        seen = None
        if wanted is not None:
            seen = Seen(wanted.decision_id, wanted.request_digest, event.sequence)
        await workflow.execute_activity(
            Name.RECORD_REVIEW.value,
            Record(standing, event, seen),
            start_to_close_timeout=ONE_TRY,
            heartbeat_timeout=DEAD_AFTER,
            retry_policy=RETRIES,
        )
        self._standing = standing
        if seen is not None:
            self._seen[seen.decision_id] = seen
        return event.sequence


@workflow.defn(name=Name.OPEN_REVIEW.value)
class OpenReviewWorkflow:
    """Opens the review of the quarter that is just over."""

    @workflow.run
    async def run(self) -> str:
        """The quarter."""
        quarter: str = await workflow.execute_activity(
            Name.OPEN_REVIEW.value,
            workflow.now(),
            result_type=str,
            start_to_close_timeout=ONE_TRY,
            retry_policy=RETRIES,
        )
        return quarter
