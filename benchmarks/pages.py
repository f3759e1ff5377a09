"""How long every page takes at the server, with 100,000 cases and 400,000 measurements.

    python -m benchmarks.pages --cases 100000

Makes the database of `benchmarks.million`, then asks for every page through the app itself, without
a network and with a browser's headers, as somebody who may see it. The first request, the median
and the best of some with every report read anew, and the median of some with the report at hand
(`web/reports/recent.py`). Pictures are drawn at the first request. The aim is 200 ms.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import asyncpg
import httpx
from fastapi import FastAPI

import migrations
from api.app import create_app
from api.kit.context import Context
from benchmarks.million import NOW, fill
from embedded.postgres import postgres, postgres_url
from embedded.program import running
from service.database import Sessions, open_sessions
from service.domain.people import Role
from service.domain.standing import OUTCOMES, Hold, Position, Standing
from service.domain.tiering import Tier
from service.facts.counts.rebuild import recount
from service.forecasts.forecaster import forecast_due
from service.intake.engine import Engine
from service.intake.pathways import pathways
from service.intake.use_cases import STANDING
from service.people.browser_sessions import begin_browser_session
from service.people.directory import add_person
from service.reports.registry import Name
from service.reviews.engine import ReviewEngine
from service.reviews.rules import Kind, Move, play
from service.reviews.store import find_review, open_review, quarter_named, record, standing_of
from web.app import with_pages
from web.history.files import Files
from web.reports.recent import RecentReports

TIMES = 7
AIM = 200.0
ORIGIN = "http://headway.test"
RISK = {
    **dict.fromkeys(("personal_data", "affects_people", "safety_impact"), False),
    **dict.fromkeys(("customer_facing", "regulated", "external_model"), False),
    "autonomy": "suggests",
}
DECIDED, COLLECTED = "2026-Q2", "2026-Q3"
A_DAY = timedelta(days=1)
EVERYTHING = (Role.BUILDER, Role.ENABLER, Role.LEADER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Taken:
    """Milliseconds of the first request for a page, and of those after it: the median and the best
    with the report read anew each time, and the median with the report at hand for a moment as it
    is when people click."""

    path: str
    first: float
    anew: float
    best: float
    at_hand: float
    kilobytes: float


def pages(open_case: str, ended_case: str, live_case: str) -> list[str]:
    """Every page that one can go to, and the reports with what makes them slower."""
    reports = [f"/reports/{name.value}" for name in Name]
    return [
        *("/new", "/use-cases", "/use-cases?whose=all&sort=oldest", "/use-cases?unit=Unit+3"),
        *(f"/use-cases/{open_case}", f"/use-cases/{ended_case}", f"/use-cases/{live_case}"),
        *("/portfolio", "/portfolio?by=tier&sort=evidence", "/portfolio?unit=Unit+3"),
        *("/portfolio/sheet?unit=Unit+3", "/portfolio/sheet?sponsor=Sponsor"),
        *("/portfolio?as_of=2026-04-01", "/portfolio/realised.svg"),
        *("/reviews", *(f"/reviews/{one}" for one in (DECIDED, COLLECTED))),
        *(f"/reviews/{DECIDED}/decide", f"/reviews/{DECIDED}/paper"),
        *("/queue", "/queue?whose=team", "/queue?by=age", "/queue?by=days", "/board"),
        "/reports",
        *reports,
        *("/reports/clock?by=tier", "/reports/verdict?unit=Unit+3", "/reports/clock?unit=Unit+3"),
        *("/reports/flow?unit=Unit+3", "/reports/stages?by=tier", "/reports/help?tier=high"),
        *("/reports/forecasts?tier=high", "/reports/decisions?tier=high"),
        *("/reports/value?unit=Unit+3", "/reports/value?as_of=2026-04-01"),
        *("/reports/delay?unit=Unit+3", "/reports/scale?unit=Unit+3"),
        *("/reports/verdict?as_of=2026-04-01", "/reports/verdict?as_of=2026-04-01&unit=Unit+3"),
        *("/reports/flow?as_of=2026-04-01", "/reports/flow?as_of=2026-10-31"),
        *("/reports/forecasts?as_of=2026-04-01", "/reports/decisions?as_of=2026-04-01"),
        "/reports/flow?cohort=intake[pathway%3Dstandard]",
        "/reports/forecasts?cohort=intake[started%3D2026-07]&as_of=2026-09-01",
        *("/reports/verdict/survival.svg", "/reports/flow/ages.svg", "/reports/clock/table.csv"),
        *("/compare", "/admin", "/account"),
    ]


FORECASTS = """
    INSERT INTO forecast
    SELECT use_case_id, at, sequence = 1, tier, 30 + 20 * random(), 60 + 40 * random(), 0.9,
           '50 cases of tier ' || tier || ' that were in ' || stage
    FROM transition WHERE holder IS NOT NULL ON CONFLICT DO NOTHING
"""
"""One for each turn, as they would have been kept."""


ALL_LIVE = """
    UPDATE use_case SET standing = jsonb_set(one.standing, '{use_case_id}', to_jsonb(use_case.id))
    FROM use_case AS one WHERE one.id = $1 AND use_case.outcome = 'production'
"""
"""What is in production stands as one of them does: a review asks who owned it."""


async def _review(sessions: Sessions) -> None:
    """Two reviews: in one is decided, for the other measurements are collected."""
    async with sessions.begin() as session:
        for name in (DECIDED, COLLECTED):
            quarter = quarter_named(name)
            await open_review(session, quarter, by="owner", at=quarter.end + A_DAY)
        closing = Move(Kind.EVIDENCE_CLOSED, "owner", "Whoever can measure has measured.")
        before = standing_of(await find_review(session, DECIDED))
        standing, event = play(before, closing, quarter_named(DECIDED).end + 9 * A_DAY)
        await record(session, standing, event)


class NoEngine:
    """Reading needs no engine."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"a page asks the engine: {name}")


@asynccontextmanager
async def nothing() -> AsyncIterator[Context]:
    """ASGITransport runs no lifespan."""
    raise AssertionError
    yield


async def measure(cases: int, only: str = "") -> list[Taken]:
    """Fill a database of so many cases, and ask for every page with `only` in its address."""
    data = Path(tempfile.mkdtemp(prefix="hw-b-"))
    try:
        async with running(postgres(data / "p", durable=False)):
            url = postgres_url(data / "p")
            await migrations.upgrade(url)
            connection = await asyncpg.connect(url)
            await fill(connection, cases)
            numbers = await _stand(connection)
            await connection.close()
            asked = pages(*(f"UC-{number}" for number in numbers))
            return await _measure(url, [path for path in asked if only in path])
    finally:
        shutil.rmtree(data, ignore_errors=True)


async def _stand(connection: asyncpg.Connection) -> tuple[int, int, int]:
    """Where the use cases stand, which pages read and reports do not: every open one, and the last
    that has ended, in production or not; and the forecasts that were kept. The numbers of an open
    one and of those."""
    rows = await connection.fetch(
        "SELECT id, number, tier, stage, position, holder, sequence, turn_since, submitted_at "
        "FROM use_case WHERE outcome = 'open' ORDER BY number DESC"
    )
    ended, live = [
        await connection.fetchrow(
            "SELECT id, number, tier, stage, position, holder, sequence, turn_since, submitted_at "
            "FROM use_case WHERE outcome = $1 ORDER BY number DESC LIMIT 1",
            outcome,
        )
        for outcome in ("withdrawn", "production")
    ]
    standings = [(row["id"], _standing(row)) for row in (*rows, ended, live)]
    await connection.executemany(
        "UPDATE use_case SET risk_answers = $3::jsonb, standing = $2::jsonb WHERE id = $1",
        [(case, standing, json.dumps(RISK)) for case, standing in standings],
    )
    await connection.execute(ALL_LIVE, live["id"])
    await connection.execute("SELECT setseed(0)")
    await connection.execute(FORECASTS)
    await connection.execute("VACUUM ANALYZE use_case, forecast")
    print(f"{len(rows):,} of the use cases are open\n")
    return rows[0]["number"], ended["number"], live["number"]


def _standing(row: asyncpg.Record) -> str:
    pathway = pathways()[Tier(row["tier"])]
    stages = [stage.key for stage in pathway.stages]
    here = stages.index(row["stage"]) if row["stage"] in stages else len(stages) - 1
    position = Position(row["position"])
    hold = Hold(position, row["holder"] or "", row["turn_since"], target=timedelta(days=5))
    standing = Standing(
        use_case_id=row["id"],
        pathway=pathway,
        owners=("owner",),
        holds=() if position in OUTCOMES else (hold,),
        ended=position if position in OUTCOMES else None,
        sequence=row["sequence"],
        at=row["turn_since"],
        turn_since=row["turn_since"],
        passed=tuple(stages[:here]),
    )
    return STANDING.dump_json(standing).decode()


async def _measure(url: str, paths: Sequence[str]) -> list[Taken]:
    async with open_sessions(url) as sessions:
        await recount(sessions)
        async with sessions.begin() as session:
            person = await add_person(
                session, name="Reader", email="reader@example.com", roles=EVERYTHING, at=NOW
            )
            secret = await begin_browser_session(session, person.id, at=NOW)
        await _review(sessions)
        engine: Engine = NoEngine()  # type: ignore[assignment]
        reviews: ReviewEngine = NoEngine()  # type: ignore[assignment]
        context = Context(sessions, engine, _now, reviews=reviews)
        await forecast_due(sessions, context.forecaster, at=NOW)
        app = with_pages(create_app(nothing))
        app.state.context = context
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url=ORIGIN,
            headers={"Accept": "text/html"},
            timeout=600,
        ) as http:
            http.cookies.set("headway", secret, domain=urlsplit(ORIGIN).hostname or "")
            try:
                return [await _taken(app, http, path) for path in paths]
            finally:
                context.drawings.close()
                await app.state.pages.the(Files).end()


def _now() -> datetime:
    return NOW


async def _taken(app: FastAPI, http: httpx.AsyncClient, path: str) -> Taken:
    async def once() -> float:
        before = time.perf_counter()
        answer = await http.get(path)
        taken = 1000.0 * (time.perf_counter() - before)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        sizes.append(len(answer.content) / 1024)
        return taken

    async def anew() -> float:
        app.state.pages.the(RecentReports).clear()
        return await once()

    sizes: list[float] = []
    first = await anew()
    after = [await anew() for _ in range(TIMES)]
    at_hand = [await once() for _ in range(TIMES)]
    return Taken(path, first, median(after), min(after), median(at_hand), sizes[-1])


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cases", type=int, default=100_000)
    asked.add_argument("--only", default="", help="only pages with this in their address")
    given = asked.parse_args()
    cases: int = given.cases
    found = asyncio.run(measure(cases, given.only))
    print(f"{cases:,} cases; milliseconds at the server, aim {AIM:.0f}\n")
    print("| page | first | anew | best | at hand | KB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for one in found:
        late = " over" if one.anew > AIM else ""
        figures = f"{one.first:.0f} | {one.anew:.0f}{late} | {one.best:.0f} | {one.at_hand:.0f}"
        print(f"| `{one.path}` | {figures} | {one.kilobytes:.1f} |")


if __name__ == "__main__":
    main()
