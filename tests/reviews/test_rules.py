"""What may happen in a review, and when it happens by itself."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.refusals import BadMove, Refusal
from service.reviews.rules import (
    COLLECTING,
    DECIDING,
    IN,
    LATEST,
    Choice,
    Dates,
    Decision,
    Kind,
    Move,
    Phase,
    Prediction,
    Standing,
    TimeIsOver,
    WrongPhase,
    next_deadline,
    opening,
    play,
)

OPENED = datetime(2026, 10, 1, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
SAID = Prediction(90_000.0, date(2027, 3, 31), 0.7, 60_000.0, 140_000.0)
DECIDE = Move(Kind.DECIDED, "ed", "It grows.", decision=Decision("one", Choice.CONTINUE, SAID))


def collecting() -> Standing:
    return opening("2026-Q3", OPENED)[0]


def deciding() -> Standing:
    move = Move(Kind.EVIDENCE_CLOSED, "system")
    return play(collecting(), move, OPENED + COLLECTING)[0]


def test_left_alone_it_is_reminded_escalated_closed_and_locked_in_time() -> None:
    standing, event = opening("2026-Q3", OPENED)
    happened = [event.kind]
    while (deadline := next_deadline(standing)) is not None:
        kind, at = deadline
        assert at >= standing.at
        standing, event = play(standing, Move(kind, "system"), at)
        happened.append(event.kind)
    assert happened == [
        Kind.OPENED,
        Kind.REMINDED,
        Kind.ESCALATED,
        Kind.EVIDENCE_CLOSED,
        Kind.LOCKED,
    ]
    assert standing.at == OPENED + COLLECTING + DECIDING
    assert standing.sequence == 5


moves = st.sampled_from(
    [
        *(Move(kind, "ed", "why") for kind in Kind if kind not in {Kind.DECIDED, Kind.DATES_MOVED}),
        DECIDE,
        *(
            Move(Kind.DATES_MOVED, "ed", "why", Dates(OPENED + n * DAY, OPENED + 2 * n * DAY))
            for n in (10, 30, 60)
        ),
    ]
)


@given(st.lists(st.tuples(moves, st.integers(0, 30)), max_size=12))
def test_whatever_is_tried_it_only_goes_forward(tried: list[tuple[Move, int]]) -> None:
    standing, at = collecting(), OPENED
    for move, days in tried:
        at += days * DAY
        before = standing
        try:
            standing, event = play(standing, move, at)
        except Refusal:
            assert standing == before
            continue
        assert before.phase in IN[move.kind]
        assert (event.sequence, standing.sequence) == (before.sequence + 1, before.sequence + 1)
        assert standing.at >= before.at
        assert list(Phase).index(standing.phase) >= list(Phase).index(before.phase)
        assert standing.dates.collect_until < standing.dates.decide_until
    if standing.phase is Phase.LOCKED:
        assert next_deadline(standing) is None
        with pytest.raises(WrongPhase):
            play(standing, DECIDE, at)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"decision": None}, "choice"),
        ({"decision": Decision("one", Choice.FIX)}, "at_least"),
        ({"decision": Decision("one", Choice.FIX, replace(SAID, probability=1.0))}, "probability"),
        ({"decision": Decision("one", Choice.FIX, replace(SAID, by=date(2026, 10, 22)))}, "by"),
        ({"decision": Decision("one", Choice.FIX, replace(SAID, low=None))}, "low"),
        ({"decision": Decision("one", Choice.FIX, replace(SAID, low=2e5))}, "high"),
    ],
)
def test_a_decision_says_what_it_expects_and_why(changes: dict[str, object], field: str) -> None:
    with pytest.raises(BadMove) as refused:
        play(deciding(), replace(DECIDE, **changes), OPENED + COLLECTING)  # type: ignore[arg-type]
    assert refused.value.about == field


def test_stopping_needs_no_prediction() -> None:
    stop = replace(DECIDE, decision=Decision("one", Choice.STOP))
    _, event = play(deciding(), stop, OPENED + COLLECTING + DAY)
    assert event.decision == Decision("one", Choice.STOP)


def test_after_the_deadline_nobody_decides() -> None:
    with pytest.raises(TimeIsOver):
        play(deciding(), DECIDE, OPENED + COLLECTING + DECIDING)


@pytest.mark.parametrize(
    ("collect", "decide", "field"),
    [
        (1, 40, "collect_until"),
        (30, 30, "decide_until"),
        (30, LATEST.days + 1, "decide_until"),
        (COLLECTING.days, (COLLECTING + DECIDING).days, "collect_until"),
    ],
)
def test_dates_move_to_later_moments_in_order(collect: int, decide: int, field: str) -> None:
    dates = Dates(OPENED + collect * DAY, OPENED + decide * DAY)
    with pytest.raises(BadMove) as refused:
        play(collecting(), Move(Kind.DATES_MOVED, "ed", "why", dates), OPENED + 2 * DAY)
    assert refused.value.about == field


def test_the_committee_has_its_time_after_an_outage() -> None:
    late = OPENED + COLLECTING + 3 * DECIDING
    closed, event = play(collecting(), Move(Kind.EVIDENCE_CLOSED, "system"), late)
    assert closed.dates.decide_until == late + DECIDING
    assert event.dates == closed.dates
