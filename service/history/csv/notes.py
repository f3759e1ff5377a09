"""What the reading of a file has found, in sentences."""

from collections import Counter
from collections.abc import Iterator, Sequence

from service.domain.naming import key_of, listed
from service.history.csv.files import MOST_UNITS, HistoryFile
from service.history.csv.findings import Account

MOST_SAID = 10  # cohorts in a note


def signs_of(account: Account, file: HistoryFile, *, from_data: bool) -> Iterator[str]:
    """What the reading found that no verdict should rest on. `from_data`: whether the moment of
    the report was taken from the file."""
    if account.rejected and file.dates_hint:
        yield f"dates: {file.dates_hint}"
    days = account.alone_by if from_data else None
    if days is not None:
        line = account.newest_line
        where = f": line {line}" if line else ""
        case_id = account.newest_case or file.case_id_on(line)
        where += f", case {case_id}" if case_id else ""
        yield f"the latest moment stands alone, {days:,} days after the next{where}"


def notes_of(account: Account, file: HistoryFile) -> Iterator[str]:
    """What became of the rows, in sentences; that of the rejected ones first."""
    if account.rejected:
        reasons = by_field(account.reasons)
        yield f"{account.rejected} of {account.read} rows cannot be used: {reasons}."
        told = [
            f"{rows.rejected} of {rows.read} of {name}"
            for name, rows in list(account.by_cohort.items())[:MOST_SAID]
        ]
        yield f"Rows that cannot be used, by cohort: {', '.join(told) if told else 'none told'}."
    yield from about_the_others(account, file)


def about_the_others(account: Account, file: HistoryFile) -> Iterator[str]:
    """What became of the rows that can be used, in sentences."""
    if file.above:
        yield f"Rows above the header that are left out: {file.above}."
    if account.planned:
        yield (
            f"Ends that are still to come: {account.planned}. They are plans; these cases are open."
        )
    if account.later:
        yield (
            f"Ends after the day of the comparison: {account.later}. "
            "These cases count as open then."
        )
    if account.mended:
        yield (
            f"Ends some hours before their start, on the same day or the day before: "
            f"{account.mended}. They count as 0 days."
        )
    spellings = _spellings(file.tiers)
    if spellings:
        yield f"Tiers that are written in several ways are taken as one: {listed(spellings, 5)}."
    if len(file.units) > MOST_UNITS:
        yield (
            f"There are more than {MOST_UNITS:,} different business units: that is another column, "
            "and no unit counts as known."
        )


def one_spelling(names: Sequence[str]) -> tuple[str, ...]:
    """Names that differ in upper and lower case or white space only as one of them, whichever comes
    in whatever order: the last in the alphabet, with the fewest capitals."""
    last: dict[str, str] = {}
    for name in names:
        last[key_of(name)] = max(name, last.get(key_of(name), name))
    return tuple(last[key_of(name)] for name in names)


def _spellings(names: Sequence[str]) -> list[str]:
    """What is written in several ways, like "HIGH = high"."""
    ways: dict[str, list[str]] = {}
    for name in sorted(names):
        ways.setdefault(key_of(name), []).append(name)
    return [" = ".join(several) for several in ways.values() if len(several) > 1]


def by_field(reasons: Counter[str]) -> str:
    """How many rows were rejected for what."""
    return ", ".join(f"{count} for {field}" for field, count in reasons.most_common())
