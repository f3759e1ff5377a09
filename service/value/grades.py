"""Grades of evidence: what a method can show, and who has to stand for it."""

import re
from collections.abc import Collection
from enum import StrEnum

from service.domain.people import Actor, Person, Role

FINANCE = "finance"
"""The third party that confirms money."""


class Method(StrEnum):
    """How it was found out what a use case brought."""

    RANDOMISED = "randomised"
    DIFFERENCE_IN_DIFFERENCES = "difference_in_differences"
    SYNTHETIC_CONTROL = "synthetic_control"
    INTERRUPTED_SERIES = "interrupted_series"
    BEFORE_AFTER_TREND = "before_after_trend"
    BEFORE_AFTER = "before_after"
    REPORT = "report"
    """Somebody says so."""


class Grade(StrEnum):
    """How far a measurement can be trusted; A is the best."""

    A = "A"
    """Randomised."""
    B = "B"
    """Controlled: compared with something that did not change."""
    C = "C"
    """Compared with its own course before."""
    D = "D"
    """Plain before and after."""
    E = "E"
    """Somebody's report."""


GRADES = {
    Method.RANDOMISED: Grade.A,
    Method.DIFFERENCE_IN_DIFFERENCES: Grade.B,
    Method.SYNTHETIC_CONTROL: Grade.B,
    Method.INTERRUPTED_SERIES: Grade.C,
    Method.BEFORE_AFTER_TREND: Grade.C,
    Method.BEFORE_AFTER: Grade.D,
    Method.REPORT: Grade.E,
}
"""The best that each method can give."""
WIDENING = {Grade.A: 0.0, Grade.B: 0.10, Grade.C: 0.20, Grade.D: 0.40, Grade.E: 0.70}
"""The standard error that a grade adds, as a share of the value due: a judgement of how far such
evidence is usually off, not something that was measured. It widens and never moves a value."""


def grade_of(method: Method, *, with_baseline: bool) -> Grade:
    """What a measurement by this method would be worth once it is confirmed. Without observations
    of the baseline nothing is better than a plain before and after."""
    grade = GRADES[method]
    return grade if with_baseline else max(grade, Grade.D)


def counted_as(grade: Grade, *, confirmed: bool) -> Grade:
    """What it counts as: somebody's report until somebody else has confirmed it."""
    return grade if confirmed else Grade.E


def may_change_case(actor: Actor, owners: Collection[str]) -> bool:
    """Whether this person may write another version of the investment case."""
    return actor.person_id in owners or Role.ENABLER in actor.roles


def may_measure(actor: Actor, owners: Collection[str]) -> bool:
    """Whether this person may enter a measurement, or correct one."""
    return may_change_case(actor, owners) or actor.belongs_to(FINANCE)


def why_not_confirm(
    person: Person, *, owners: Collection[str], sponsor: str, measured_by: str
) -> str:
    """Why this person cannot confirm a measurement and its money, as a sentence; empty if they can.

    `owners` are those of now and of before, `sponsor` as it was written when it was handed in.
    """
    if person.id in owners:
        return "you own this use case, and nobody confirms their own money"
    if is_sponsor(person, sponsor):
        return "you sponsor this use case, and nobody confirms their own money"
    if person.id == measured_by:
        return "you have measured it yourself: somebody else confirms it"
    if Role.ENABLER not in person.roles and not person.actor.belongs_to(FINANCE):
        return f"only enablement or {FINANCE} can confirm a measurement"
    return ""


def is_sponsor(person: Person, sponsor: str) -> bool:
    """Whether a use case names this person as its sponsor: their name or email is in what was
    written there. A sponsor who is named by a title only is not recognised."""
    return any(
        re.search(rf"(?<!\w){re.escape(name.strip())}(?!\w)", sponsor, re.IGNORECASE)
        for name in (person.name, person.email)
        if name.strip()
    )
