"""Certificates out of a learning system, as CSV: written once, however often the file comes."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.certification.certificates import Issue, row_of
from service.certification.kinds import Kind, kinds_by_key, unknown
from service.certification.tables import CertificateRow, RevocationRow
from service.domain.naming import key_of, shown
from service.errors import BadInput
from service.kinds import DELIMITERS, storable
from service.people.directory import ids_by_email

COLUMNS = ("email", "certificate", "issued", "expires", "issuer", "evidence", "revoked")
NEEDED = COLUMNS[:3]
ALIASES = {"person": "email", "person email": "email", "person_email": "email"}
MOST_LINES = 10_000
REVOKED_THERE = "revoked in the learning system"
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('certificates', 0))")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that could not be taken, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of a file. What is accepted is new, revokes what was there, or was there already,
    just so: those and the rejected ones are all that were read."""

    new: int
    revoked: int
    known: int
    rejected: tuple[Rejected, ...]

    @property
    def accepted(self) -> int:
        """Lines that were taken."""
        return self.new + self.revoked + self.known

    @property
    def read(self) -> int:
        """Lines with something in them, without the header."""
        return self.accepted + len(self.rejected)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    email: str
    kind: str
    given: Issue
    revoked: date | None


class _Refused(Exception):  # noqa: N818
    """Why a line cannot be taken."""


async def bring(session: AsyncSession, written: str, *, by: str | None, at: datetime) -> Brought:
    """Write down what a file has. A line that cannot be taken is left out, and said; the others are
    taken. `BadInput` for what is no such file."""
    try:
        numbered = list(_cells(storable(written)))
    except ValueError as error:
        raise BadInput("csv", str(error)) from None
    await session.execute(ONE_AT_A_TIME)
    kinds = await kinds_by_key(session)
    names = {key_of(name): kind.key for kind in kinds.values() for name in (kind.key, kind.title)}
    people = await ids_by_email(session, [cells.get("email", "") for _, cells in numbered])
    known = await _known(session, people.values())
    new = revoked = there = 0
    rejected: list[Rejected] = []
    for number, cells in numbered:
        try:
            line = _line(number, cells, kinds, names)
            person = people.get(line.email)
            if person is None:
                raise _Refused(f"nobody here has the email {shown(line.email)}")
            change = _taken(session, line, person, kinds[line.kind], known, by=by, at=at)
        except (_Refused, BadInput) as error:
            reason = f"{error.field}: {error.detail}" if isinstance(error, BadInput) else str(error)
            rejected.append(Rejected(number, reason))
            continue
        new += change == "new"
        revoked += change == "revoked"
        there += change == "known"
    await session.flush()
    return Brought(new, revoked, there, tuple(rejected))


@dataclass(slots=True)
class _There:
    """A certificate that is there, or has just come."""

    id: str
    expires: date | None
    revoked: date | None


_Known = dict[tuple[str, str, date], _There]


async def _known(session: AsyncSession, people: Iterable[str]) -> _Known:
    row, gone = CertificateRow, RevocationRow
    found = await session.execute(
        select(row, gone)
        .outerjoin(gone, col(gone.certificate_id) == col(row.id))
        .where(col(row.person_id).in_(set(people)))
    )
    pairs: list[tuple[CertificateRow, RevocationRow | None]] = [(one, end) for one, end in found]
    return {
        (one.person_id, one.kind, one.issued): _There(
            one.id, one.expires, end.day if end is not None else None
        )
        for one, end in pairs
    }


def _taken(
    session: AsyncSession,
    line: _Line,
    person: str,
    kind: Kind,
    known: _Known,
    *,
    by: str | None,
    at: datetime,
) -> str:
    """Write a line down; whether it was new, revoked something, or was known."""
    row = row_of(person, kind, line.given, by=by, at=at)
    if line.revoked is not None and line.revoked > at.astimezone(UTC).date():
        raise _Refused("revoked: that day is still to come")
    key = (person, kind.key, row.issued)
    there = known.get(key)
    change = "known"
    if there is None:
        session.add(row)
        there = known[key] = _There(row.id, row.expires, None)
        change = "new"
    elif there.expires != row.expires:
        said = there.expires.isoformat() if there.expires else "for ever"
        raise _Refused(f"expires: this certificate is known with another last day ({said})")
    if line.revoked is not None and there.revoked is None:
        session.add(
            RevocationRow(
                certificate_id=there.id,
                day=line.revoked,
                reason=REVOKED_THERE,
                person_id=by,
                recorded_at=at,
            )
        )
        there.revoked = line.revoked
        return change if change == "new" else "revoked"
    return change


def _cells(written: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line by line, what stands in each column."""
    lines = written.removeprefix("\ufeff")
    first = lines.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(lines), delimiter=max(DELIMITERS, key=first.count))
    try:
        numbered = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadInput("csv", f"line {rows.line_num}: {error}") from None
    if not numbered:
        raise BadInput("csv", "there is nothing in it")
    head = [ALIASES.get(key_of(cell), key_of(cell)) for cell in numbered[0][1]]
    unknown_ones = [name for name in head if name not in COLUMNS]
    missing = [name for name in NEEDED if name not in head]
    if unknown_ones or missing or len(set(head)) != len(head):
        raise BadInput("csv", f"line 1: the columns are {', '.join(COLUMNS)}")
    if len(numbered) - 1 > MOST_LINES:
        raise BadInput("csv", f"more than {MOST_LINES:,} lines: bring it in parts")
    for number, row in numbered[1:]:
        yield number, dict(zip(head, (cell.strip() for cell in row), strict=False))


def _line(
    number: int, cells: Mapping[str, str], kinds: Mapping[str, Kind], names: Mapping[str, str]
) -> _Line:
    written = cells.get("certificate", "")
    kind = names.get(key_of(written))
    if kind is None:
        raise _Refused(unknown(written, kinds))
    issued = _day("issued", cells)
    if issued is None:
        raise _Refused("issued: say on which day")
    if len(cells.get("issuer", "")) > 200:
        raise _Refused("issuer: keep it under 200 characters")
    given = Issue(
        kind,
        issued,
        _day("expires", cells),
        issuer=cells.get("issuer", ""),
        evidence=cells.get("evidence", ""),
    )
    return _Line(number, cells.get("email", "").lower(), kind, given, _day("revoked", cells))


def _day(name: str, cells: Mapping[str, str]) -> date | None:
    written = cells.get(name, "")
    if not written:
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise _Refused(f"{name}: write the day like 2026-11-30, not {shown(written)}") from None
