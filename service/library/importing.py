"""Adoptions of the past, out of a file: what cases took before anybody wrote it down here."""

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Outcome
from service.domain.naming import shown
from service.domain.people import Actor
from service.domain.permissions import Right, may
from service.domain.tally import LIVE
from service.errors import BadInput, NotAllowed
from service.facts.as_of import cases_there
from service.intake.use_cases import KEY, UseCaseRow, key_of, rows_numbered
from service.kinds import DELIMITERS
from service.library.adoptions import PastAdoption, taken_before, write_past
from service.library.assets import Asset, Version
from service.library.store import assets_where

COLUMNS = ("use_case", "case_id", "asset", "version", "adopted_at")
MOST_ROWS = 20_000
"""Of one file: what it names is asked for in one statement each."""
LONGEST_CELL = 500
FIELD = "csv"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file: the number of its line, its cells, and these by their columns."""

    number: int
    cells: tuple[str, ...]
    said: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file as it was read."""

    delimiter: str
    header: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Unusable:
    """A row that is no adoption, and why."""

    line: Line
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows: `new` were written, `known` were written before just so."""

    new: int
    known: int
    unusable: tuple[Unusable, ...]

    @property
    def accepted(self) -> int:
        """Rows that are on record now."""
        return self.new + self.known

    @property
    def rejected(self) -> int:
        """Rows that are not."""
        return len(self.unusable)

    @property
    def read(self) -> int:
        """All rows."""
        return self.accepted + self.rejected


def read_table(text: str) -> Table:
    """The rows of a file with the columns `COLUMNS`. `BadInput` for a file that is none."""
    lines = text.removeprefix("\ufeff")
    first = lines.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    rows = csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter, strict=True)
    numbered, begin = [], 1
    try:
        for row in rows:
            numbered.append((begin, tuple(cell.strip() for cell in row)))
            begin = rows.line_num + 1
    except csv.Error as error:
        raise BadInput(FIELD, f"line {rows.line_num}: {error}") from None
    header = tuple(name.lower() for name in numbered[0][1]) if numbered else ()
    named = {name for name in header if name in COLUMNS}
    missing = sorted({"asset", "adopted_at"} - named)
    if not named & {"use_case", "case_id"}:
        missing.append("use_case or case_id")
    if missing:
        raise BadInput(FIELD, f"missing columns: {', '.join(missing)}")
    if double := [name for name in COLUMNS if header.count(name) > 1]:
        raise BadInput(FIELD, f"columns that are there twice: {', '.join(double)}")
    found = [(number, cells) for number, cells in numbered[1:] if any(cells)]
    if not found:
        raise BadInput(FIELD, "there is no adoption in it")
    if len(found) > MOST_ROWS:
        raise BadInput(FIELD, f"{len(found):,} rows: {MOST_ROWS:,} at most")
    return Table(
        delimiter,
        header,
        tuple(
            Line(number, cells, dict(zip(header, cells, strict=False)) if _whole(cells) else {})
            for number, cells in found
        ),
    )


def _whole(cells: Sequence[str]) -> bool:
    """Whether all of it can be kept: no control characters, no halves of characters."""
    return all(
        len(cell) <= LONGEST_CELL
        and not any(mark < " " or mark == "\x7f" or "\ud800" <= mark <= "\udfff" for mark in cell)
        for cell in cells
    )


class _NoAdoptionError(Exception):
    """The row is none; the message says why."""


@dataclass(frozen=True, slots=True)
class _There:
    """What rows are held against: use cases by number, ids of imported cases, assets by key."""

    use_cases: Mapping[int, UseCaseRow]
    case_ids: Collection[str]
    assets: Mapping[str, Asset]


@dataclass(frozen=True, slots=True)
class PastAdoptions:
    """A file of adoptions as somebody hands it in.

    `source` is the name under which the cases were imported that it names by their ids, "" if it
    names none. `before_published`: the assets were in use before the library published them.
    """

    table: Table
    source: str = ""
    before_published: bool = False


async def import_adoptions(
    session: AsyncSession, by: Actor, file: PastAdoptions, *, at: datetime
) -> Imported:
    """Write down what cases took in the past: every row is accepted or rejected.

    The same row again changes nothing, and another moment of what is written already is rejected:
    an adoption is never changed. No gate opens by it. `NotAllowed` for whoever is not of
    enablement.
    """
    if not may(by, Right.IMPORT_ADOPTIONS):
        raise NotAllowed("only enablement imports adoptions")
    there = await _there(session, file)
    wanted: list[tuple[Line, PastAdoption]] = []
    unusable: list[Unusable] = []
    for line in file.table.lines:
        try:
            wanted.append((line, _adoption(line, file, there, at)))
        except _NoAdoptionError as error:
            unusable.append(Unusable(line, str(error)))
    before = await taken_before(session, [one for _, one in wanted])
    new: list[PastAdoption] = []
    for line, one in wanted:
        moments = before.setdefault(one.what, set())
        if moments and one.at not in moments:
            reason = f"it took that version on {_said(min(moments))}, as is written already"
            unusable.append(Unusable(line, reason))
        elif not moments:
            moments.add(one.at)
            new.append(one)
    await write_past(session, new, by=by.person_id, at=at)
    unusable.sort(key=lambda row: row.line.number)
    known = len(file.table.lines) - len(new) - len(unusable)
    return Imported(len(new), known, tuple(unusable))


async def _there(session: AsyncSession, file: PastAdoptions) -> _There:
    said = [line.said for line in file.table.lines]
    keys = (KEY.fullmatch(cells.get("use_case", "")) for cells in said)
    ids = {cells.get("case_id", "") for cells in said} - {""}
    assets = {cells["asset"].lower() for cells in said if cells.get("asset")}
    return _There(
        use_cases=await rows_numbered(session, {int(key[1]) for key in keys if key}),
        case_ids=await cases_there(session, file.source, ids) if file.source else (),
        assets={one.key: one for one in await assets_where(session, keys=assets)} if assets else {},
    )


def _adoption(line: Line, file: PastAdoptions, there: _There, now: datetime) -> PastAdoption:
    if len(line.cells) != len(file.table.header):
        raise _NoAdoptionError(
            f"the row has {len(line.cells)} cells and the header {len(file.table.header)}"
        )
    if not line.said:
        raise _NoAdoptionError("a cell is too long, or holds control characters")
    at = _moment(line.said["adopted_at"])
    if at > now:
        raise _NoAdoptionError(f"{_said(at)} is still to come")
    source, case_id, sample = _case(line, file, there, at)
    asset = there.assets.get(line.said["asset"].lower())
    if asset is None:
        raise _NoAdoptionError(f"there is no asset {shown(line.said['asset'])}")
    version = _version(asset, line.said.get("version", ""), at, file.before_published)
    return PastAdoption(asset.id, version.number, source, case_id, at, sample)


def _moment(written: str) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment < EARLIEST:
        raise _NoAdoptionError(f"adopted_at: {shown(written)} is no date like 2024-12-31")
    return moment


def _case(line: Line, file: PastAdoptions, there: _There, at: datetime) -> tuple[str, str, bool]:
    """Source and id of the case, and whether it is a sample."""
    key, case_id = (line.said.get(name, "") for name in ("use_case", "case_id"))
    if bool(key) is bool(case_id):
        raise _NoAdoptionError("a row names a use case or the id of an imported case")
    if case_id:
        if not file.source:
            raise _NoAdoptionError("an imported case has a source: say under which name it came")
        if case_id not in there.case_ids:
            said = f"there is no case {shown(case_id)} of {shown(file.source)}"
            raise _NoAdoptionError(said)
        return file.source, case_id, False
    match = KEY.fullmatch(key)
    row = there.use_cases.get(int(match[1])) if match else None
    if row is None:
        raise _NoAdoptionError(f"there is no use case {shown(key)}")
    gave_up = row.ended_at is not None and row.outcome is not Outcome.PRODUCTION
    if gave_up and row.ended_at is not None and at > row.ended_at:
        raise _NoAdoptionError(f"{key_of(row)} had ended by then ({row.outcome})")
    return LIVE, row.id, row.sample


def _version(asset: Asset, written: str, at: datetime, before_published: bool) -> Version:
    """The version that is said, or the newest that was published by then."""
    by_then = [one for one in asset.versions if (on := one.published_at) and on <= at]
    if not written:
        if by_then:
            return by_then[-1]
        if before_published:
            return asset.versions[0]
        raise _NoAdoptionError(f"no version of {asset.key} was published by {_said(at)}")
    number = int(written) if written.isascii() and written.isdecimal() and len(written) < 10 else 0
    version = asset.version(number)
    if version is None:
        raise _NoAdoptionError(f"there is no version {shown(written)} of {asset.key}")
    if version not in by_then and not before_published:
        on = version.published_at
        published = f"was published on {_said(on)}" if on else "is not published"
        raise _NoAdoptionError(f"version {number} of {asset.key} {published}")
    return version


def _said(moment: datetime) -> str:
    """A moment in UTC; a day, where it is the beginning of one."""
    utc = moment.astimezone(UTC)
    day = (utc.hour, utc.minute, utc.second, utc.microsecond) == (0, 0, 0, 0)
    return f"{utc:%Y-%m-%d}" if day else f"{utc:%Y-%m-%d %H:%M} UTC"
