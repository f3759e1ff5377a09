"""Traced cases for the tests, written down as days."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from service.domain.case import Case, Outcome
from service.domain.standing import Mode
from service.domain.trace import Step, TracedCase

START = datetime(2024, 1, 1, tzinfo=UTC)

Spans = Sequence[tuple[str, str, Mode, float]]
"""Stage, holder, mode and days of each span."""


def day(number: float) -> datetime:
    """So many days after START."""
    return START + timedelta(days=number)


def case(
    name: str,
    spans: Spans,
    *,
    begins: float = 0.0,
    tier: str = "low",
    outcome: Outcome = Outcome.PRODUCTION,
) -> TracedCase:
    """A case that went through these spans; an open one is in the last of them."""
    steps, at = [], begins
    for stage, holder, mode, days in spans:
        steps.append(Step(day(at), stage, holder, mode))
        at += days
    ended = None if outcome is Outcome.OPEN else day(at)
    return TracedCase(Case(name, "intake", tier, "Unit", day(begins), ended, outcome), tuple(steps))


@st.composite
def many(draw: st.DrawFn, most: int = 30) -> list[TracedCase]:
    """Cases in two tiers, three stages and three holders; no two of them start at once."""
    found = []
    for number in range(draw(st.integers(1, most))):
        spans = draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["build", "evaluate", "triage"]),
                    st.sampled_from(["builder", "enablement", "risk"]),
                    st.sampled_from(list(Mode)),
                    st.integers(0, 8).map(lambda quarters: quarters / 4.0),
                ),
                min_size=1,
                max_size=5,
            )
        )
        found.append(
            case(
                str(number),
                spans,
                begins=draw(st.integers(0, 12)) + number / 64.0,
                tier=draw(st.sampled_from(["high", "low"])),
                outcome=draw(st.sampled_from([*Outcome, Outcome.PRODUCTION])),
            )
        )
    return found
