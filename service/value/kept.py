"""What was recorded of all use cases, kept in memory and brought up to date.

Every row says which transaction wrote it last (`written`). A look asks for the rows of those that
may not have been over at the look before: of their use cases everything is read anew, of the others
nothing. Moments would not do, nor would numbers that count up: a row with a lower one may become
visible later. Transactions below the lowest that is still at work are over, whatever came of them.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from service.value.recorded import Recorded
from service.value.rows import rows

MOST_KEPT = 4
"""Databases of which a process keeps what it has read."""

LOOK = text(
    """
    SELECT (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database,
        pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon,
        current_setting('transaction_isolation') = 'repeatable read' AS earlier,
        pg_current_xact_id_if_assigned() IS NOT NULL AS writes,
        (SELECT count(*) FROM use_case WHERE sample) AS samples,
        (SELECT array_agg(ARRAY[number, many, written]) FROM (
            SELECT number, count(*) AS many, sum(written)::bigint AS written FROM (
                SELECT number, written FROM use_case WHERE written >= :since
                UNION ALL
                SELECT use_case.number, found.written FROM investment_case AS found
                JOIN use_case ON use_case.id = use_case_id WHERE found.written >= :since
                UNION ALL
                SELECT use_case.number, found.written FROM measurement AS found
                JOIN use_case ON use_case.id = use_case_id WHERE found.written >= :since
                UNION ALL
                SELECT use_case.number, found.written FROM confirmation AS found
                JOIN use_case ON use_case.id = use_case_id WHERE found.written >= :since
            ) AS row GROUP BY number
        ) AS of_use_case) AS changed
    """
).bindparams(bindparam("since", type_=BigInteger))

Changed = Mapping[int, tuple[int, int]]
"""By the number of a use case, how many of its rows were written lately, and the sum of `written`
over them: with every further row and every change either of the two is another."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was recorded as of a look at a database. What transactions before `horizon` wrote is in
    it, and what later ones wrote as far as it is in `seen`."""

    database: int
    horizon: int
    seen: Changed
    recorded: Recorded


_KEPT: "OrderedDict[str, Kept]" = OrderedDict()


async def everything_recorded(session: AsyncSession) -> Recorded:
    """All that was ever recorded: by those transactions that the session sees, and by others that
    were over before, if it looks at an earlier state."""
    name = str(session.get_bind().engine.url)
    kept = _KEPT.get(name)
    look = (await session.execute(LOOK, {"since": kept.horizon if kept else None})).one()
    if kept is not None and (
        kept.database != look.database or (look.horizon < kept.horizon and not look.earlier)
    ):
        kept = None  # another database of that name, or one that was set back
    if kept is not None and look.horizon < kept.horizon:
        return kept.recorded
    seen: Changed = {number: (many, written) for number, many, written in look.changed or ()}
    recorded = None if kept is None else await _updated(session, kept, seen, look.samples)
    if recorded is None:
        recorded, seen = await rows(session), {}
    if not look.writes:  # what this transaction has written may be undone
        _KEPT[name] = Kept(look.database, look.horizon, seen, recorded)
        _KEPT.move_to_end(name)
        while len(_KEPT) > MOST_KEPT:
            _KEPT.popitem(last=False)
    return recorded


async def _updated(
    session: AsyncSession, kept: Kept, seen: Changed, samples: int
) -> Recorded | None:
    """What is kept with all that was written since; None where samples were taken away."""
    changed = [number for number, marks in seen.items() if kept.seen.get(number) != marks]
    recorded = kept.recorded
    if changed:
        recorded = recorded.updated(await rows(session, changed), changed)
    return recorded if int(recorded.use_cases.sample.sum()) == samples else None
