"""Reading the counts: the book, and the entries that have not been posted yet, in one look."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.tally import Kind

Integers = NDArray[np.int64]

LINE = "kind, source, cohort, tier, stage, holder, working, rework, detail"
"""The columns that tell one line of the counts from another."""
READ = text(
    f"""
    SELECT {LINE}, days, n, microseconds
    FROM tally_book
    WHERE kind = ANY(:kinds) AND (:every OR cohort = ANY(:cohorts))
    UNION ALL
    SELECT {LINE}, array_agg(day), array_agg(n), array_agg(microseconds)
    FROM (SELECT {LINE}, day, sum(n)::bigint AS n, sum(microseconds)::bigint AS microseconds
          FROM tally_entry
          WHERE kind = ANY(:kinds) AND (:every OR cohort = ANY(:cohorts))
          GROUP BY {LINE}, day) AS unposted
    GROUP BY {LINE}
    """  # noqa: S608 - the names above, and nothing from outside
).bindparams(bindparam("kinds", type_=ARRAY(Text)), bindparam("cohorts", type_=ARRAY(Text)))


MARK = text("SELECT coalesce(max(id), 0), count(*) FROM tally_entry")
"""Other than before as soon as anything that reports count has been written (and, seldom, when
counts are posted)."""
Mark = tuple[int, int]


async def mark_of(session: AsyncSession) -> Mark:
    """What tells whether the counts may have changed since another look."""
    highest, many = (await session.execute(MARK)).one()
    return highest, many


@dataclass(frozen=True, slots=True)
class DayLine:
    """A line of the counts over its days: `n` cases on each of `days`, at so many `microseconds`
    into the day, added up over them. Days are in increasing order, each once."""

    kind: Kind
    source: str
    cohort: str
    tier: str
    stage: str
    holder: str
    working: bool
    rework: bool
    detail: str
    days: Integers
    n: Integers
    microseconds: Integers


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines as they stood at one moment."""

    all: tuple[DayLine, ...]

    def of(self, *kinds: Kind) -> Iterable[DayLine]:
        """The lines of these kinds."""
        return (line for line in self.all if line.kind in kinds)


KEY = len(fields(DayLine)) - 3


async def lines(
    session: AsyncSession, kinds: Sequence[Kind], cohorts: Sequence[str] | None = None
) -> Lines:
    """The counts of these kinds now, for some cohorts or for all; in a fixed order."""
    found = await session.execute(
        READ,
        {
            "kinds": [kind.value for kind in kinds],
            "every": cohorts is None,
            "cohorts": list(cohorts or ()),
        },
    )
    parts: dict[tuple[Any, ...], list[tuple[Integers, Integers, Integers]]] = {}
    for row in found:
        days, n, microseconds = (np.array(column, dtype=np.int64) for column in row[KEY:])
        parts.setdefault(tuple(row[:KEY]), []).append((days, n, microseconds))
    return Lines(
        tuple(DayLine(Kind(key[0]), *key[1:], *_added(parts[key])) for key in sorted(parts))
    )


def _added(parts: Sequence[tuple[Integers, Integers, Integers]]) -> tuple[Integers, ...]:
    if len(parts) == 1 and np.all(np.diff(parts[0][0]) > 0):
        return parts[0]
    days, place = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    sums = np.zeros((2, days.size), dtype=np.int64)
    np.add.at(sums[0], place, np.concatenate([part[1] for part in parts]))
    np.add.at(sums[1], place, np.concatenate([part[2] for part in parts]))
    return days, sums[0], sums[1]
