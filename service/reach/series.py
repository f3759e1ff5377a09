"""A series of counts out of CSV: `date,users[,units][,countries]`."""

import csv
import io
from collections.abc import Mapping
from datetime import date

from service.errors import BadInput
from service.reach.milestones import Count

COLUMNS = ("date", "users", "units", "countries")
MOST_COUNTS = 1_000
"""Of one use case, with those that were corrected."""
MOST_USERS = 1_000_000_000
FIELD = "csv"


def read_counts(text: str, source: str) -> tuple[Count, ...]:
    """The counts in a file, in the order of its lines. `BadInput` names the line of the first thing
    that cannot be read: nothing of the file is taken then."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        numbered = [(rows.line_num, [cell.strip() for cell in row]) for row in rows]
    except csv.Error as error:
        raise BadInput(FIELD, f"line {rows.line_num}: {error}") from None
    header = [name.lower() for name in numbered[0][1]] if numbered else []
    optional = [name for name in header if name in COLUMNS[2:]]
    if header[:2] != ["date", "users"] or sorted(header[2:]) != sorted(set(optional)):
        raise BadInput(FIELD, f"line 1: the columns are {', '.join(COLUMNS)}; the last two may go")
    lines = [(line, row) for line, row in numbered[1:] if any(row)]
    if not lines:
        raise BadInput(FIELD, "there is no count in it")
    if len(lines) > MOST_COUNTS:
        raise BadInput(FIELD, f"{len(lines):,} lines: {MOST_COUNTS:,} at most")
    found: dict[date, Count] = {}
    for line, row in lines:
        if len(row) != len(header):
            said = f"line {line}: {len(row)} cells, and the header has {len(header)}"
            raise BadInput(FIELD, said)
        one = _count(dict(zip(header, row, strict=True)), line, source)
        if one.day in found:
            raise BadInput(FIELD, f"line {line}: {one.day.isoformat()} comes twice")
        found[one.day] = one
    return tuple(found.values())


def _count(cells: Mapping[str, str], line: int, source: str) -> Count:
    try:
        day = date.fromisoformat(cells["date"])
    except ValueError:
        raise BadInput(FIELD, f"line {line}: write the day like 2027-03-31") from None
    users = _number(cells["users"])
    if users is None:
        raise BadInput(FIELD, f"line {line}: users is a whole number, 0 or more")
    more: dict[str, int | None] = {}
    for name in COLUMNS[2:]:
        written = cells.get(name, "")
        more[name] = _number(written)
        if written and more[name] is None:
            raise BadInput(FIELD, f"line {line}: {name} is a whole number, 0 or more, or empty")
    return Count(day, users, more["units"], more["countries"], source)


def _number(written: str) -> int | None:
    if not (written.isascii() and written.isdecimal() and len(written) <= 10):
        return None
    number = int(written)
    return number if number <= MOST_USERS else None
