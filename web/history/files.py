"""Files that people have brought to be compared: kept for a while, for their own session only."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from pathlib import Path

from service.errors import NotFound
from service.history.csv import FileVerdict, HistoryMap, Look, Preview, compare_file, look, preview
from service.history.importing import Imported
from service.other_process import OtherProcess
from service.reports.comparison import FileComparison
from web.history.mapping import mapping_of

KEPT_FOR = timedelta(hours=1)
"""A file that nobody has looked at for so long is thrown away."""
LARGEST_FILE = 200 * 1024 * 1024
MOST_FILES = 20
"""In a process at a time; each person's sign-in has one."""
WAITS = 1.5
"""Seconds that a page waits for work before it shows that it goes on."""


class Doing(StrEnum):
    """Work on a file that takes a while."""

    COMPARE = "compare"
    IMPORT = "import"


NOT_YET = Look("", "", (), ())


@dataclass(slots=True)
class Brought:
    """A file, and what has been found out about it so far."""

    id: str
    sign_in: str
    name: str
    folder: Path
    used_at: datetime
    latest: datetime
    size: int = 0
    looked: Look = NOT_YET
    typed: dict[str, str] = field(default_factory=dict)
    mapping: HistoryMap | None = None
    preview: Preview | None = None
    verdict: FileComparison | None = None
    doing: Doing | None = None
    progress: Imported = field(default_factory=Imported)
    position: int = 0
    imported: Imported | None = None
    source: str = ""
    failed: str = ""
    task: asyncio.Task[None] | None = None

    @property
    def path(self) -> Path:
        """The file itself."""
        return self.folder / "file.csv"

    @property
    def rejects(self) -> Path:
        """The rows that could not be used, once it was compared."""
        return self.folder / "rejects.csv"

    def said(self, error: Exception) -> str:
        """What an error says, with the file's own name in the place of ours."""
        return str(error).replace(str(self.path), self.name)

    async def begin(self, doing: Doing, work: Callable[[], Awaitable[None]]) -> None:
        """Begin some work, and wait a moment: most files are done by then."""

        async def run() -> None:
            try:
                await work()
            finally:
                self.doing = None

        self.doing, self.failed = doing, ""
        self.task = asyncio.create_task(run())
        await asyncio.wait({self.task}, timeout=WAITS)


class TooManyFiles(Exception):  # noqa: N818 - named for the fact
    """No more files can be kept just now."""


class Files:
    """The files of this process."""

    def __init__(self) -> None:
        self._process = OtherProcess()
        self._folder: Path | None = None
        self._brought: dict[str, Brought] = {}

    def find(self, file_id: str, sign_in: str, at: datetime) -> Brought:
        """A file of this very sign-in; `NotFound` for anybody else's, and after a while."""
        self._tidy(at)
        found = self._brought.get(file_id)
        if found is None or found.sign_in != sign_in:
            raise NotFound("file of yours here: it was thrown away after an hour, or never brought")
        found.used_at = at
        return found

    def of(self, sign_in: str, at: datetime) -> Brought | None:
        """The file that this sign-in has brought, if there is one."""
        self._tidy(at)
        return next((one for one in self._brought.values() if one.sign_in == sign_in), None)

    def room(self, sign_in: str, at: datetime) -> Path:
        """A new folder for a file. Raises `TooManyFiles`."""
        self._tidy(at)
        others = [one for one in self._brought.values() if one.sign_in != sign_in]
        if len(others) >= MOST_FILES:
            raise TooManyFiles
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="headway-files-"))
        return Path(tempfile.mkdtemp(dir=self._folder))

    def keep(self, brought: Brought) -> None:
        """Keep a file, in the place of the one that this sign-in had."""
        for one in [one for one in self._brought.values() if one.sign_in == brought.sign_in]:
            self.forget(one)
        self._brought[brought.id] = brought

    def forget(self, brought: Brought) -> None:
        """Throw it away, and stop what is being done with it."""
        self._brought.pop(brought.id, None)
        if brought.task is not None:
            brought.task.cancel()
        shutil.rmtree(brought.folder, ignore_errors=True)

    async def look(self, path: Path, encoding: str = "", delimiter: str = "") -> Look:
        """`service.history.csv.look`, in a process of its own."""
        return await self._process.do(look, path, encoding=encoding, delimiter=delimiter)

    async def preview(self, brought: Brought) -> tuple[HistoryMap, Preview]:
        """The map that the form asks for and `service.history.csv.preview` with it, in a process of
        its own: nobody knows how long a map takes that somebody wrote. Raises `HistoryError`."""
        return await self._process.do(
            _preview, brought.typed, brought.name, brought.path, brought.latest
        )

    async def compare(
        self,
        brought: Brought,
        mapping: HistoryMap,
        *,
        intake: str,
        baseline: str | None,
        tau_days: float | None,
        as_of: datetime | None,
        zone: tzinfo,
    ) -> FileVerdict:
        """`service.history.csv.compare_file`, in a process of its own."""
        return await self._process.do(
            compare_file,
            brought.path,
            mapping,
            latest=brought.latest,
            intake=intake,
            baseline=baseline,
            tau_days=tau_days,
            as_of=as_of,
            zone=zone,
            rejects=brought.rejects,
        )

    async def end(self) -> None:
        """The server stops: nothing is kept."""
        tasks = [one.task for one in self._brought.values() if one.task is not None]
        for one in list(self._brought.values()):
            self.forget(one)
        await asyncio.gather(*tasks, return_exceptions=True)
        self._process.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _tidy(self, at: datetime) -> None:
        for one in [one for one in self._brought.values() if at - one.used_at > KEPT_FOR]:
            if one.doing is None:
                self.forget(one)


def _preview(
    typed: Mapping[str, str], name: str, path: Path, latest: datetime
) -> tuple[HistoryMap, Preview]:
    mapping = mapping_of(typed, name)
    return mapping, preview(path, mapping, latest=latest)


def new_id() -> str:
    """The address of a new file, which nobody guesses."""
    return secrets.token_urlsafe(16)
