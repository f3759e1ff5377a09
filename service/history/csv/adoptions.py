"""Files that say which cases adopted what on their way: a row for each case and asset."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import repeat
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np

from service.domain.moment import said_of
from service.domain.naming import key_of, listed, shown
from service.history.csv.batch import Batch, Reject
from service.history.csv.comparison import MOST_NAMES, Progress, choose_as_of
from service.history.csv.errors import HistoryError, RowUnusable
from service.history.csv.files import HistoryFile
from service.history.csv.findings import Account
from service.history.csv.header import Header
from service.history.csv.maps import CANONICAL, NO_ASSET, NO_UNIT, HistoryMap, TextSource
from service.history.csv.memo import Memo
from service.history.csv.notes import about_the_others, by_field, one_spelling, signs_of
from service.history.csv.quoting import day
from service.history.csv.rejects import RejectsFile
from service.history.csv.rows import Columns, RowReader
from service.measure.adoptions import Adoptions
from service.measure.cases import EPOCH, OPEN, OUTCOMES, Cases, Collector, days_from
from service.measure.record import MOST_REJECTED, Rejected
from service.measure.record import signs as signs_of_cases
from service.measure.survival import Floats

MOST_ROWS = 2_000_000
"""Every case is held as a row with its id, at about 300 bytes each."""
COHORT = "all"
"""All cases of such a file are of one cohort, whatever it says."""

NOTHING = -1
"""The code of no asset."""

_NAMES = (
    *("tier", "business_unit", "outcome", "started_at", "ended_at"),
    *("known_from", "observed_until", "estimate_days"),
)
"""What the rows of one case must agree in."""
_FACTS = 8 * len(_NAMES)  # bytes
_CODES = {outcome: code for code, outcome in enumerate(OUTCOMES)}


@dataclass(frozen=True, slots=True)
class FileAdoptions:
    """What a file says of cases and of who adopted what.

    `read` rows, of which `rejected_for` counts those that cannot be used, by canonical column.
    `signs` are what the reading found that no verdict should rest on.
    """

    cases: Cases
    adoptions: tuple[Adoptions, ...]
    source: str
    read: int
    accepted: int
    rejected_for: dict[str, int]
    notes: tuple[str, ...]
    signs: tuple[str, ...]
    zone: tzinfo = UTC

    @property
    def rejected(self) -> int:
        """How many rows could not be used."""
        return self.read - self.accepted

    @property
    def as_of_words(self) -> str:
        """Its moment in words, with the zone."""
        return said_of(self.cases.as_of, self.zone)


def read_adoptions(
    path: Path,
    mapping: HistoryMap = CANONICAL,
    *,
    latest: datetime,
    as_of: datetime | None = None,
    zone: tzinfo = UTC,
    rejects: Path | None = None,
    progress: Progress | None = None,
) -> FileAdoptions:
    """Read a file of adoptions, as known at `as_of`.

    `latest`, `zone`, `rejects` and `progress` are as in `compare_file`, and so are the errors.
    """
    account = Account(latest)
    with ExitStack() as open_files:
        file = open_files.enter_context(AdoptionFile(path, mapping, latest=latest))
        out = open_files.enter_context(RejectsFile(rejects, file)) if rejects else None
        for batch in file.adoptions():
            account.add_cases(batch)
            if out is not None:
                out.write(batch.rejects)
            if progress is not None:
                progress(file.position, file.size)
    reasons = account.reasons
    if not account.accepted:
        raise HistoryError(
            f"{path} has no row that can be used: {account.rejected} read, {account.rejected}"
            " rejected"
            + (f" ({by_field(reasons)})" if account.rejected else "")
            + (f"; {file.dates_hint}" if file.dates_hint else "")
        )
    newest = datetime.fromtimestamp(max(account.until, file.newest_adoption()), latest.tzinfo)
    moment, note = choose_as_of(file.mapping.snapshot, as_of, newest, latest)
    cases, adoptions, notes = file.known_at(moment)
    # The moment of the report says how long open cases were watched, and nothing else.
    rests_on_it = note is not None and bool((cases.outcome == OPEN).any())
    signs = list(signs_of(account, file, from_data=rests_on_it))
    signs += signs_of_cases({"the cases": cases.all})
    if Rejected(account.read, account.rejected).share > MOST_REJECTED:
        signs.append(f"{account.rejected} of {account.read} rows could not be used")
    return FileAdoptions(
        cases=cases,
        adoptions=adoptions,
        source=str(path),
        read=account.read,
        accepted=account.accepted,
        rejected_for=dict(reasons.most_common()),
        notes=(
            *_rejected(account),
            *about_the_others(account, file),
            *notes,
            *filter(None, [note]),
        ),
        signs=tuple(signs),
        zone=zone,
    )


def _rejected(account: Account) -> Iterator[str]:
    if account.rejected:
        reasons = by_field(account.reasons)
        yield f"{account.rejected} of {account.read} rows cannot be used: {reasons}."


Said = tuple[str | RowUnusable, datetime | RowUnusable | None]
"""What a row says of an adoption: the asset and the moment, or why it says neither."""


class AdoptionReader(RowReader):
    """Reads what a row says of an adoption, too. `FileUnreadable` if there is no such column."""

    def __init__(self, mapping: HistoryMap, header: Sequence[str], latest: datetime) -> None:
        super().__init__(mapping.with_cohort(COHORT), header, latest)
        columns = Header(header)
        adopted_in = columns.all_of((mapping.adopted_at,))
        source = mapping.asset
        if source.absent is not None and not columns.those_of(source.columns):
            source = TextSource(constant=source.absent)
        self._assets_in = columns.any_of(source.columns)
        columns.complain()
        (self._adopted_in,) = adopted_in
        self._assets = Memo(self._text_parser("asset", source, self._assets_in))
        self._adopted = Memo(self._moment)

    @property
    def names_assets(self) -> bool:
        """Whether the file has a column for the asset."""
        return bool(self._assets_in)

    def adoptions(self, rows: Sequence[Sequence[str]]) -> list[Said]:
        """Of each row the asset, and when the case adopted it, None if it did not."""
        places = self._assets_in
        keys: Iterable[Any] = repeat((), len(rows))
        if len(places) == 1:
            keys = [row[places[0]] for row in rows]
        elif places:
            keys = [tuple(row[place] for place in places) for row in rows]
        moments = [self._adopted[row[self._adopted_in]] for row in rows]
        return list(zip(map(self._assets.__getitem__, keys), moments, strict=True))

    def _moment(self, cells: Sequence[str]) -> datetime | None:
        return self.dates.read("adopted_at", self._names[self._adopted_in], cells[0])


class _Names:
    """Names in the order in which they came; those that differ in upper and lower case only are
    one."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._keys: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def code(self, name: str) -> int:
        found = self._codes.get(name)
        if found is None:
            found = self._codes[name] = self._keys.setdefault(key_of(name), len(self._keys))
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """One spelling of each, in the order of the codes."""
        spelled = list(self._codes)
        one = dict(zip(map(key_of, spelled), one_spelling(spelled), strict=True))
        return tuple(one[key] for key in self._keys)


@dataclass(slots=True)
class _Adopted:
    """Who adopted an asset, in columns that run in parallel: cases by their number in the file,
    and seconds since 1970."""

    cases: "array[int]" = field(default_factory=lambda: array("q"))
    moments: "array[float]" = field(default_factory=lambda: array("d"))


class AdoptionFile(HistoryFile):
    """An open file of adoptions; a context manager like every history file.

    Rows with the same `case_id` are one case that says something of several assets.
    """

    def __init__(self, path: Path, mapping: HistoryMap = CANONICAL, *, latest: datetime) -> None:
        self._numbers_of: dict[str, int] = {}
        self._first_lines = array("q")
        self._facts: list[bytes] = []
        self._said: dict[tuple[int, int], int] = {}
        self._tier_names, self._asset_names = _Names(), _Names()
        self._adopted: dict[int, _Adopted] = {}
        super().__init__(path, mapping, latest=latest)

    def _row_reader(self, mapping: HistoryMap, header: list[str]) -> RowReader:
        self._adoption_reader = AdoptionReader(mapping, header, self.latest)
        return self._adoption_reader

    def adoptions(self) -> Iterator[Batch]:
        """Read the rest of the file, some rows at a time. What it says is then in `known_at`.

        Raises `HistoryError` if there are too many rows, tiers or assets.
        """
        for records in self._some_records():
            reading = self._rows.read(records.rows)
            rejects = records.rejects + self._unusable(records, reading)
            rows = reading.accepted
            lines = [records.lines[place] for place in reading.places]
            cells = [records.rows[place] for place in reading.places]
            facts = self._facts_of(rows)
            gone: dict[int, int] = {}
            for i, said in enumerate(self._adoption_reader.adoptions(cells)):
                case_id, own = rows.case_id[i], facts[_FACTS * i : _FACTS * (i + 1)]
                try:
                    self._take(case_id, own, lines[i], said)
                except RowUnusable as error:
                    gone[i] = reading.places[i]
                    rejects.append(
                        Reject(
                            lines[i], case_id, error.field, error.reason, tuple(cells[i]), COHORT
                        )
                    )
            self._check_bounds()
            rejects.sort(key=lambda reject: reject.line)
            left_out = set(gone.values())
            yield Batch(
                accepted=rows.without(gone) if gone else rows,
                rejects=rejects,
                observed_until=self.mapping.snapshot,
                planned=len(reading.planned - left_out),
                mended=len(reading.mended - left_out),
            )

    def _take(self, case_id: str, facts: bytes, line: int, said: Said) -> None:
        """Take a row; `RowUnusable` if it contradicts, or repeats, an earlier one of its case."""
        asset, adopted = said
        if isinstance(asset, RowUnusable):
            raise asset
        if isinstance(adopted, RowUnusable):
            raise adopted
        if adopted is not None and asset == NO_ASSET:
            raise RowUnusable("asset", f"adopted {day(adopted)}, but the asset is blank")
        code = NOTHING if asset == NO_ASSET else self._asset_names.code(asset)
        number = self._numbers_of.get(case_id)
        if number is None:
            number = self._numbers_of[case_id] = len(self._facts)
            self._facts.append(facts)
            self._first_lines.append(line)
        else:
            first = self._first_lines[number]
            if facts != self._facts[number]:
                name = _different(facts, self._facts[number])
                raise RowUnusable(
                    name, f"{name} is another than that of case_id {shown(case_id)} on line {first}"
                )
            if (earlier := self._said.get((number, code))) is not None:
                told = self._adoption_reader.names_assets and asset != NO_ASSET
                about = f" with asset {shown(asset)}" if told else ""
                raise RowUnusable(
                    "case_id", f"case_id {shown(case_id)}{about} is already on line {earlier}"
                )
        self._said[number, code] = line
        if adopted is not None:
            who = self._adopted.get(code)
            if who is None:
                who = self._adopted[code] = _Adopted()
            who.cases.append(number)
            who.moments.append((adopted - EPOCH).total_seconds())

    def _facts_of(self, rows: Columns) -> bytes:
        """What the rows of a case must agree in, as numbers: `_FACTS` bytes for each row."""
        for tier in set(rows.tier):
            self._tier_code(tier)  # for the note on how it is written
        table = np.empty((len(rows), len(_NAMES)))
        table[:, 0] = list(map(self._tier_names.code, rows.tier))
        table[:, 1] = list(map(self._unit_code, rows.business_unit))
        table[:, 2] = [_CODES[outcome] for outcome in rows.outcome]
        table[:, 3] = list(map(_seconds, rows.started_at))
        table[:, 4] = list(map(_seconds, rows.ended_at))
        table[:, 5] = list(map(_seconds, rows.known_from))
        table[:, 6] = list(map(_seconds, rows.observed_until))
        table[:, 7] = [nan if days is None else days for days in rows.estimate_days]
        return table.tobytes()

    def _check_bounds(self) -> None:
        if len(self._said) > MOST_ROWS:
            raise HistoryError(
                f"{self.path} has more than {MOST_ROWS:,} rows: split it, for instance by tier"
            )
        for column, names in (("tier", self._tier_names), ("asset", self._asset_names)):
            if len(names) > MOST_NAMES:
                raise HistoryError(
                    f"{self.path} has more than {MOST_NAMES:,} different words for the {column},"
                    f" such as {listed(names.names, 3)}: is that the right column?"
                )

    def newest_adoption(self) -> float:
        """The latest adoption of an open case that is not still to come, in seconds since 1970: so
        long it was open at least. Minus infinity without any."""
        ended, latest, newest = self._table()[:, 4], _seconds(self.latest), -inf
        for who in self._adopted.values():
            moments = np.array(who.moments)
            known = moments[np.isnan(ended[np.array(who.cases)]) & (moments <= latest)]
            newest = float(known.max(initial=newest))
        return newest

    def _table(self) -> Floats:
        """A row for each case, with the columns of `_NAMES`."""
        return np.frombuffer(b"".join(self._facts)).reshape(-1, len(_NAMES))

    def known_at(self, as_of: datetime) -> tuple[Cases, tuple[Adoptions, ...], tuple[str, ...]]:
        """The cases and adoptions read so far as they were known at a moment, and what has to be
        said of them."""
        facts = self._table()
        tier, outcome = facts[:, 0].astype(np.int64), facts[:, 2].astype(np.int64)
        started, ended, known_from, observed = facts[:, 3:7].T
        collector = Collector()
        nobody = np.zeros(outcome.size, dtype=np.int64)
        collector.add_codes(
            ((COHORT,), self._tier_names.names, (NO_UNIT,)),
            (nobody, tier, nobody),
            started,
            ended,
            outcome,
            known_from=known_from,
            observed_until=self._last_seen(observed, ended),
        )
        cases = collector.cases(as_of)
        now = _seconds(as_of)
        kept = (started <= now) & ~(known_from > now)  # as the collector has it
        place = np.cumsum(kept) - 1
        found, counts = [], Counter[str]()
        counts["started later"] = cases.started_later
        counts["ends later"] = int(np.count_nonzero(kept & (ended > now)))
        for code, name in enumerate(self._asset_names.names):
            who = self._adopted.get(code, _Adopted())
            number, moment = np.array(who.cases), np.array(who.moments)
            number, moment = number[kept[number]], moment[kept[number]]
            row, age = place[number], days_from(moment - started[number])
            there = age <= cases.duration_days[row]
            later = ~there & (moment > now) & (cases.outcome[row] == OPEN)
            counts["later"] += int(np.count_nonzero(later))
            counts["after"] += int(np.count_nonzero(~there & ~later))
            counts["early"] += int(np.count_nonzero(age < 0.0))
            found.append(Adoptions(name, row[there], np.maximum(age[there], 0.0)))
        found.sort(key=lambda one: one.asset)
        return cases, tuple(found), tuple(_about(counts))

    def _last_seen(self, observed: Floats, ended: Floats) -> Floats:
        """When anybody last looked at open cases: the map's snapshot at the latest."""
        if self.mapping.snapshot is None:
            return observed
        snapshot = _seconds(self.mapping.snapshot)
        return np.where(np.isnan(ended), np.fmin(observed, snapshot), observed)


def _about(counts: Counter[str]) -> Iterator[str]:
    """What became of cases and adoptions that are not as plain as the others."""
    if counts["started later"]:
        yield (
            f"Cases that started after the day of the report: {counts['started later']}. They are"
            " left out."
        )
    if counts["ends later"]:
        yield (
            f"Ends after the day of the report: {counts['ends later']}. These cases count as open"
            " then."
        )
    if counts["early"]:
        yield (
            f"Adoptions before the start of their case: {counts['early']}. They count from the"
            " start on."
        )
    if counts["after"]:
        yield (
            f"Adoptions after the end of their case, or when nobody looked at it any more:"
            f" {counts['after']}. These cases count as without the asset, as they were as long as"
            " they were watched."
        )
    if counts["later"]:
        yield (f"Adoptions after the day of the report: {counts['later']}. They do not count yet.")


def _different(facts: bytes, others: bytes) -> str:
    """The first column in which two rows of a case differ."""
    one, other = (np.frombuffer(some, np.int64) for some in (facts, others))
    return _NAMES[int(np.flatnonzero(one != other)[0])]


def _seconds(moment: datetime | None) -> float:
    return nan if moment is None else (moment - EPOCH).total_seconds()
