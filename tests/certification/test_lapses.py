"""What a lapse will cost: from stays and days alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from service.certification.lapses import (
    HORIZON,
    Known,
    OpenCase,
    WillWait,
    coverage,
    lapses,
    schedule,
    will_wait,
)
from service.domain.certification import Certificate, Effect, RequiredOf, Requirement
from service.domain.pathway import Stage
from service.domain.tiering import Tier
from service.intake.pathways import pathways

LIGHT, STANDARD, REGULATED = (pathways()[tier] for tier in Tier)
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
TODAY = AT.date()
DAY = timedelta(days=1)


def ten_days(tier: Tier, stage: Stage) -> timedelta:
    """In every stage."""
    return 10 * DAY


CASE = OpenCase("UC-1", "Claims", ("olga", "otto"), STANDARD, "build", AT - 4 * DAY)
"""Leaves build in 6 days, evaluate in 16, the launch review in 26, launch in 36."""


def asked(of: RequiredOf, stage: str | None = None, **more: object) -> Requirement:
    one = Requirement(of, "course", None, stage, Effect.BLOCKS, "a law", TODAY - DAY)
    return replace(one, **more)  # type: ignore[arg-type]


def held(**days: int | None) -> dict[str, list[Certificate]]:
    """By person, the days left."""
    return {
        who: [Certificate("course", TODAY - DAY, None if left is None else TODAY + left * DAY)]
        for who, left in days.items()
    }


def waits(known: Known, case: OpenCase = CASE) -> tuple[str, tuple[str, ...], float] | None:
    found: WillWait | None = will_wait(case, known, AT, ten_days)
    return None if found is None else (found.stage.key, found.people, found.days)


def test_a_case_moves_on_by_the_usual_stays_and_never_before_now() -> None:
    days = [(stage.key, (at - AT) / DAY) for stage, at in schedule(CASE, AT, ten_days)]
    assert days == [("build", 6), ("evaluate", 16), ("launch-review", 26), ("launch", 36)]
    late = replace(CASE, entered=AT - 30 * DAY)
    assert next(iter(schedule(late, AT, ten_days)))[1] == AT


def test_it_waits_at_the_first_stage_that_it_would_leave_after_the_lapse() -> None:
    owner = Known([asked(RequiredOf.OWNER)], held(olga=15))
    assert waits(owner) == ("evaluate", ("olga",), 74.0), "16 of the 90 days are over by then"
    assert waits(Known([asked(RequiredOf.OWNER)], held(olga=16))) == (
        "launch-review",
        ("olga",),
        64.0,
    ), "the last day counts"
    assert waits(Known([asked(RequiredOf.OWNER)], held(olga=None))) is None
    assert waits(Known([asked(RequiredOf.OWNER, "evaluate")], held(olga=20))) is None
    assert waits(Known([asked(RequiredOf.OWNER)], held(otto=None))) == ("build", (), 84.0), (
        "missing already"
    )


def test_what_only_warns_or_is_over_by_then_keeps_nothing_waiting() -> None:
    warns = asked(RequiredOf.OWNER, effect=Effect.WARNS)
    over = asked(RequiredOf.OWNER, "evaluate", valid_until=TODAY + 12 * DAY)
    begins = asked(RequiredOf.OWNER, "evaluate", valid_from=TODAY + 16 * DAY)
    assert waits(Known([warns, over])) is None
    assert waits(Known([begins])) == ("evaluate", (), 74.0)


def test_of_approvers_as_many_must_stay_certified_as_must_approve() -> None:
    members = {"enablement": ("ada", "ben", "olga")}
    rule = [asked(RequiredOf.APPROVER, "evaluate")]
    assert waits(Known(rule, held(ada=3, ben=None), members)) is None
    both = Known(rule, held(ada=3, ben=9, olga=None), members)
    assert waits(both) == ("evaluate", ("ada", "ben"), 74.0), "an owner does not approve"
    two = replace(CASE, pathway=REGULATED, stage="launch-review", entered=AT - 8 * DAY)
    responsible = {"olga": [Certificate("responsible-ai", TODAY)]}
    known = Known(
        [asked(RequiredOf.APPROVER, "launch-review")],
        {**held(ada=1, ben=None), **responsible},
        members,
    )
    assert waits(known, two) == ("launch-review", ("ada",), 88.0)
    assert waits(known, replace(two, approvals=1)) is None


def test_what_a_pathway_asks_for_itself_is_asked_too() -> None:
    case = replace(CASE, pathway=REGULATED, stage="launch-review", entered=AT)
    lapsing = {"olga": [Certificate("responsible-ai", TODAY, TODAY + 3 * DAY)]}
    assert waits(Known([], lapsing), case) == ("launch-review", ("olga",), 80.0)


def test_who_lapses_is_who_has_nothing_that_follows() -> None:
    renewed = [
        Certificate("course", TODAY, TODAY + 5 * DAY),
        Certificate("course", TODAY + 6 * DAY, TODAY + 400 * DAY),
    ]
    some = {**held(ada=40, ben=int(HORIZON / DAY), cleo=None), "dora": renewed}
    found = [(one.person, one.last_day - TODAY) for one in lapses(some, TODAY)]
    assert found == [("ada", 40 * DAY)]


def test_coverage_counts_each_person_once_by_group() -> None:
    cases = [CASE, replace(CASE, key="UC-2", unit="Sales", owners=("otto",))]
    known = Known([asked(RequiredOf.OWNER), asked(RequiredOf.BUILDER)], held(otto=None))

    def told(group: str, of: RequiredOf) -> tuple[int, int]:
        found = coverage(cases, known, TODAY, lambda case: getattr(case, group))
        return {(one.group, one.required_of): (one.certified, one.people) for one in found}[
            {"unit": "Claims", "key": "UC-1"}[group], of
        ]

    assert told("unit", RequiredOf.OWNER) == (0, 1)
    assert told("unit", RequiredOf.BUILDER) == (1, 2)
    by_tier = coverage(cases, known, TODAY, lambda case: case.pathway.tier.value)
    assert [(one.certified, one.people) for one in by_tier] == [(1, 2), (1, 2)]
