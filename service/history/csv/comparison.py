"""From a file, or from gathered cases, to the verdict: which cohorts, and as of when."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from pathlib import Path

from service.domain.assumption import Assumption
from service.domain.moment import said_of
from service.domain.naming import listed
from service.history.csv.errors import HistoryError
from service.history.csv.files import MOST_UNITS, HistoryFile
from service.history.csv.findings import Account
from service.history.csv.gathering import Gathering
from service.history.csv.maps import CANONICAL, HistoryMap
from service.history.csv.notes import by_field, notes_of, one_spelling, signs_of
from service.history.csv.rejects import RejectsFile
from service.measure.curves import Curve, curves
from service.measure.record import Rejected
from service.measure.verdict import INTAKE, Verdict, judge

Progress = Callable[[int, int], None]

MOST_NAMES = 1_000  # cohorts or tiers in a file; a column with more of them is another column


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """The verdict on a file: `read` rows, of which `rejected_for` counts, by canonical column.

    `rejected_by_cohort` has the rows whose cohort can be told. `planned` is how many of the
    accepted have an end that is still to come, `mended` one some hours before the start. `signs`
    are what the reading found missing; like those of the cases they are in the verdict's `record`.
    """

    verdict: Verdict
    source: str
    read: int
    accepted: int
    rejected_for: dict[str, int]
    notes: tuple[str, ...]
    curves: tuple[Curve, ...]
    rejected_by_cohort: dict[str, Rejected]
    planned: int
    mended: int
    signs: tuple[str, ...]
    zone: tzinfo = UTC
    """In which whoever asks thinks of days."""

    @property
    def rejected(self) -> int:
        """How many rows could not be used."""
        return self.read - self.accepted

    @property
    def as_of_words(self) -> str:
        """Its moment in words, with the zone."""
        return said_of(self.verdict.as_of, self.zone)


def choose_baseline(cohorts: tuple[str, ...], intake: str, baseline: str | None) -> str:
    """The cohort to compare `intake` with: the one asked for, or the only other one.

    Raises `HistoryError`, listing the cohorts, if one that is named is not there, or if none is
    named and there is not exactly one other.
    """
    there = f"the cohorts are: {listed(cohorts)}" if cohorts else "there is no usable case"
    for name in (intake, baseline):
        if name is not None and name not in cohorts:
            raise HistoryError(f"there is no cohort {name!r}; {there}")
    if baseline == intake:
        raise HistoryError(f"{intake!r} cannot be compared with itself; {there}")
    if baseline is not None:
        return baseline
    others = [name for name in cohorts if name != intake]
    if len(others) != 1:
        which = "are several cohorts" if others else "is no other cohort"
        raise HistoryError(f"there {which} to compare {intake!r} with; {there}")
    return others[0]


def choose_as_of(
    snapshot: datetime | None, asked: datetime | None, newest: datetime | None, latest: datetime
) -> tuple[datetime, str | None]:
    """The moment of the report, and a note if it was taken from the data.

    What was asked for, else the data's `snapshot`, else the `newest` moment in the data. Raises
    `HistoryError` if that is after the snapshot or after `latest` (nothing is known yet), or if
    there is nothing to take it from.
    """
    if asked is not None:
        if snapshot is not None and asked > snapshot:
            raise HistoryError(
                f"as of {asked.isoformat()} nothing is known: the file describes the state of "
                f"{snapshot.isoformat()}"
            )
        if asked > latest:
            raise HistoryError(f"as of {asked.isoformat()}: that is in the future")
        return asked, None
    if snapshot is not None:
        return snapshot, None
    if newest is None:
        raise HistoryError("there is no usable case in the file")
    at_midnight = newest.timetz().replace(tzinfo=None) == time.min
    said = newest.date().isoformat() if at_midnight else newest.isoformat(" ", "minutes")
    return newest, (
        f"As of {said}, the latest moment in the file: open cases count as open "
        "until then. If the file was taken later, say as of when (on the command line: --as-of)."
    )


def compare_file(
    path: Path,
    mapping: HistoryMap = CANONICAL,
    *,
    latest: datetime,
    intake: str = INTAKE,
    baseline: str | None = None,
    tau_days: float | None = None,
    as_of: datetime | None = None,
    zone: tzinfo = UTC,
    assumptions: tuple[Assumption, ...] = (),
    rejects: Path | None = None,
    progress: Progress | None = None,
) -> FileVerdict:
    """Read a file and compare two of its cohorts.

    `latest` is the moment after which nothing can have happened (pass the time of reading).
    `zone` is where the days are that its answer speaks of; `assumptions` are what somebody vouches
    for, by name. Rejected rows go to `rejects`, if given, once the file is read. `progress` hears
    the bytes read, of how many. Raises `HistoryError` if the file, the cohorts or `as_of` do not
    allow a comparison.
    """
    gathering = Gathering(mapping.snapshot if as_of is None else as_of)
    account = Account(latest, as_of)
    with ExitStack() as open_files:
        file = open_files.enter_context(HistoryFile(path, mapping, latest=latest))
        out = open_files.enter_context(RejectsFile(rejects, file)) if rejects else None
        for batch in file.numbers():
            account.add_numbers(batch, file.cohorts)
            if batch.accepted:
                _check_names(file)
                gathering.add(batch.accepted)
            if out is not None:
                out.write(batch.rejects)
            if progress is not None:
                progress(file.position, file.size)
    rejected, reasons = account.rejected, account.reasons
    if not account.accepted:
        raise HistoryError(
            f"{path} has no row that can be used: {rejected} read, {rejected} rejected"
            + (f" ({by_field(reasons)})" if rejected else "")
            + (f"; {file.dates_hint}" if file.dates_hint else "")
        )
    moment, note = choose_as_of(
        mapping.snapshot, as_of, datetime.fromtimestamp(account.until, latest.tzinfo), latest
    )
    notes = list(notes_of(account, file))
    signs = tuple(signs_of(account, file, from_data=note is not None))
    known = len(file.units) <= MOST_UNITS
    cases = gathering.cases(
        tuple(file.cohorts),
        one_spelling(file.tiers),
        moment,
        tuple(file.units) if known else None,
    )
    try:
        chosen = choose_baseline(cases.cohorts, intake, baseline)
    except HistoryError as error:
        raise HistoryError(f"{error}. {notes[0]}" if rejected else str(error)) from None
    verdict = judge(
        cases,
        intake=intake,
        baseline=chosen,
        tau_days=tau_days,
        assumptions=assumptions,
        rejected=account.by_cohort,
        more_signs=signs,
    )
    if note is not None:
        notes.append(note)
    return FileVerdict(
        verdict=verdict,
        source=str(path),
        read=account.read,
        accepted=account.accepted,
        rejected_for=dict(reasons.most_common()),
        notes=(*notes, *verdict.notes),
        curves=curves(cases, (intake, chosen)),
        rejected_by_cohort=account.by_cohort,
        planned=account.planned,
        mended=account.mended,
        signs=signs,
        zone=zone,
    )


def _check_names(file: HistoryFile) -> None:
    for column, names in (("cohort", file.cohorts), ("tier", file.tiers)):
        if len(names) > MOST_NAMES:
            raise HistoryError(
                f"{file.path} has more than {MOST_NAMES:,} different words for the {column}, such "
                f"as {listed(names, 3)}: is that the right column?"
            )
