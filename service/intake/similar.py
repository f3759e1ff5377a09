"""Use cases that are like one that is being written: somebody may have built it."""

from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.people import Actor
from service.intake.tables import UseCaseRow
from service.intake.use_cases import visible

MOST = 3
FEWEST_WORDS = 2
"""That have to be the same, in their stems: one alone says little."""
MOST_LOOKED_AT = 500
"""The newest that have any word of it; the best of these are taken."""
LONGEST_READ = 2000
"""Characters of what is typed that are looked at."""
NEAREST = 0.4
"""Of 1: from this similarity on (the share of trigrams that two titles have in common) a title is
the same but for how it is spelt."""
MOST_TITLES = 2_000
"""The newest whose titles are compared by trigrams."""
HAS_TRIGRAMS = text("SELECT to_regprocedure('similarity(text, text)') IS NOT NULL")
"""Whether the database has `pg_trgm`."""
STEMS = text("SELECT lexeme FROM unnest(to_tsvector('english'::regconfig, CAST(:words AS text)))")

# As in the index, which takes no parameters.
WORDS: ColumnElement[Any] = literal_column(
    "to_tsvector('english'::regconfig, use_case.title || ' ' || use_case.problem)"
)


async def stems_of(session: AsyncSession, title: str, problem: str) -> list[str]:
    """The words of a title and a problem that say something, as PostgreSQL stems English ones."""
    words = f"{title} {problem}"[:LONGEST_READ]
    return list(await session.scalars(STEMS, {"words": words}))


def any_of(stems: list[str]) -> ColumnElement[object]:
    """The query for texts that have any of these words."""
    quoted = (one.replace("\\", "\\\\").replace("'", "''") for one in stems)
    return cast(" | ".join(f"'{one}'" for one in quoted), TSQUERY)


async def similar(
    session: AsyncSession, reader: Actor, title: str, problem: str
) -> list[UseCaseRow]:
    """The use cases that share the most words with a title and a problem, then those whose titles
    are the same but for their spelling, of those that this person may see; at most `MOST`, the
    nearest first."""
    rows = await _by_words(session, reader, title, problem)
    if len(rows) < MOST and await by_spelling(session, title):
        known = {row.id for row in rows}
        rows += [one for one in await _by_trigrams(session, reader, title) if one.id not in known]
    return rows[:MOST]


async def by_spelling(session: AsyncSession, title: str) -> bool:
    """Whether a title can be looked for by how it is spelt: it has words enough, and the database
    has trigrams. Where it has none, misspelt words find nothing."""
    if len(await stems_of(session, title, "")) < FEWEST_WORDS:
        return False
    return bool(await session.scalar(HAS_TRIGRAMS))


async def _by_trigrams(session: AsyncSession, reader: Actor, title: str) -> list[UseCaseRow]:
    newest = (
        select(col(UseCaseRow.id), col(UseCaseRow.title))
        .where(*visible(reader))
        .order_by(col(UseCaseRow.number).desc())
        .limit(MOST_TITLES)
        .subquery()
    )
    near = func.similarity(newest.c.title, title[:LONGEST_READ])
    rows = await session.scalars(
        select(UseCaseRow)
        .join(newest, newest.c.id == col(UseCaseRow.id))
        .where(near >= NEAREST)
        .order_by(near.desc(), col(UseCaseRow.number).desc())
        .limit(MOST)
    )
    return list(rows)


async def _by_words(
    session: AsyncSession, reader: Actor, title: str, problem: str
) -> list[UseCaseRow]:
    stems = await stems_of(session, title, problem)
    if len(stems) < FEWEST_WORDS:
        return []
    near = (
        select(col(UseCaseRow.id), WORDS.label("vector"))
        .where(WORDS.op("@@")(any_of(stems)), *visible(reader))
        .order_by(col(UseCaseRow.number).desc())
        .limit(MOST_LOOKED_AT)
        .subquery()
    )
    own = (
        func.unnest(func.tsvector_to_array(near.c.vector))
        .table_valued("word", name="own")
        .render_derived()
    )
    shared = (
        select(func.count())
        .select_from(own)
        .where(own.c.word == func.any(cast(stems, ARRAY(Text))))
        .correlate(near)
        .scalar_subquery()
    )
    best = select(near.c.id, shared.label("shared")).subquery()
    rows = await session.scalars(
        select(UseCaseRow)
        .join(best, best.c.id == col(UseCaseRow.id))
        .where(best.c.shared >= FEWEST_WORDS)
        .order_by(best.c.shared.desc(), col(UseCaseRow.number).desc())
        .limit(MOST)
    )
    return list(rows)
