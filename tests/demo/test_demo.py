"""The sample organisation on real engines: it comes, it can be worked with, it goes without a
trace."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlmodel import col
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

import cli.demo
from cli.demo import fill_in, take_away
from demo.currency_rates import CURRENCIES
from demo.filling import Filled, fill, is_filled
from demo.history import BASELINE, EFFECT, Size
from demo.library import IDEAS, LOOKS_GOOD, WITHDRAWN
from demo.lighthouses import DAYS_IN, NAME
from demo.lighthouses import IDEAS as LIGHTHOUSES
from demo.live import TITLE, ideas
from demo.people import DOMAIN
from demo.removing import remove
from demo.reviews import STOPPED
from demo.value import RATE, STORIES
from demo.ways import EFFECTIVE
from service.assumptions.store import record_assumption
from service.columns import metadata
from service.database import Sessions
from service.domain.assumption import AssumptionKind
from service.domain.cohort import period_from, quarter_of
from service.domain.people import Actor, Role
from service.domain.standing import Position
from service.errors import Conflict, EngineUnreachable
from service.facts.as_of import Moment
from service.facts.counts.rebuild import recount
from service.facts.imported import begin_import, observed, write_cases
from service.forecasts.forecaster import Forecaster, forecast_due
from service.intake.tables import OutboxRow, UseCaseRow
from service.library.adoptions import users_of
from service.library.store import Wanted, find_asset, list_assets
from service.lighthouses.report import lighthouses
from service.lighthouses.rules import Criterion
from service.lighthouses.store import candidates_of, list_programmes
from service.people.browser_sessions import begin_browser_session
from service.people.directory import find_person
from service.people.sign_in import make_link
from service.people.tokens import issue_token
from service.reports.quarters import before, lock
from service.reports.question import Question
from service.reports.registry import Name, report
from service.settings import Settings
from service.value.evidence import State
from service.value.grades import Grade
from service.value.measurements import Kept, value_of
from tests.api.test_engines_away import no_temporal
from tests.facts.test_counts import counts
from tests.history.test_importing import case as imported
from tests.kit.browsing import guest
from tests.kit.engines import apart
from tests.kit.house import House, Visitor, open_house
from tests.kit.stories import act, staged
from workflows.intake.dispatcher import dispatch
from workflows.intake.messages import workflow_id
from workflows.intake.reconcile import Reconciler
from workflows.reviews.engine import hand_over

SMALL = Size(before=40, with_intake=50)
COUNTED = {"tally_entry", "tally_book"}
"""Tables that say the same in more than one way."""


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def own_house(database_url: str, client: Client) -> AsyncIterator[House]:
    """A house with a database and an engine that no other test looks at."""
    async with open_house(database_url, await apart(client)) as opened:
        yield opened


async def dump(sessions: Sessions) -> dict[str, list[str]]:
    """Every row of every table but the counts, as text."""
    rows = {}
    async with sessions() as session:
        for table in metadata.tables:
            if table not in COUNTED:
                listed = text(f'SELECT row::text FROM "{table}" AS row ORDER BY 1')  # noqa: S608
                rows[table] = list(await session.scalars(listed))
    return rows


async def use_cases(sessions: Sessions, *, sample: bool) -> list[UseCaseRow]:
    async with sessions() as session:
        found = select(UseCaseRow).where(col(UseCaseRow.sample) == sample)
        return list(await session.scalars(found.order_by(col(UseCaseRow.number))))


async def status(house: House, use_case_id: str) -> WorkflowExecutionStatus | None:
    """Of a use case's workflow; None when there is none."""
    try:
        handle = house.client.get_workflow_handle(workflow_id(use_case_id))
        return (await handle.describe()).status
    except RPCError:
        return None


async def signed_in(house: House, email: str) -> Visitor:
    """One of the sample people, with a token."""
    async with house.sessions.begin() as session:
        person = await find_person(session, email)
        token = await issue_token(session, person.id, label="test", at=now())
    http = house.anonymous()
    http.headers["Authorization"] = f"Bearer {token.secret}"
    return Visitor(person, token.secret, http)


async def lived_in(house: House) -> tuple[Visitor, Visitor]:
    """Something of everything that is real: people, use cases, history, a locked quarter, a
    programme of lighthouses."""
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    await staged(
        house.sessions,
        builder.person,
        [act(enabler.person, "claim", 20), act(enabler.person, "approve", 30)],
        days_ago=200,
    )
    async with house.sessions.begin() as session:
        run = await begin_import(session, "file.csv", at=now())
        await write_cases(session, run, [imported(number, 30.0) for number in range(9)])
        await observed(session, run, now())
    assert await lock(house.sessions, before(quarter_of(now())), at=now())
    assert await dispatch(house.sessions, house.engine, at=now()) == 1
    key = await builder.hand_in()
    await enabler.does(key, "claim")
    leader = await house.visitor(Role.LEADER)
    made = await leader.http.post("/v1/lighthouses", json={"name": "Real"})
    answer = await leader.http.post(candidates(made.json()["id"]), json={"use_case": key})
    assert answer.status_code == 201, answer.text
    return builder, leader


def candidates(programme: str) -> str:
    """Where use cases are proposed for a programme."""
    return f"/v1/lighthouses/{programme}/candidates"


async def test_it_goes_without_a_trace_and_leaves_all_that_is_real(own_house: House) -> None:
    house, sessions = own_house, own_house.sessions
    builder, leader = await lived_in(house)
    there, counted = await dump(sessions), await counts(sessions)

    with pytest.raises(Conflict, match="mix them with the samples"):
        await fill(sessions, house.engine, at=now(), size=SMALL)
    assert await dump(sessions) == there
    filled = await fill(sessions, house.engine, at=now(), size=SMALL, among_others=True)
    assert (filled.live, filled.on_engine) == (52, 52)

    # It is used: decided on, handed in to, signed in to, proposed for what is real, forecast and
    # locked beside it.
    async with sessions() as session:
        programmes = await list_programmes(session, Moment(now(), asked=False))
        theirs, ours = (
            [one.id for one in programmes if one.name == name] for name in (NAME, "Real")
        )
        proposed = await candidates_of(session, theirs[0])
    sample = next(one for one in proposed if one.row.ended_at is None)
    answer = await leader.http.post(candidates(ours[0]), json={"use_case": sample.key})
    assert answer.status_code == 201, answer.text
    assert len(programmes) == 2
    mei = await signed_in(house, f"mei.tanaka@{DOMAIN}")
    await mei.hand_in(title="One more")
    asked = next(
        row
        for row in await use_cases(sessions, sample=True)
        if row.position is Position.ASKED and row.owner_id == mei.person.id
    )
    await mei.does(f"UC-{asked.number}", "answer", reason="It does as well on those.")
    async with sessions.begin() as session:
        await record_assumption(
            session,
            kind=AssumptionKind.SAME_TRIAGE,
            baseline="before",
            reason="So it seems.",
            person_id=mei.person.id,
            at=now(),
        )
        await begin_browser_session(session, mei.person.id, at=now())
        await make_link(session, mei.person.id, at=now())
    await forecast_due(sessions, Forecaster(sessions, now), at=now())
    forecasts = (await dump(sessions))["forecast"]
    assert any(
        row.id in line for row in await use_cases(sessions, sample=False) for line in forecasts
    ), "of a real one, resting on samples"
    assert await lock(sessions, period_from("2020-Q1"), at=now()), "of the real baseline"
    await hand_over(sessions, house.app.state.context.reviews)
    edith = await signed_in(house, f"edith.vance@{DOMAIN}")
    held = (await edith.sees("reviews"))["items"]
    assert [one["phase"] for one in held] == ["deciding", "locked", "locked", "locked"]
    assert 0 < held[0]["decided"] < held[0]["to_decide"]
    newest = held[0]["quarter"]
    assert (await edith.sees(f"reviews/{newest}"))["scores"]["predictions"] > 0
    answer = await edith.http.post(f"/v1/reviews/{newest}/lock", json={"reason": "Enough."})
    assert answer.status_code == 200, answer.text
    samples = [row.id for row in await use_cases(sessions, sample=True)]
    assert len(samples) == 53

    removed = await remove(sessions, house.engine)
    assert removed is not None
    assert (removed.people, removed.use_cases, removed.history) == (15, 53, 90)
    assert removed.kept == []
    assert await dump(sessions) == there
    assert await counts(sessions) == counted
    assert await recount(sessions) == 11
    assert await counts(sessions) == counted
    running = WorkflowExecutionStatus.RUNNING
    assert running not in [await status(house, one) for one in samples]
    real = await use_cases(sessions, sample=False)
    assert [await status(house, row.id) for row in real] == [running, running]
    await builder.does(f"UC-{real[-1].number}", "park", reason="It works as before.")
    assert await remove(sessions, house.engine) is None


async def test_without_the_engine_nothing_is_lost_and_whoever_acted_on_what_is_real_stays_in_it(
    own_house: House,
) -> None:
    house, sessions, away = own_house, own_house.sessions, await no_temporal()
    filled = await fill(sessions, away, at=now(), size=SMALL)

    assert (filled.live, filled.on_engine) == (52, 0)
    await is_at_day_55_with_everything_written_before_the_outcome(sessions)
    there = await dump(sessions)
    with pytest.raises(EngineUnreachable):
        await remove(sessions, away)
    assert await dump(sessions) == there
    taken = [await dispatch(sessions, house.engine, at=now()) for _ in range(2)]
    assert sum(taken) == 52

    builder = await house.visitor(Role.BUILDER)
    greta = await signed_in(house, f"greta.lund@{DOMAIN}")
    key = await builder.hand_in()
    await greta.does(key, "claim")
    leader, lea = await house.visitor(Role.LEADER), await signed_in(house, f"edith.vance@{DOMAIN}")
    body = {"kind": "same_triage", "baseline": BASELINE, "reason": "So it seems."}
    real = (await leader.http.post("/v1/assumptions", json=body)).json()
    withdrawal = {"reason": "Not any more."}
    gone = await lea.http.post(f"/v1/assumptions/{real['id']}/withdraw", json=withdrawal)
    assert gone.status_code == 200

    removed = await remove(sessions, house.engine)
    assert removed is not None
    assert removed.kept == sorted([greta.person.name, lea.person.name])
    [kept] = (await leader.sees("assumptions"))["items"]
    assert kept["withdrawn_by"]["name"] == lea.person.name, "what is real is not rewritten"
    assert not await is_filled(sessions)
    assert (await builder.sees(f"use-cases/{key}"))["assignee"]["name"] == "Greta Lund (sample)"
    assert (await greta.http.get("/v1/queue")).status_code == 401
    again = await fill(sessions, away, at=now(), size=SMALL, among_others=True)
    assert len(again.people) == 15, "it can come again"


async def is_at_day_55_with_everything_written_before_the_outcome(sessions: Sessions) -> None:
    """Assert it of the sample organisation's programme of lighthouses."""
    async with sessions() as session:
        found = await lighthouses(session, Moment(now(), asked=False))
        proposed = await candidates_of(session, found.programme.id if found.programme else "")

    assert found.programme is not None
    assert (found.programme.name, found.programme.days_in(now())) == (NAME, DAYS_IN)
    assert len(found.candidates) == sum(one.chosen is True for one in LIGHTHOUSES)
    assert found.live >= 1
    assert found.p is not None
    assert 0.0 < found.p < 1.0
    for one in proposed:
        ended = one.row.ended_at
        moments = [one.proposed_at, *(each.at for each in one.written)]
        moments += [each.at for each in one.choices]
        assert moments == sorted(moments)
        assert max(moments) < (ended or now())
        if one.choice is not None and one.choice.chosen:
            assert set(one.criteria) == set(Criterion)


async def value(
    sessions: Sessions, rows: Sequence[UseCaseRow]
) -> tuple[Counter[State], Counter[Grade], int, int]:
    """How many use cases stand where with their value, how many
    measurements count as what; how many of them equal their plan, how many were corrected."""
    states: Counter[State] = Counter()
    kept: list[Kept] = []
    async with sessions() as session:
        for row in rows:
            if row.position is Position.IN_PRODUCTION:
                found = await value_of(session, row, now())
                states[found.against_latest.state] += 1
                kept += found.measurements
    counting = [one for one in kept if one.counts]
    return (
        states,
        Counter(one.measurement.counts_as for one in counting),
        sum(one.equals_plan for one in counting),
        len(kept) - len(counting),
    )


async def reports(sessions: Sessions) -> dict[Name, dict[str, Any]]:
    async with sessions() as session:
        return {
            name: (await report(session, name, Moment(now(), asked=False), Question())).as_json()
            for name in Name
        }


@pytest.mark.parametrize(
    ("role", "path", "next_step"),
    [
        (Role.BUILDER, "/use-cases", "Hand in the first one"),
        (Role.ENABLER, "/queue", "What builders hand in comes here by itself."),
        (Role.ENABLER, "/use-cases", "As soon as a builder hands something in, it is here"),
        (Role.LEADER, "/board", "As soon as a builder hands something in, it is here"),
        (Role.LEADER, "/reports", "look at a file of it under Compare"),
        (Role.LEADER, "/reports/clock", "It fills as use cases move."),
    ],
)
async def test_before_anything_is_here_pages_say_what_to_do_next(
    quiet_house: House, role: Role, path: str, next_step: str
) -> None:
    page = await (await guest(quiet_house, role)).sees(path)
    assert next_step in page.text


async def every_page_has_something_to_show(house: House, quarters: Sequence[str]) -> None:
    """Assert it, of every report; and that each live case is the engine's."""
    sessions = house.sessions
    # Live: where the ideas say, on the engine, in agreement with it, and with nothing left to do.
    rows = await use_cases(sessions, sample=True)
    standing = Counter((row.pathway, row.stage, row.position) for row in rows)
    assert standing == Counter((idea.pathway, idea.stage, idea.position) for idea in ideas())
    reconciled = await Reconciler(sessions, house.client, house.engine, repair=False).run()
    ours = {row.id for row in rows}
    assert [found for found in reconciled.findings if found.use_case in ours] == []
    async with sessions() as session:
        assert await session.scalar(select(OutboxRow)) is None
        made_now = text("SELECT count(*) FROM transition WHERE at > now() - interval '1 minute'")
        assert await session.scalar(made_now) == 0, "no reminder that fell due long ago"
    ages = sorted((now() - row.submitted_at) / timedelta(days=1) for row in rows)
    assert ages[0] < 2
    assert ages[-1] > 50
    assert all("Sample" in row.title and "Sample" in row.business_unit for row in rows)

    found = await reports(sessions)
    verdict: Any = found[Name.VERDICT]
    assert verdict["verdict"] == "compresses"
    low, high = verdict["ci"]
    assert low < EFFECT < high
    assert "compresses" in str(verdict["sentence"])
    assert [row["quarter"] for row in verdict["locked"]] == list(quarters)
    assert len(quarters) in {7, 8}
    assert verdict["locked"][-1]["verdict"] == "compresses"
    holders = {part["holder"] for part in _of(found, Name.CLOCK, "groups")[0]["parts"]}
    assert holders == {"builder", "enablement", "legal", "risk", "parked"}
    stages = [stage["stage"] for stage in _of(found, Name.STAGES, "groups")[0]["stages"]]
    assert {"triage", "risk-assessment", "launch"} <= set(stages)
    assert all(check["ok"] for check in _of(found, Name.FLOW, "checks"))
    assert _of(found, Name.FLOW, "wip") > 30
    assert _of(found, Name.HELP, "waits")[0]["saved_days"] > 0.5
    assert _of(found, Name.FORECASTS, "held")[0]["forecasts"] >= 60
    assert _of(found, Name.FORECASTS, "backtest")[0]["forecasts"] > 100
    assert any("UC-" in row["case"] for row in _of(found, Name.DECISIONS, "decisions"))
    assert (_of(found, Name.SCALE, "unused"), _of(found, Name.SCALE, "uncounted")) == (1, 1)
    hundred, thousand, second, own, _ = _of(found, Name.SCALE, "groups")[0]["milestones"]
    assert own["cases"] == sum(one.users > 0 for one in STORIES)
    assert [one["reached"] for one in (hundred, thousand, second)] == [10, 5, 10]
    assert _of(found, Name.SCALE, "obstacles")[0]["obstacle"] == "access"
    hours = _of(found, Name.EFFORT, "total")
    assert 0 < hours["tracking_hours"] < hours["modelling_hours"]
    assert 0.5 < hours["said"] / hours["asked"] < 1
    assert found[Name.CHANGES]["sentence"] == "No pathway has been changed yet."
    effects = {one["asset"]: one for one in _of(found, Name.LIBRARY, "assets")}
    assert effects[EFFECTIVE]["verdict"] == "helps"
    assert effects[EFFECTIVE]["time_dependent"]["ci"][0] > 1.0
    assert [one for one in effects if effects[one]["verdict"] != "no verdict"] == [EFFECTIVE]
    checks = effects[EFFECTIVE]["checks"]
    assert checks["opened"] == checks["drawn"] == checks["checked"] + 2, "two are due"
    assert (checks["unfit"], checks["ci"] is None) == (1, False)
    offered = _of(found, Name.LIBRARY, "offers")
    assert [one["kind"] for one in offered] == [
        *("template", "office_hour", "coach", "clinic", "training")
    ]
    assert all(one["offered"] >= one["taken"] + one["declined"] > 0 for one in offered[:4])
    assert {one["effect"]["verdict"] for one in offered[:4]} == {"no verdict"}
    low, high = effects[LOOKS_GOOD]["time_dependent"]["ci"]
    assert low < 1.0 < high
    async with sessions() as session:
        library = (await list_assets(session, Wanted())).items
        enabler = Actor("nobody", frozenset({Role.ENABLER}))
        users = await users_of(session, await find_asset(session, WITHDRAWN), enabler)
    assert len(library) == len(IDEAS) == 12
    assert users.listed[0].number == 1, "in a version that is withdrawn"

    # What they promised and delivered: every grade, and what nobody has measured.
    states, grades, exact, corrected = await value(sessions, rows)
    assert states == Counter({State.MEASURED: len(STORIES), State.UNPROVEN: 3, State.NOT_DUE: 5})
    assert set(grades) == set(Grade)
    low, high = _of(found, Name.VALUE, "ci_like")
    assert low < RATE < high
    assert (_of(found, Name.VALUE, "measured"), _of(found, Name.VALUE, "unproven")) == (9, 3)
    assert (exact, corrected) == (1, 1)
    edith = await signed_in(house, f"edith.vance@{DOMAIN}")
    portfolio = await edith.sees("portfolio?limit=200")
    assert {one["currency"] for one in portfolio["items"]} == {"EUR", *CURRENCIES.values()}
    assert not [one for one in portfolio["notes"] if "rate of" in one], "all of it is converted"
    [stopped] = [one for one in portfolio["items"] if one["title"] == TITLE + STOPPED]
    assert (stopped["decision"], stopped["state"]) == ("stop", "measured"), "stopped, and counted"


async def one_can_go_on(house: House) -> None:
    """Assert it: somebody of the sample organisation decides."""
    rows = await use_cases(house.sessions, sample=True)
    samuel = await signed_in(house, f"samuel.okoro@{DOMAIN}")
    queued = next(row for row in rows if (row.stage, row.position) == ("shape", Position.QUEUED))
    await samuel.does(f"UC-{queued.number}", "claim")
    await samuel.does(f"UC-{queued.number}", "hand_over")
    assert (await samuel.sees(f"use-cases/UC-{queued.number}"))["position"] == "building"


def _of(found: dict[Name, dict[str, Any]], name: Name, key: str) -> Any:
    return found[name][key]


@pytest.fixture
def configured(
    own_house: House, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Settings]:
    """The command finds this house, as it finds a running one."""
    settings = Settings(
        database_url=SecretStr(database_url), task_queue=own_house.engine.task_queue
    )

    async def client() -> Client:
        return own_house.client

    monkeypatch.setattr(cli.demo, "configured", lambda: settings)
    monkeypatch.setattr(cli.demo, "open_client", client)
    return lambda: settings


@pytest.mark.usefixtures("configured")
async def test_the_command_says_what_it_did_and_twice_is_once(
    own_house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    came: list[Filled] = []

    async def fills(*given: Any, **how: Any) -> Filled:
        came.append(await fill(*given, **how))
        return came[-1]

    monkeypatch.setattr(cli.demo, "fill", fills)
    await fill_in(tokens=True, among_others=False)
    said = capsys.readouterr().out
    assert "15 people, 480 cases from before the intake, 520 with it, 52 live ones" in said
    assert "every stay takes 0.75 of" in said
    assert "Intake compresses time-to-production" in said
    assert said.count(" hw_") == 15
    await every_page_has_something_to_show(own_house, came[0].quarters)
    there = await dump(own_house.sessions)

    await fill_in(tokens=False, among_others=False)
    assert "is here already. Nothing was touched." in capsys.readouterr().out
    assert await dump(own_house.sessions) == there
    assert len(came) == 1

    await one_can_go_on(own_house)
    await take_away()
    assert "Gone: 15 people, 52 live use cases, 1000 cases of history" in capsys.readouterr().out
    left = await dump(own_house.sessions)
    assert {table: rows for table, rows in left.items() if rows} == {
        "certification_kind": ['(responsible-ai,"Responsible AI","",)']  # of every installation
    }
    assert await counts(own_house.sessions) == {}
    await take_away()
    assert "It is not here. Nothing was touched." in capsys.readouterr().out
