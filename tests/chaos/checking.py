"""What must be true after the killing, as a function of what was seen: no I/O here."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.domain.clock import Transition, spans
from service.domain.commands import Command

BY_ITSELF = frozenset({Command.SUBMIT, Command.PASS, Command.REMIND, Command.ESCALATE})
"""What is recorded without a decision of somebody's."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submission that was answered with 201."""

    title: str
    key: str
    use_case_id: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A command that was answered with 200. A lane gives one command after the other."""

    lane: str
    key: str
    command: str
    decision_id: str
    sequences: tuple[int, ...]
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A use case as the database has it."""

    use_case_id: str
    key: str
    title: str
    sequence: int
    ended_at: datetime | None
    standing: dict[str, Any]
    log: tuple[Transition, ...]
    decisions: dict[int, str]
    """Sequences of the transitions that a decision caused directly, and its id."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was seen. `sent` are the titles of all submissions, answered or not."""

    sent: frozenset[str]
    submitted: tuple[Submitted, ...]
    acknowledged: tuple[Acknowledged, ...]
    cases: tuple[Case, ...]
    engine: dict[str, dict[str, Any]]
    """What each workflow says of itself, by use case id."""
    waiting: int
    """Use cases that no workflow has been started for."""
    looked_at: datetime


def violations(facts: Facts) -> list[str]:
    """Every promise that was broken, in words; none when all is well."""
    return [
        *_submissions(facts),
        *_commands(facts),
        *_order(facts),
        *(broken for case in facts.cases for broken in _case(case, facts)),
    ]


def _submissions(facts: Facts) -> Iterator[str]:
    by_title = Counter(case.title for case in facts.cases)
    known = {(case.title, case.key, case.use_case_id) for case in facts.cases}
    for title, times in by_title.items():
        if times > 1:
            yield f"submission {title!r} is there {times} times"
        if title not in facts.sent:
            yield f"submission {title!r} was never sent"
    for told in facts.submitted:
        if (told.title, told.key, told.use_case_id) not in known:
            yield f"submission {told.title!r} was acknowledged as {told.key} and is not there"
    if facts.waiting:
        yield f"{facts.waiting} use cases have not reached the engine"


def _commands(facts: Facts) -> Iterator[str]:
    cases = {case.key: case for case in facts.cases}
    for told in facts.acknowledged:
        what = f"{told.key}: {told.command} ({told.decision_id[:8]})"
        case = cases.get(told.key)
        places = [s for s, by in case.decisions.items() if by == told.decision_id] if case else []
        if case is None or not places:
            yield f"{what} was acknowledged and is not there"
            continue
        if len(places) > 1:
            yield f"{what} is there {len(places)} times"
        step = next((step for step in case.log if step.sequence == places[0]), None)
        if places[0] != told.sequences[0] or step is None or step.command != told.command:
            yield f"{what} was acknowledged as {told.sequences[0]} and is at {places[0]}"
        if told.reference:
            times = sum(step.reference == told.reference for step in case.log)
            if times != 1:
                yield f"{what} left {told.reference!r} {times} times"


def _order(facts: Facts) -> Iterator[str]:
    last: dict[tuple[str, str], Acknowledged] = {}
    for told in facts.acknowledged:
        before = last.get((told.lane, told.key))
        if before is not None and told.sequences[0] <= before.sequences[-1]:
            yield (
                f"{told.key}: {told.command} at {told.sequences[0]} was acknowledged after "
                f"{before.command} at {before.sequences[-1]}"
            )
        last[told.lane, told.key] = told


def _case(case: Case, facts: Facts) -> Iterator[str]:
    sequences = [step.sequence for step in case.log]
    if sequences != list(range(1, len(sequences) + 1)) or case.sequence != len(sequences):
        yield f"{case.key}: its sequence has gaps or doubles: {sequences}, {case.sequence}"
    if any(later.at < earlier.at for earlier, later in zip(case.log, case.log[1:], strict=False)):
        yield f"{case.key}: its time runs backwards"
    for step in case.log:
        if step.sequence not in case.decisions and step.command not in BY_ITSELF:
            yield f"{case.key}: {step.command.value} at {step.sequence} was nobody's decision"
    if len(set(case.decisions.values())) != len(case.decisions):
        yield f"{case.key}: a decision was recorded more than once"
    end = case.ended_at or facts.looked_at
    elapsed = end - case.log[0].at if case.log else timedelta(0)
    if sum((span.elapsed for span in spans(case.log, end)), timedelta(0)) != elapsed:
        yield f"{case.key}: its clock does not add up to {elapsed}"
    if facts.engine.get(case.use_case_id) != case.standing:
        yield f"{case.key}: engine and database disagree on where it stands"
