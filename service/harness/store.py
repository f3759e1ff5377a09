"""Runs as they are kept: brought once, never changed; the latest of each harness, and which of them
are worse than before."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Outcome
from service.domain.people import Actor
from service.errors import BadInput, Conflict, NotFound
from service.harness.judging import Judged, Metric, Verdict, judge, verdict_of
from service.harness.result import Format, Result
from service.harness.tables import PassRow, RunRow, TokenRow
from service.intake.use_cases import UseCaseRow, in_production_since, key_of, rows_of, visible_of
from service.library.assets import Asset, Kind, Status, Version
from service.library.store import assets_where, find_asset, found_version
from service.people.directory import names_of

MOST_LISTED = 200
CLOCKS_DIFFER = timedelta(hours=1)
"""By which a run may seem to end later than it came."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
USABLE = frozenset({Status.PUBLISHED, Status.DEPRECATED})


@dataclass(frozen=True, slots=True)
class Bringer:
    """Who brings a run: a person, or a machine with a token that a person made."""

    person_id: str
    token_id: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was kept, held against the rules of its version."""

    id: int
    use_case_id: str
    asset: Asset
    version: Version
    run_id: str
    format: Format
    dataset: str
    model: str
    link: str
    metrics: tuple[Metric, ...]
    verdict: Verdict
    judged: tuple[Judged, ...]
    finished_at: datetime
    received_at: datetime
    by: str
    """The name of whoever brought it, or the label of the token that did."""

    @property
    def reference(self) -> str:
        """What it is called as evidence."""
        return reference_of(self.asset.key, self.version.number, self.id)

    @property
    def missed(self) -> tuple[Judged, ...]:
        """The rules that it does not keep."""
        return tuple(one for one in self.judged if one.missed is not None)


@dataclass(frozen=True, slots=True)
class Regressed:
    """That the latest run of a harness failed where an earlier one had passed."""

    use_case_id: str
    asset: str
    """The key of the harness."""
    run: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Runner:
    """A use case that runs a harness, and its latest run."""

    row: UseCaseRow
    run: Run

    @property
    def key(self) -> str:
        """The key that people say."""
        return key_of(self.row)


@dataclass(frozen=True, slots=True)
class Runners:
    """Which use cases run a harness. All are counted; listed are those that the reader may know
    of, the latest run first."""

    count: int
    listed: tuple[Runner, ...]


def reference_of(asset: str, version: int, run: int) -> str:
    """What a run is called as evidence."""
    return f"harness: {asset}, version {version}, run {run}"


async def bring(
    session: AsyncSession,
    row: UseCaseRow,
    result: Result,
    *,
    content: bytes,
    by: Bringer,
    harness: str,
    version: int | None,
    at: datetime,
) -> tuple[Run, bool]:
    """Keep a run of a published harness on a use case; and whether it is new. The same run (by its
    id, or, if it names none, by its content) is kept once, whatever has changed since.

    A run that passes waits from then on to be attached (`PassRow`). `Conflict` if the use case has
    ended without going live, if no such version is published, and for the id of another run.
    """
    asset = await _harness(session, harness, result)
    wanted = _wanted_version(version, result)
    run_id = result.run_id or hashlib.sha256(content).hexdigest()
    there = await _same(session, row.id, asset.id, run_id, result)
    if there is not None:
        return there, False
    if row.outcome not in {Outcome.OPEN, Outcome.PRODUCTION}:
        raise Conflict(f"{key_of(row)} has ended ({row.outcome})")
    used = _usable(asset, wanted)
    verdict = verdict_of(judge(used.content.rules, result.metrics))
    added = await session.scalar(
        insert(RunRow)
        .values(
            use_case_id=row.id,
            asset_id=asset.id,
            number=used.number,
            run_id=run_id,
            format=result.format,
            dataset=result.dataset,
            model=result.model,
            link=result.link,
            metrics=[asdict(one) for one in result.metrics],
            verdict=verdict,
            finished_at=_finished(result, at),
            received_at=at,
            person_id=by.person_id,
            token_id=by.token_id,
            sample=row.sample,
        )
        .on_conflict_do_nothing()
        .returning(col(RunRow.id))
    )
    if added is None:  # brought twice at once: the other one is committed by now
        there = await _same(session, row.id, asset.id, run_id, result)
        if there is None:
            raise AssertionError("the run that stood in the way is gone")
        return there, False
    if verdict is Verdict.PASSED and row.outcome is Outcome.OPEN:
        session.add(PassRow(run=added, tried_at=at))
        await session.flush()
    return await find_run(session, added), True


async def _harness(session: AsyncSession, asked: str, result: Result) -> Asset:
    named = asked.strip() or result.harness.strip()
    if not named:
        raise BadInput("harness", "say which one: ?harness=KEY")
    if result.harness.strip() and named != result.harness.strip():
        raise BadInput("harness", f"the file says {result.harness.strip()!r}")
    try:
        asset = await find_asset(session, named)
    except NotFound:
        raise BadInput("harness", "there is no such one in the library") from None
    if asset.kind is not Kind.HARNESS:
        raise BadInput("harness", f"{asset.key} is a {asset.kind}: it has no runs")
    return asset


def _wanted_version(asked: int | None, result: Result) -> int | None:
    if asked is not None and result.version not in {None, asked}:
        raise BadInput("version", f"the file says {result.version}")
    return result.version if asked is None else asked


def _usable(asset: Asset, number: int | None) -> Version:
    """The version that a run is of, the newest published one if it does not say."""
    if number is None:
        if asset.latest is None:
            raise Conflict(f"no version of {asset.key} is published")
        return asset.latest
    version = asset.version(number)
    if version is None:
        raise BadInput("version", f"{asset.key} has no version {number}")
    if version.status not in USABLE:
        raise Conflict(f"version {number} of {asset.key} is not published")
    return version


def _finished(result: Result, at: datetime) -> datetime:
    finished = result.finished_at or at
    if finished > at + CLOCKS_DIFFER:
        raise BadInput("finished_at", "this moment is still to come")
    if finished < EARLIEST:
        raise BadInput("finished_at", f"a moment after {EARLIEST.year}")
    return min(finished, at)


async def _same(
    session: AsyncSession, use_case_id: str, asset_id: str, run_id: str, result: Result
) -> Run | None:
    """The run of this id that is there already; `Conflict` if it found something else."""
    there = await session.scalar(
        select(col(RunRow.id)).where(
            col(RunRow.use_case_id) == use_case_id,
            col(RunRow.asset_id) == asset_id,
            col(RunRow.run_id) == run_id,
        )
    )
    if there is None:
        return None
    run = await find_run(session, there)
    if run.metrics != result.metrics:
        raise Conflict(f"there is a run {run_id} that found something else: a run is not changed")
    return run


async def find_run(session: AsyncSession, number: int) -> Run:
    """A run by its number."""
    row = await session.get_one(RunRow, number)
    (run,) = await _runs(session, [row])
    return run


async def runs_of(
    session: AsyncSession, use_case_id: str, *, at: datetime | None = None
) -> list[Run]:
    """The runs on a use case, those that ended last first, at most 200; as known at `at`."""
    wanted = select(RunRow).where(col(RunRow.use_case_id) == use_case_id)
    if at is not None:
        wanted = wanted.where(col(RunRow.received_at) <= at)
    rows = await session.scalars(
        wanted.order_by(col(RunRow.finished_at).desc(), col(RunRow.id).desc()).limit(MOST_LISTED)
    )
    return await _runs(session, list(rows))


async def runners_of(session: AsyncSession, asset: Asset, reader: Actor) -> Runners:
    """Which use cases run a harness, each with its latest run."""
    latest = (
        select(RunRow)
        .where(col(RunRow.asset_id) == asset.id)
        .ext(distinct_on(col(RunRow.use_case_id)))
        .order_by(col(RunRow.use_case_id), col(RunRow.finished_at).desc(), col(RunRow.id).desc())
        .subquery()
    )
    count = await session.scalar(select(func.count()).select_from(latest))
    listed = await session.scalars(
        select(latest.c.id)
        .where(visible_of(reader, latest.c.use_case_id))
        .order_by(latest.c.finished_at.desc(), latest.c.id.desc())
        .limit(MOST_LISTED)
    )
    ids = list(listed)
    found = await session.scalars(select(RunRow).where(col(RunRow.id).in_(ids)))
    runs = {run.id: run for run in await _runs(session, list(found))}
    rows = await rows_of(session, {run.use_case_id for run in runs.values()})
    return Runners(count or 0, tuple(Runner(rows[runs[one].use_case_id], runs[one]) for one in ids))


REGRESSED = text(
    """
    WITH known AS (
        SELECT * FROM harness_run WHERE received_at <= :at AND (:one = '' OR use_case_id = :one)
    ), latest AS (
        SELECT DISTINCT ON (use_case_id, asset_id) * FROM known
        ORDER BY use_case_id, asset_id, finished_at DESC, id DESC
    )
    SELECT latest.use_case_id, latest.id, latest.finished_at, asset.key
    FROM latest JOIN library_asset AS asset ON asset.id = latest.asset_id
    WHERE latest.verdict = 'failed' AND EXISTS (
        SELECT FROM known WHERE known.use_case_id = latest.use_case_id
        AND known.asset_id = latest.asset_id AND known.verdict = 'passed'
    )
    ORDER BY latest.use_case_id, asset.key
    """
)


async def regressions(
    session: AsyncSession, at: datetime, *, of: str = ""
) -> dict[str, tuple[Regressed, ...]]:
    """Where the latest run of a harness failed and an earlier one had passed, as known at a moment:
    by use case, or only of one."""
    found: dict[str, tuple[Regressed, ...]] = {}
    for row in await session.execute(REGRESSED, {"at": at, "one": of}):
        one = Regressed(row.use_case_id, row.key, row.id, row.finished_at.astimezone(UTC))
        found[row.use_case_id] = (*found.get(row.use_case_id, ()), one)
    return found


async def regressions_live(
    session: AsyncSession, row: UseCaseRow, at: datetime
) -> tuple[Regressed, ...]:
    """Those of a use case that came after it went live, as known at a moment."""
    live = in_production_since(row, at)
    if live is None:
        return ()
    found = await regressions(session, at, of=row.id)
    return tuple(one for one in found.get(row.id, ()) if one.at.date() >= live)


CLAIM = text(
    """
    UPDATE harness_pass SET tried_at = :at WHERE run IN (
        SELECT run FROM harness_pass WHERE tried_at < :before
        ORDER BY tried_at LIMIT :most FOR UPDATE SKIP LOCKED
    ) RETURNING run
    """
)


async def claim_waiting(
    session: AsyncSession, *, at: datetime, before: datetime, most: int
) -> list[int]:
    """Runs that passed and were last tried to be attached before a moment: nobody else tries these
    for as long again."""
    return list(await session.scalars(CLAIM, {"at": at, "before": before, "most": most}))


async def waiting_of(session: AsyncSession, runs: Collection[int]) -> set[int]:
    """Which of these runs wait to be attached."""
    found = await session.scalars(select(col(PassRow.run)).where(col(PassRow.run).in_(runs)))
    return set(found)


async def settle(session: AsyncSession, run: int) -> None:
    """A run needs not be attached, or is."""
    await session.execute(delete(PassRow).where(col(PassRow.run) == run))


async def _runs(session: AsyncSession, rows: Sequence[RunRow]) -> list[Run]:
    assets = {
        asset.id: asset for asset in await assets_where(session, ids={row.asset_id for row in rows})
    }
    names = await names_of(session, {row.person_id for row in rows})
    tokens = {row.token_id for row in rows if row.token_id is not None}
    labelled = await session.execute(
        select(col(TokenRow.id), col(TokenRow.label)).where(col(TokenRow.id).in_(tokens))
    )
    labels = {row.id: row.label for row in labelled}
    return [_run(row, assets[row.asset_id], names, labels) for row in rows]


def _run(row: RunRow, asset: Asset, names: dict[str, str], labels: dict[str, str]) -> Run:
    if row.id is None:
        raise AssertionError("it is kept")
    version = found_version(asset, row.number)
    metrics = tuple(Metric(**one) for one in row.metrics)
    by = names.get(row.person_id, row.person_id)
    return Run(
        id=row.id,
        use_case_id=row.use_case_id,
        asset=asset,
        version=version,
        run_id=row.run_id,
        format=row.format,
        dataset=row.dataset,
        model=row.model,
        link=row.link,
        metrics=metrics,
        verdict=row.verdict,
        judged=judge(version.content.rules, metrics),
        finished_at=row.finished_at.astimezone(UTC),
        received_at=row.received_at.astimezone(UTC),
        by=labels.get(row.token_id or "", by),
    )
