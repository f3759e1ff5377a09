"""A database of many cases, seeded: what the report benchmarks read.

Three pathways as shipped, two years of live cases and an imported baseline of a tenth of their
number. Cases and transitions go in by COPY; the counts are made by the product's own recount.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np
from numpy.typing import NDArray

from service.measure.cases import EPOCH

NOW = datetime(2026, 11, 1, tzinfo=UTC)
YEARS = 2.0
BLOCK = 20_000
UNITS = tuple(f"Unit {number}" for number in range(20))
TIERS = ("low", "medium", "high")
SHARES = (0.2, 0.5, 0.3)
PATHWAYS = {"low": "light", "medium": "standard", "high": "regulated"}
SIGMA = 0.8
GIVES_UP = 0.12
IS_ASKED = 0.25
IS_SENT_BACK = 0.2

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Leg:
    """A transition of the template, and the median days until the next one."""

    command: str
    stage: str
    position: str
    holder: str
    mode: str
    days: float


def _gate(stage: str, holder: str, wait: float, work: float, how: str) -> list[Leg]:
    return [
        Leg(how, stage, "queued", holder, "waiting", wait),
        Leg("claim", stage, "claimed", holder, "working", work),
    ]


def _build(stage: str, days: float, how: str) -> list[Leg]:
    return [Leg(how, stage, "building", "builder", "working", days)]


ASKED = [
    Leg("ask", "shape", "asked", "builder", "waiting", 1.5),
    Leg("answer", "shape", "claimed", "enablement", "working", 0.5),
]
SENT_BACK = [
    Leg("send_back", "build", "building", "builder", "working", 4.0),
    Leg("hand_over", "evaluate", "queued", "enablement", "waiting", 2.0),
    Leg("claim", "evaluate", "claimed", "enablement", "working", 1.0),
]
TEMPLATES: dict[str, list[list[Leg]]] = {
    "low": [_build("build", 9.0, "submit")],
    "medium": [
        _gate("triage", "enablement", 1.0, 0.3, "submit"),
        _gate("shape", "enablement", 2.0, 2.0, "approve"),
        ASKED,
        _build("build", 14.0, "hand_over"),
        _gate("evaluate", "enablement", 3.0, 1.0, "hand_over"),
        SENT_BACK,
        _gate("launch-review", "enablement", 2.0, 0.5, "approve"),
        _build("launch", 2.0, "approve"),
    ],
    "high": [
        _gate("triage", "enablement", 1.0, 0.3, "submit"),
        _gate("shape", "enablement", 3.0, 3.0, "approve"),
        ASKED,
        _gate("risk-assessment", "risk", 6.0, 2.0, "hand_over"),
        _build("build", 20.0, "approve"),
        _gate("evaluate", "enablement", 4.0, 2.0, "hand_over"),
        SENT_BACK,
        _gate("launch-review", "enablement", 3.0, 0.5, "approve"),
        _build("launch", 4.0, "approve"),
    ],
}

USE_CASE = (
    "id, title, problem, business_unit, owner_id, owners, sponsor, kpi_name, kpi_unit, "
    "kpi_baseline, kpi_target, one_off_cost, yearly_run_cost, expected_yearly_value, currency, "
    "risk_answers, tier_reasons, estimate_days, lighthouse, submitted_by, submitted_at, tier, "
    "pathway, pathway_version, stage, position, holder, mode, outcome, ended_at, sequence, "
    "turn_since, parties, standing"
)
TRANSITION = (
    "use_case_id, sequence, at, command, actor, stage, position, holder, mode, tier, reason, "
    "subject, reference"
)
VERSION = (
    "source, case_id, cohort, tier, business_unit, pathway, pathway_version, evidence, "
    "estimate_days, started_at, ended_at, outcome, known_from, known_until"
)
INVESTMENT_CASES = """
    INSERT INTO investment_case (
        use_case_id, version, kpi_name, kpi_unit, kpi_baseline, kpi_target, direction,
        observations, time_used_for, one_off_cost, yearly_run_cost, expected_yearly_value,
        currency, ramp_months, milestones, reason, person_id, recorded_at
    )
    SELECT id, 1, kpi_name, kpi_unit, kpi_baseline, kpi_target, 'lower', '[]', '', one_off_cost,
        yearly_run_cost, expected_yearly_value, currency, 0, '[]', '', submitted_by, submitted_at
    FROM use_case
"""

MEASUREMENTS = """
    INSERT INTO measurement (
        use_case_id, number, case_version, starts, ends, quantity, value, standard_error,
        attribution, method, source, note, person_id, recorded_at
    )
    SELECT id, month, 1, ended_at::date + 30 * (month - 1), ended_at::date + 30 * month - 1,
        (ARRAY['kpi', 'change', 'money'])[1 + month % 3],
        (ARRAY[6.0, -4.0, 700.0])[1 + month % 3] * (0.7 + 0.6 * random()),
        CASE WHEN month > 1 THEN 0.1 * random() END, 1,
        (ARRAY['randomised', 'interrupted_series', 'before_after', 'report'])[1 + month % 4],
        'The system', '', 'owner', ended_at + 30 * month * interval '1 day'
    FROM use_case, generate_series(1, 4 + (number % 2)::int) AS month
    WHERE outcome = 'production'
"""
CONFIRMATIONS = """
    INSERT INTO confirmation (use_case_id, number, note, person_id, recorded_at)
    SELECT use_case_id, number, '', 'owner', recorded_at + interval '1 day'
    FROM measurement WHERE number % 2 = 0
"""
"""Four or five months of each use case in production, every second one confirmed."""
ASSETS = 50
TAKEN = 0.1
"""The part of the use cases that takes each asset, at any time while it is open."""
LIBRARY = (
    f"""
    INSERT INTO library_asset (id, key, kind, person_id, proposed_at)
    SELECT 'asset-' || number, 'asset-' || number, 'pattern', 'owner', '2020-01-01'
    FROM generate_series(1, {ASSETS}) AS number
    """,  # noqa: S608 - the number above
    """
    INSERT INTO library_version (
        asset_id, number, title, owner_id, text, links, tags, tiers, stages, rules, changed,
        person_id, proposed_at
    )
    SELECT id, 1, 'The ' || key, 'owner', '', '[]', '[]', '{}', '{}', '[]', '', 'owner', proposed_at
    FROM library_asset
    """,
    f"""
    INSERT INTO library_adoption (asset_id, number, source, case_id, person_id, adopted_at)
    SELECT asset.id, 1, '', use_case.id, 'owner',
        submitted_at + random() * (coalesce(ended_at, now) - submitted_at)
    FROM use_case, library_asset AS asset, (SELECT max(submitted_at) AS now FROM use_case) AS latest
    WHERE random() < {TAKEN}
    """,  # noqa: S608 - the number above
)
REACH = """
    INSERT INTO reach (use_case_id, number, day, users, source, person_id, recorded_at)
    SELECT id, month, ended_at::date + 30 * month, (20 * month ^ 2 * (0.2 + number % 17))::int,
        'The system', 'owner', ended_at + 30 * month * interval '1 day'
    FROM use_case, generate_series(1, 3) AS month WHERE outcome = 'production'
"""
EFFORT = """
    INSERT INTO effort (use_case_id, number, about, about_number, hours, person_id, recorded_at)
    SELECT use_case_id, number, 'measurement', number, 0.5 + 4 * random(), 'owner', recorded_at
    FROM measurement WHERE number % 3 = 0
"""
"""Three counts of the users of each use case in production, and the hours of some measurements."""


@dataclass(slots=True)
class Block:
    """Lines to be copied into each table."""

    use_cases: list[str]
    transitions: list[str]
    versions: list[str]


async def fill(connection: asyncpg.Connection, cases: int, *, seed: int = 1) -> int:
    """Fill an empty database with so many live cases; how many transitions that makes."""
    rng = np.random.default_rng([seed, cases])
    await connection.execute(
        "INSERT INTO person (id, name, email, roles, active, created_at) "
        "VALUES ('owner', 'Owner', 'owner@example.com', '{builder}', true, now())"
    )
    transitions = 0
    # Foreign keys hold by construction; checking each of ten million rows is not what is measured.
    await connection.execute("ALTER TABLE transition DISABLE TRIGGER ALL")
    for first in range(0, cases, BLOCK):
        block = _live(rng, first, min(BLOCK, cases - first))
        transitions += len(block.transitions)
        await _copy(connection, "use_case", USE_CASE, block.use_cases)
        await _copy(connection, "transition", TRANSITION, block.transitions)
        await _copy(connection, "case_version", VERSION, block.versions)
    await connection.execute("ALTER TABLE transition ENABLE TRIGGER ALL")
    for statement in (
        *(INVESTMENT_CASES, MEASUREMENTS, CONFIRMATIONS, REACH, EFFORT),
        *LIBRARY,
    ):
        await connection.execute(statement)
    await _copy(connection, "case_version", VERSION, list(_baseline(rng, cases // 10)))
    await connection.execute("INSERT INTO observation VALUES ('archive.csv', '-infinity', $1)", NOW)
    await connection.execute("VACUUM ANALYZE")
    return transitions


async def _copy(connection: asyncpg.Connection, table: str, columns: str, lines: list[str]) -> None:
    async def source() -> AsyncIterator[bytes]:
        for begin in range(0, len(lines), 10_000):
            yield "".join(lines[begin : begin + 10_000]).encode()

    await connection.copy_to_table(
        table, source=source(), columns=[name.strip() for name in columns.split(",")]
    )


def _live(rng: np.random.Generator, first: int, size: int) -> Block:
    block = Block([], [], [])
    tiers = rng.choice(len(TIERS), size, p=SHARES)
    age = rng.uniform(0.0, YEARS * 365.0, size)
    units = rng.integers(len(UNITS), size=size)
    for code, tier in enumerate(TIERS):
        rows = np.flatnonzero(tiers == code)
        parts = TEMPLATES[tier]
        legs = [leg for part in parts for leg in part]
        taken = np.ones((rows.size, len(legs)), dtype=bool)
        place = 0
        for part in parts:
            share = {id(ASKED): IS_ASKED, id(SENT_BACK): IS_SENT_BACK}.get(id(part))
            if share is not None:
                taken[:, place : place + len(part)] = (rng.random(rows.size) < share)[:, None]
            place += len(part)
        medians = np.array([leg.days for leg in legs])
        lengths = medians * np.exp(SIGMA * rng.normal(size=(rows.size, len(legs)))) * taken
        ends = np.cumsum(lengths, axis=1)
        quits = np.where(rng.random(rows.size) < GIVES_UP, rng.random(rows.size), 2.0)
        for row, walked, last, stays in zip(
            rows.tolist(), ends, taken, (quits * ends[:, -1]).tolist(), strict=True
        ):
            kept = np.flatnonzero(last)
            walk = [(legs[leg], end) for leg, end in zip(kept, walked[kept].tolist(), strict=True)]
            case = _Case(first + row, tier, UNITS[units[row]], float(age[row]), stays)
            _write(block, case, walk)
    return block


@dataclass(frozen=True, slots=True)
class _Case:
    number: int
    tier: str
    unit: str
    age: float
    gives_up_after: float


def _write(block: Block, case: _Case, walk: list[tuple[Leg, float]]) -> None:
    """The lines of one case: each leg of its way, with the day on which the leg ends."""
    case_id = f"{case.number:08x}-0000-4000-8000-{case.number:012x}"
    started = (NOW - EPOCH).total_seconds() - case.age * 86_400.0
    done, gone = walk[-1][1], case.gives_up_after
    end, outcome = (gone, "withdrawn") if gone < done else (done, "production")
    is_open = end > case.age
    begins = [0.0, *(end for _, end in walk[:-1])]
    known = [
        (leg, day) for (leg, _), day in zip(walk, begins, strict=True) if day < min(case.age, end)
    ]
    moments = [_time(started + day * 86_400.0) for _, day in known]
    for sequence, ((leg, _), at) in enumerate(zip(known, moments, strict=True), start=1):
        block.transitions.append(
            f"{case_id}\t{sequence}\t{at}\t{leg.command}\towner\t{leg.stage}\t{leg.position}\t"
            f"{leg.holder}\t{leg.mode}\t{case.tier}\t\t\t\n"
        )
    leg = known[-1][0]
    position, holder, mode, sequence = leg.position, leg.holder, leg.mode, len(known)
    ended = "\\N"
    if is_open:
        outcome = "open"
    else:
        ended, sequence, holder, mode = _time(started + end * 86_400.0), sequence + 1, "\\N", "\\N"
        through = outcome == "production"
        position = "in_production" if through else "withdrawn"
        command = "go_live" if through else "withdraw"
        block.transitions.append(
            f"{case_id}\t{sequence}\t{ended}\t{command}\towner\t{leg.stage}\t{position}\t"
            f"\\N\t\\N\t{case.tier}\t\t\t\n"
        )
    pathway = PATHWAYS[case.tier]
    block.use_cases.append(
        f"{case_id}\tUse case {case.number}\tA problem\t{case.unit}\towner\t{{owner}}\tSponsor\t"
        f"Time\tminutes\t10\t5\t1000\t100\t9000\tEUR\t{{}}\t{{}}\t60\tf\towner\t{moments[0]}\t{case.tier}\t"
        f"{pathway}\t1\t{leg.stage}\t{position}\t{holder}\t{mode}\t{outcome}\t{ended}\t{sequence}\t"
        f"{moments[-1]}\t{{}}\t{{}}\n"
    )
    block.versions.append(
        f"\t{case_id}\tintake\t{case.tier}\t{case.unit}\t{pathway}\t1\t{{}}\t60\t{moments[0]}\t"
        f"{ended}\t{outcome}\t{moments[0]}\tinfinity\n"
    )


def _baseline(rng: np.random.Generator, size: int) -> Iterator[str]:
    """Imported cases of the years before, a quarter slower."""
    tiers = rng.choice(len(TIERS), size, p=SHARES)
    medians = np.array(
        [sum(leg.days for part in TEMPLATES[tier] for leg in part) for tier in TIERS]
    )
    days = 1.25 * medians[tiers] * np.exp(0.5 * rng.normal(size=size))
    age = rng.uniform(YEARS * 365.0, 2 * YEARS * 365.0, size)
    units = rng.integers(len(UNITS), size=size)
    for number in range(size):
        started = (NOW - EPOCH).total_seconds() - float(age[number]) * 86_400.0
        is_open = days[number] > age[number]
        ended = "\\N" if is_open else _time(started + float(days[number]) * 86_400.0)
        outcome = "open" if is_open else "production"
        yield (
            f"archive.csv\t{number}\tbefore\t{TIERS[tiers[number]]}\t{UNITS[units[number]]}\t\t0\t"
            f"{{}}\t\\N\t{_time(started)}\t{ended}\t{outcome}\t-infinity\tinfinity\n"
        )


def _time(seconds: float) -> str:
    return (EPOCH + timedelta(seconds=seconds)).isoformat()
