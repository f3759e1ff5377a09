"""What the page of a use case shows of its harness runs, and what its reader may do about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncSession

from charts.harness import describe
from service.domain.case import Outcome
from service.domain.people import Person
from service.harness.gates import Gate, gates_reached
from service.harness.series import series_of
from service.harness.store import Regressed, Run, regressions_live, runs_of
from service.harness.tokens import NewToken, Token, may_revoke, tokens_of
from service.intake.use_cases import UseCaseRow, key_of
from web.kit.not_written import NotWritten

LEAST_FOR_A_PICTURE = 2


class Brought(StrEnum):
    """What was just done."""

    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class OfOne:
    """The runs of one harness, those that ended last first. `pictured` is its picture in words;
    empty where there are too few runs for one."""

    runs: Sequence[Run]
    worse: bool
    pictured: str

    @property
    def latest(self) -> Run:
        """The one that counts."""
        return self.runs[0]


@dataclass(frozen=True, slots=True)
class Shown:
    """The runs of harnesses on a use case, for one reader."""

    harnesses: Sequence[OfOne]
    gates: Mapping[int, Gate]
    regressions: Sequence[Regressed]
    tokens: Sequence[Token]
    may_make: bool
    may_revoke: bool
    at: datetime
    new: NewToken | None = None
    not_written: NotWritten | None = None

    @property
    def typed(self) -> Mapping[str, str]:
        """What was typed into the form of a new token."""
        return self.not_written.typed if self.not_written else {}

    @property
    def wrong(self) -> Mapping[str, str]:
        """What is wrong with its fields."""
        return self.not_written.wrong if self.not_written else {}

    @property
    def is_open(self) -> bool:
        """Whether the tokens are unfolded."""
        return self.new is not None or self.not_written is not None


async def harness_of(
    session: AsyncSession,
    row: UseCaseRow,
    reader: Person,
    at: datetime,
    *,
    new: NewToken | None = None,
    not_written: NotWritten | None = None,
) -> Shown:
    """What the page shows of the runs on a use case."""
    runs = await runs_of(session, row.id, at=at)
    worse = await regressions_live(session, row, at)
    gone = {one.asset for one in worse}
    by_harness = sorted(runs, key=lambda run: run.asset.key)  # stable: the latest stays first
    revokes = may_revoke(reader.actor, row)
    goes_on = row.outcome in {Outcome.OPEN, Outcome.PRODUCTION}
    return Shown(
        harnesses=[
            _of_one(key_of(row), list(some), worse=key in gone)
            for key, some in groupby(by_harness, key=lambda run: run.asset.key)
        ],
        gates=await gates_reached(session, row, runs),
        regressions=worse,
        tokens=await tokens_of(session, row) if revokes else (),
        may_make=goes_on and reader.id in row.owners,
        may_revoke=revokes,
        at=at,
        new=new,
        not_written=not_written,
    )


def _of_one(use_case: str, runs: list[Run], *, worse: bool) -> OfOne:
    series = series_of(use_case, runs)
    pictured = ""
    if series is not None and len(series.points) >= LEAST_FOR_A_PICTURE:
        pictured = describe(series)
    return OfOne(runs, worse, pictured)
