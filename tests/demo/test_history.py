"""The sample organisation as it is made up, before anything is written."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest

import demo.history
from demo.history import (
    BASELINE,
    EFFECT,
    SEED,
    YEARS,
    Size,
    before_the_intake,
    with_the_intake,
)
from demo.live import TITLE, ideas, story
from demo.people import MEMBERS, Cast, cast_of
from demo.playing import at_work, lived
from service.domain.case import Case, Outcome
from service.domain.cohort import INTAKE
from service.domain.lifecycle import begin, next_notice
from service.domain.people import Person
from service.domain.standing import Position
from service.domain.tiering import Tier
from service.intake.pathways import pathways, tier_of
from service.measure.cases import Collector
from service.measure.verdict import Direction, Verdict, judge

pytestmark = pytest.mark.long

AT = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@cache
def cast() -> Cast:
    return cast_of(
        {
            member: Person(
                member.key,
                member.name,
                member.email,
                frozenset([member.role]),
                member.party,
            )
            for member in MEMBERS
        }
    )


def judged(cases: list[Case], at: datetime) -> Verdict:
    collector = Collector()
    for case in cases:
        collector.add(case.cohort, case.tier, case.started_at, case.ended_at, case.outcome)
    return judge(collector.cases(at), intake=INTAKE, baseline=BASELINE)


def history(at: datetime, size: Size) -> list[Case]:
    traced = with_the_intake(cast(), at, size)
    return [*before_the_intake(cast(), at, size), *(one.case for one in traced)]


@cache
def truth() -> float:
    """The ratio that the verdict estimates, from four times as many cases of another draw."""
    seed, demo.history.SEED = demo.history.SEED, 1_000
    try:
        ratio = judged(history(AT, Size(2_000, 2_000)), AT).time.ratio
    finally:
        demo.history.SEED = seed
    assert ratio is not None
    return ratio


@pytest.mark.parametrize("days", [0, 45, 200])
def test_whenever_it_is_made_up_the_verdict_finds_what_was_put_in(days: int) -> None:
    at = AT + days * DAY
    found = judged(history(at, Size()), at)

    assert found.direction is Direction.COMPRESSES
    interval = found.time.ci
    assert interval is not None
    assert interval.low < EFFECT < interval.high
    assert interval.low < truth() < interval.high
    # The verdict looks at the first days only, where the slowest count with these days alone.
    assert truth() == pytest.approx(EFFECT, abs=0.03)
    assert {stratum.tier for stratum in found.strata if stratum.why_not is None} == set(Tier)


def test_the_same_moment_gives_the_same_history_and_nothing_lies_ahead() -> None:
    size = Size(60, 60)
    cases = history(AT, size)

    assert cases == history(AT, size)
    assert all((case.ended_at or case.started_at) <= AT for case in cases)
    assert min(case.started_at for case in cases) >= at_work(AT - 2 * YEARS)
    outcomes = Counter(case.outcome for case in history(AT, Size()))
    assert set(outcomes) == set(Outcome), "some are declined, withdrawn, open"


def test_every_position_of_every_pathway_is_shown() -> None:
    light = {Position.BUILDING, Position.PARKED, Position.IN_PRODUCTION, Position.WITHDRAWN}
    shown: dict[str, set[Position]] = {}
    for idea in ideas():
        shown.setdefault(idea.pathway, set()).add(idea.position)

    assert len(ideas()) == 52
    # A lower tier waits for several people to agree; the sample organisation proposes none.
    most = set(Position) - {Position.LOWERING}
    assert shown == {"light": light, "standard": most, "regulated": most}
    for tier in (Tier.MEDIUM, Tier.HIGH):
        keys = {stage.key for stage in pathways()[tier].stages}
        assert keys == {idea.stage for idea in ideas() if idea.pathway == pathways()[tier].key}, (
            "and every stage"
        )


def test_every_idea_comes_to_stand_where_it_says_with_no_notice_left_over() -> None:
    for number, idea in enumerate(ideas()):
        pathway = pathways()[tier_of(idea.risk).tier]
        assert pathway.key == idea.pathway, idea.title
        owner = cast().builders[idea.owner]
        acts = story(idea, cast(), np.random.default_rng([SEED, 2, number]))
        took = sum((act.after for act in acts), timedelta(0))
        begun = begin("1", pathway, (owner.id,), owner.id, at_work(AT - took - idea.days * DAY))
        standing = begun.standing
        for played in lived(standing, acts, until=AT, certifications=cast().certified[owner.id]):
            standing = played.standing

        assert (standing.stage.key, standing.position) == (idea.stage, idea.position), idea.title
        notice = next_notice(standing)
        assert notice is None or notice[1] > AT, "or all would be made at once"


def test_whoever_stops_a_use_case_says_why() -> None:
    spoken = {Position.ASKED, Position.REFERRED, Position.REVIEWING, Position.PARKED}
    spoken |= {Position.DECLINED, Position.WITHDRAWN}
    titles = {idea.title for idea in ideas()}

    assert len(titles) == 52
    assert not any(title.startswith(TITLE) for title in titles), "it is put before each"
    for idea in ideas():
        assert bool(idea.words) == (idea.position in spoken), idea.title
    words = [idea.words for idea in ideas() if idea.words]
    assert len(set(words)) == len(words)
