"""What a method can show, and who has to stand for it."""

import pytest

from service.domain.people import Person, Role
from service.value.grades import (
    GRADES,
    WIDENING,
    Grade,
    Method,
    counted_as,
    grade_of,
    is_sponsor,
    may_change_case,
    may_measure,
    why_not_confirm,
)


def person(name: str, *roles: Role, party: str | None = None) -> Person:
    return Person(name, f"{name.title()} Smith", f"{name}@example.com", frozenset(roles), party)


def test_every_method_has_a_grade_and_every_grade_a_widening_that_grows() -> None:
    assert set(GRADES) == set(Method)
    assert set(GRADES.values()) == set(Grade) == set(WIDENING)
    widenings = [WIDENING[grade] for grade in sorted(Grade)]
    assert widenings == [0.0, 0.10, 0.20, 0.40, 0.70]


@pytest.mark.parametrize(
    ("method", "with_baseline", "without"),
    [
        (Method.RANDOMISED, "A", "D"),
        (Method.DIFFERENCE_IN_DIFFERENCES, "B", "D"),
        (Method.SYNTHETIC_CONTROL, "B", "D"),
        (Method.INTERRUPTED_SERIES, "C", "D"),
        (Method.BEFORE_AFTER_TREND, "C", "D"),
        (Method.BEFORE_AFTER, "D", "D"),
        (Method.REPORT, "E", "E"),
    ],
)
def test_without_a_baseline_nothing_is_better_than_a_plain_before_and_after(
    method: Method, with_baseline: str, without: str
) -> None:
    assert grade_of(method, with_baseline=True) == with_baseline
    assert grade_of(method, with_baseline=False) == without


@pytest.mark.parametrize("grade", list(Grade))
def test_what_nobody_has_confirmed_is_a_report(grade: Grade) -> None:
    assert counted_as(grade, confirmed=False) is Grade.E
    assert counted_as(grade, confirmed=True) is grade


def test_who_may_change_and_who_may_measure() -> None:
    owner = person("olga", Role.BUILDER)
    finance = person("finn", Role.REVIEWER, party="finance")
    allowed = {
        "olga": (True, True),
        "enzo": (True, True),
        "finn": (False, True),
        "lars": (False, False),
        "lea": (False, False),
        "ada": (False, False),
        "bea": (False, False),
    }
    people = [
        *(owner, finance, person("enzo", Role.ENABLER), person("bea", Role.BUILDER)),
        *(person("lars", Role.REVIEWER, party="legal"), person("lea", Role.LEADER)),
        person("ada", Role.ADMIN),
    ]
    found = {
        one.id: (may_change_case(one.actor, [owner.id]), may_measure(one.actor, [owner.id]))
        for one in people
    }
    assert found == allowed


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (person("enzo", Role.ENABLER), ""),
        (person("finn", Role.REVIEWER, party="finance"), ""),
        (person("lars", Role.REVIEWER, party="legal"), "only enablement or finance"),
        (person("lea", Role.LEADER), "only enablement or finance"),
        (person("ada", Role.ADMIN), "only enablement or finance"),
        (person("bea", Role.BUILDER), "only enablement or finance"),
        (person("olga", *Role, party="finance"), "you own this use case"),
        (person("sara", *Role, party="finance"), "you sponsor this use case"),
        (person("mia", *Role, party="finance"), "you have measured it yourself"),
    ],
    ids=lambda value: value.id if isinstance(value, Person) else "",
)
def test_nobody_confirms_their_own_money(who: Person, why: str) -> None:
    found = why_not_confirm(
        who, owners={"olga"}, sponsor="Sara Smith, head of claims", measured_by="mia"
    )
    assert found.startswith(why) if why else found == ""


@pytest.mark.parametrize(
    ("sponsor", "is_she"),
    [
        ("Sara Smith", True),
        ("head of claims (sara smith)", True),
        ("SARA@example.com", True),
        ("Sara Smithson", False),
        ("Head of claims", False),
        ("", False),
    ],
)
def test_a_sponsor_is_recognised_by_name_or_email(sponsor: str, is_she: bool) -> None:
    assert is_sponsor(person("sara", Role.LEADER), sponsor) is is_she
