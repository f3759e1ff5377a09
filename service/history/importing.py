"""Bringing a file of history in: from its rows to cases in the database, safe to repeat."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import isnan
from pathlib import Path

from service.database import Sessions
from service.facts.imported import Written, begin_import, observed, write_cases
from service.history.csv import HistoryFile, RejectsFile
from service.history.csv.findings import Account
from service.history.csv.notes import notes_of, signs_of


@dataclass(frozen=True, slots=True)
class Imported:
    """How far the import of a file is, or how it ended. `until` is when its open cases were last
    known to be open: the map's snapshot, else the latest moment in the file so far. At the end
    `signs` are what no verdict should rest on, `notes` what became of the rows, in sentences."""

    new: int = 0
    updated: int = 0
    rejected: int = 0
    until: datetime | None = None
    signs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def accepted(self) -> int:
        """How many rows have become cases."""
        return self.new + self.updated

    def and_then(self, rejected: int, written: "Written", until: datetime | None) -> "Imported":
        """After another batch."""
        return Imported(
            self.new + written.new, self.updated + written.updated, self.rejected + rejected, until
        )


async def import_file(
    sessions: Sessions,
    file: HistoryFile,
    source: str,
    *,
    rejects: Path,
    at: datetime,
    progress: Callable[[Imported], None] = lambda _: None,
) -> Imported:
    """Bring an open file in under the name `source`, a batch at a time, each of them in a
    transaction. Rows that cannot be used go to `rejects`. Raises `HistoryError`."""
    done = Imported(until=file.mapping.snapshot)
    async with sessions.begin() as session:
        run = await begin_import(session, source, at=at)
    batches, account = file.batches(), Account(file.latest)
    with RejectsFile(rejects, file) as rejected:
        # Reading is work: it goes on in a thread, so that a server answers meanwhile.
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            account.add_cases(batch)
            batch.observed_until = None  # the snapshot is that of the source, kept once
            async with sessions.begin() as session:
                written = await write_cases(session, run, list(batch.cases()), each_watched=True)
            rejected.write(batch.rejects)
            until = file.mapping.snapshot or _moment(account.until)
            done = done.and_then(len(batch.rejects), written, until)
            progress(done)
    alone = account.alone_by if file.mapping.snapshot is None else None
    if done.until is not None:
        async with sessions.begin() as session:
            await observed(session, run, done.until, alone_days=alone, rejected=account.by_cohort)
    signs = signs_of(account, file, from_data=file.mapping.snapshot is None)
    return replace(done, signs=tuple(signs), notes=tuple(notes_of(account, file)))


def _moment(seconds: float) -> datetime | None:
    return None if isnan(seconds) else datetime.fromtimestamp(seconds, UTC)
