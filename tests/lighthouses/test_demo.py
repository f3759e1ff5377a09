"""The sample organisation's programme: at day 55 of 90, and gone without a trace."""

from datetime import UTC, datetime

from demo.filling import fill
from demo.lighthouses import DAYS_IN, IDEAS, NAME
from demo.removing import remove
from service.database import Sessions
from service.domain.moment import Moment
from service.domain.people import Role
from service.lighthouses.report import lighthouses
from service.lighthouses.rules import Criterion
from service.lighthouses.store import candidates_of, list_programmes
from tests.api.test_engines_away import no_temporal
from tests.demo.test_demo import SMALL, dump
from tests.demo.test_demo import own_house as own_house  # noqa: PLC0414 - a fixture
from tests.kit.house import House


def now() -> datetime:
    return datetime.now(UTC)


async def test_it_is_at_day_55_with_everything_written_before_the_outcome(
    sessions: Sessions,
) -> None:
    await fill(sessions, await no_temporal(), at=now(), size=SMALL)
    async with sessions() as session:
        found = await lighthouses(session, Moment(now(), asked=False))
        candidates = await candidates_of(session, found.programme.id if found.programme else "")

    assert found.programme is not None
    assert (found.programme.name, found.programme.days_in(now())) == (NAME, DAYS_IN)
    assert len(found.candidates) == sum(one.chosen is True for one in IDEAS)
    assert found.live >= 1
    assert found.p is not None
    assert 0.0 < found.p < 1.0
    for one in candidates:
        ended = one.row.ended_at
        moments = [one.proposed_at, *(each.at for each in one.written)]
        moments += [each.at for each in one.choices]
        assert moments == sorted(moments)
        assert max(moments) < (ended or now())
        if one.choice is not None and one.choice.chosen:
            assert set(one.criteria) == set(Criterion)


async def test_it_goes_and_leaves_a_real_programme(own_house: House) -> None:
    sessions = own_house.sessions
    leader, builder = await own_house.visitor(Role.LEADER), await own_house.visitor(Role.BUILDER)
    answer = await leader.http.post("/v1/lighthouses", json={"name": "Real"})
    path = f"/v1/lighthouses/{answer.json()['id']}/candidates"
    real = await builder.hand_in()
    await leader.http.post(path, json={"use_case": real})
    there = {name: rows for name, rows in (await dump(sessions)).items() if "lighthouse" in name}
    await fill(sessions, own_house.engine, at=now(), size=SMALL, among_others=True)
    async with sessions() as session:
        listed = await list_programmes(session, Moment(now(), asked=False))
        theirs = await candidates_of(session, next(one.id for one in listed if one.name == NAME))
    sample = next(one for one in theirs if one.row.ended_at is None)
    proposed = await leader.http.post(path, json={"use_case": sample.key})
    assert proposed.status_code == 201
    assert len(listed) == 2

    removed = await remove(sessions, own_house.engine)
    assert removed is not None
    assert removed.kept == []
    left = {name: rows for name, rows in (await dump(sessions)).items() if "lighthouse" in name}
    assert left == there
