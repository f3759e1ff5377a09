"""Maps: how another organisation's columns, words and dates become cases. Data in TOML."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Self, TypeVar

from service.domain.case import Outcome
from service.domain.moment import BadMoment, last_of
from service.domain.naming import fold, key_of
from service.history.csv.date_forms import SPREADSHEET
from service.history.csv.errors import MapError
from service.history.csv.toml import LARGEST, read_toml

Word = TypeVar("Word", bound=StrEnum)
SHIPPED = files("service.history") / "maps"
MOST_FORMATS = 20
LONGEST_FORMAT = 100
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
ISO = "iso"
UTF8 = "utf-8-sig"  # UTF-8, with or without the mark that spreadsheets begin with
ONE_TIER = "all"
"""The tier of every case where nobody says any."""
NO_UNIT = ""
"""The business unit of a case where nobody says it."""
NO_ASSET = ""
"""The asset in a row that says of none whether it was adopted."""
ONE_ASSET = "asset"
"""The asset that a file speaks of if it names none."""
_TOP = (
    *("description", "encoding", "delimiter", "snapshot", "dates", "case_id", "cohort", "tier"),
    *("business_unit", "started_at", "ended_at", "outcome"),
    *("known_from", "observed_until", "estimate_days", "adopted_at", "asset"),
)


class Pick(StrEnum):
    """Which of several dates counts."""

    FIRST = "first"
    EARLIEST = "earliest"


class YearNumbers(StrEnum):
    """What to do with a year that a spreadsheet took for a day number (2021: 13 July 1905)."""

    REJECT = "reject"
    MIDDLE = "middle"


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where a text comes from: a constant, or the first of some columns that is not blank.

    `values` are by folded key. `otherwise` stands for a value that they do not list and `blank`
    for an empty cell; where these are None such a row is rejected. `absent` is the text of every
    row of a file that has none of the columns; where it is None such a file is refused.
    """

    columns: tuple[str, ...] = ()
    constant: str | None = None
    values: Mapping[str, str] | None = None
    otherwise: str | None = None
    blank: str | None = None
    absent: str | None = None


@dataclass(frozen=True, slots=True)
class MaybeColumn:
    """A column that a file may have or not; one that is `needed` it must have."""

    column: str
    needed: bool = False


@dataclass(frozen=True, slots=True)
class IdSource:
    """The columns that together name a case."""

    columns: tuple[str, ...]
    join: str = " / "


@dataclass(frozen=True, slots=True)
class StartSource:
    """The columns that may hold the start."""

    columns: tuple[str, ...]
    pick: Pick = Pick.FIRST


@dataclass(frozen=True, slots=True)
class Rule:
    """One reading of how a case ended; it fits if every part of it does.

    `when` lists, per column, the folded keys that fit. A rule with `ended_at` fits only a row
    whose cell there says something. `outcome` None rejects the row with `reject` as the reason.
    """

    outcome: Outcome | None
    ended_at: str | None
    when: Mapping[str, frozenset[str]]
    reject: str = ""


@dataclass(frozen=True, slots=True)
class Dates:
    """How dates are written: strptime forms, `iso` or `spreadsheet`, tried in order, and words for
    "no date"."""

    formats: tuple[str, ...] = (ISO,)
    none: frozenset[str] = frozenset()
    year_numbers: YearNumbers = YearNumbers.REJECT
    earliest: datetime = EARLIEST


@dataclass(frozen=True, slots=True)
class HistoryMap:
    """How one kind of file becomes cases. `snapshot` is the moment that the file describes.

    A delimiter that nobody said is only where the guessing begins. `started_from` names cohorts by
    when a case started, in the order of time; then there is no other source of the cohort.
    `adopted_at` and `asset` are for files that say what the cases adopted.
    """

    name: str = "canonical columns"
    encoding: str = UTF8
    delimiter: str = ","
    delimiter_said: bool = False
    snapshot: datetime | None = None
    dates: Dates = field(default_factory=Dates)
    case_id: IdSource = field(default_factory=lambda: IdSource(("case_id",)))
    cohort: TextSource = field(default_factory=lambda: TextSource(("cohort",)))
    started_from: tuple[tuple[datetime, str], ...] = ()
    tier: TextSource = field(default_factory=lambda: TextSource(("tier",), absent=ONE_TIER))
    business_unit: TextSource = field(
        default_factory=lambda: TextSource(("business_unit",), blank=NO_UNIT, absent=NO_UNIT)
    )
    started_at: StartSource = field(default_factory=lambda: StartSource(("started_at",)))
    ended_at: str = "ended_at"
    outcome: TextSource = field(default_factory=lambda: TextSource(("outcome",)))
    rules: tuple[Rule, ...] = ()
    known_from: MaybeColumn = MaybeColumn("known_from")
    observed_until: MaybeColumn = MaybeColumn("observed_until")
    estimate_days: MaybeColumn = MaybeColumn("estimate_days")
    adopted_at: str = "adopted_at"
    asset: TextSource = field(
        default_factory=lambda: TextSource(("asset",), blank=NO_ASSET, absent=ONE_ASSET)
    )

    def with_cohort(self, name: str) -> Self:
        """This map with every case in the cohort `name`, whatever the file says."""
        return replace(self, cohort=TextSource(constant=name), started_from=())


CANONICAL = HistoryMap()


def shipped_maps() -> tuple[str, ...]:
    """The names of the maps that come with Headway."""
    return shipped_in(SHIPPED)


def load_map(name_or_path: str) -> HistoryMap:
    """The shipped map of that name, or the one in that TOML file.

    Raises `MapError` if there is none or it is not valid.
    """
    return parse_map(*map_text(SHIPPED, name_or_path, "map"))


def shipped_in(folder: Traversable) -> tuple[str, ...]:
    """The names of the maps in a folder of ours."""
    return tuple(
        sorted(found.name[:-5] for found in folder.iterdir() if found.name.endswith(".toml"))
    )


def map_text(folder: Traversable, name_or_path: str, what: str) -> tuple[str, str]:
    """The text of a shipped map, or of a file, and its name; `MapError` when there is neither."""
    shipped = shipped_in(folder)
    if name_or_path in shipped:
        return (folder / f"{name_or_path}.toml").read_text("utf-8"), name_or_path
    path = Path(name_or_path)
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1).decode("utf-8"), path.name
    except (OSError, ValueError) as error:
        raise MapError(
            f"no {what} {name_or_path!r}: neither a shipped one ({', '.join(shipped)})"
            f" nor a readable file ({error})"
        ) from None


def parse_map(text: str, name: str) -> HistoryMap:
    """The map that a TOML text describes; raises `MapError` naming the key that is wrong."""
    raw = read_toml(text, name)
    try:
        return _map(Table(raw, ""), name)
    except MapError as error:
        raise MapError(f"map {name}: {error}") from None


class Table:
    """A TOML table that knows its place and which keys were asked for."""

    def __init__(self, raw: Mapping[str, Any], place: str) -> None:
        self.raw = raw
        self.place = place

    def allow(self, *keys: str) -> None:
        for key in self.raw:
            if key not in keys:
                raise MapError(f"{self.at(key)}: unknown key; known here: {', '.join(keys)}")

    def at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key

    def table(self, key: str) -> "Table | None":
        value = self.raw.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise MapError(f"{self.at(key)}: must be a table")
        return Table(value, self.at(key))

    def text(self, key: str) -> str | None:
        value = self.raw.get(key)
        if value is not None and not isinstance(value, str):
            raise MapError(f"{self.at(key)}: must be a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise MapError(f"{self.at(key)}: must be a list of texts")
        return tuple(value)

    def moment(self, key: str) -> datetime | None:
        value = self.raw.get(key)
        if value is None:
            return None
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        raise MapError(f"{self.at(key)}: must be a date, written without quotes: 2024-12-16")

    def snapshot(self) -> datetime | None:
        """When the file was true: a moment, or the end of a day (UTC)."""
        value = self.raw.get("snapshot")
        if isinstance(value, date) and not isinstance(value, datetime):
            try:
                return last_of(value)
            except BadMoment as bad:
                raise MapError(f"{self.at('snapshot')}: {bad}") from None
        return self.moment("snapshot")

    def columns(self) -> tuple[str, ...]:
        one, several = self.text("column"), self.texts("columns")
        if one is not None and "columns" in self.raw:
            raise MapError(f"{self.place}: give column or columns, not both")
        columns = several if one is None else (one,)
        if any(not fold(column) for column in columns):
            raise MapError(f"{self.place}: a column's name is blank")
        return columns


def _map(top: Table, name: str) -> HistoryMap:
    top.allow(*_TOP)
    top.text("description")
    plain = HistoryMap(name=name, snapshot=top.snapshot())
    plain = replace(
        plain,
        encoding=read_encoding(top),
        delimiter=read_delimiter(top),
        delimiter_said="delimiter" in top.raw,
        dates=read_dates(top),
    )
    cohort = top.table("cohort")
    starts = None if cohort is None else cohort.table("started_from")
    if cohort is not None and starts is not None:
        cohort.allow("started_from")
        plain = replace(plain, started_from=read_started_from(starts))
        plain = replace(plain, cohort=TextSource(constant=plain.started_from[0][1]))
    if (table := top.table("case_id")) is not None:
        table.allow("column", "columns", "join")
        join = table.text("join")
        plain = replace(plain, case_id=IdSource(_needed(table), " / " if join is None else join))
    if (table := top.table("started_at")) is not None:
        table.allow("column", "columns", "pick")
        pick = read_word(table, "pick", Pick, Pick.FIRST)
        plain = replace(plain, started_at=StartSource(_needed(table), pick))
    plain = replace(
        plain,
        cohort=plain.cohort if starts is not None else _text_or(top, "cohort", plain.cohort),
        tier=_text_or(top, "tier", plain.tier),
        business_unit=_unit_or(top, plain.business_unit),
        known_from=_maybe(top, "known_from", plain.known_from),
        observed_until=_maybe(top, "observed_until", plain.observed_until),
        estimate_days=_maybe(top, "estimate_days", plain.estimate_days),
    )
    return _ends(top, _adoptions(top, plain))


def _adoptions(top: Table, plain: HistoryMap) -> HistoryMap:
    """A case that adopted nothing is a case all the same."""
    if (table := top.table("adopted_at")) is not None:
        table.allow("column")
        plain = replace(plain, adopted_at=_needed(table)[0])
    asset = _text_or(top, "asset", plain.asset)
    blank = NO_ASSET if asset.blank is None else asset.blank
    return replace(plain, asset=replace(asset, blank=blank))


def _ends(top: Table, plain: HistoryMap) -> HistoryMap:
    ended_at, outcome = top.table("ended_at"), top.table("outcome")
    if outcome is not None and "rules" in outcome.raw:
        outcome.allow("rules")
        if ended_at is not None:
            raise MapError("ended_at: outcome.rules name the column of the end themselves")
        return replace(plain, rules=_rules(outcome))
    if ended_at is not None:
        ended_at.allow("column")
        plain = replace(plain, ended_at=_needed(ended_at)[0])
    if outcome is not None:
        source = read_text_source(outcome)
        results = [source.constant, source.otherwise, source.blank, *(source.values or {}).values()]
        for result in results:
            if result is not None:
                _outcome(result, "outcome")
        plain = replace(plain, outcome=source)
    return plain


def read_encoding(top: Table) -> str:
    """The encoding that a map gives; `MapError` for one that nobody knows."""
    encoding = top.text("encoding") or UTF8
    try:
        codecs.lookup(encoding)
        "a,b".encode(encoding)
    except (LookupError, ValueError):
        raise MapError(f"encoding: Python knows no text encoding {encoding!r}") from None
    return UTF8 if codecs.lookup(encoding).name == "utf-8" else encoding


def read_delimiter(top: Table) -> str:
    """The delimiter that a map gives, a comma by default."""
    delimiter = top.text("delimiter")
    if delimiter is None:
        return ","
    if len(delimiter) != 1 or delimiter in '\r\n"\0 ':
        raise MapError("delimiter: must be one character, such as ';' or a tab")
    return delimiter


def read_dates(top: Table) -> Dates:
    """How a map says that dates are written."""
    table = top.table("dates")
    if table is None:
        return Dates()
    table.allow("formats", "none", "year_numbers", "earliest")
    formats = table.texts("formats") or (ISO,)
    if len(formats) > MOST_FORMATS:
        raise MapError(f"dates.formats: give {MOST_FORMATS} at most")
    for form in formats:
        if len(form) > LONGEST_FORMAT:
            raise MapError(f"dates.formats: a format has {LONGEST_FORMAT} characters at most")
        if form not in {ISO, SPREADSHEET}:
            _check_format(form)
    return Dates(
        formats=formats,
        none=frozenset(key_of(word) for word in table.texts("none")),
        year_numbers=read_word(table, "year_numbers", YearNumbers, YearNumbers.REJECT),
        earliest=table.moment("earliest") or EARLIEST,
    )


def _check_format(form: str) -> None:
    """A form must say the year, and read back what it writes."""
    sample = datetime(2024, 11, 23, tzinfo=UTC)
    try:
        read = datetime.strptime(sample.strftime(form), form)  # noqa: DTZ007 - only the year counts
    except (ValueError, re.error) as error:  # re.error: something is in it twice
        raise MapError(f"dates.formats: {form!r} is not a date format: {error}") from None
    if read.year != sample.year:
        raise MapError(f"dates.formats: {form!r} does not say the year")


def read_word(table: Table, key: str, words: type[Word], default: Word) -> Word:
    """One of some words; `MapError` for another."""
    value = table.text(key)
    if value is None:
        return default
    try:
        return words(value)
    except ValueError:
        raise MapError(f"{table.at(key)}: {value!r} is none of {', '.join(words)}") from None


def _needed(table: Table) -> tuple[str, ...]:
    columns = table.columns()
    if not columns:
        raise MapError(f"{table.place}: column or columns is needed")
    return columns


def _text_or(top: Table, key: str, otherwise: TextSource) -> TextSource:
    table = top.table(key)
    return otherwise if table is None else read_text_source(table)


def read_started_from(starts: Table) -> tuple[tuple[datetime, str], ...]:
    """The cohorts by when a case started, in the order of time."""
    moments = []
    for name in starts.raw:
        moment = starts.moment(name)
        if moment is None or not fold(name):
            raise MapError(f"{starts.place}: a name of a cohort = a date")
        moments.append((moment, fold(name)))
    if not moments:
        raise MapError(f"{starts.place}: is empty; say a name of a cohort = a date")
    return tuple(sorted(moments))


def _unit_or(top: Table, otherwise: TextSource) -> TextSource:
    """A case of no unit is a case all the same; the constant "" says that none is known."""
    table = top.table("business_unit")
    if table is not None and table.raw == {"constant": NO_UNIT}:
        return TextSource(constant=NO_UNIT)
    source = _text_or(top, "business_unit", otherwise)
    return source if source.blank is not None else replace(source, blank=NO_UNIT)


def _maybe(top: Table, key: str, otherwise: MaybeColumn) -> MaybeColumn:
    """A column that only a map which names it makes one that must be there."""
    table = top.table(key)
    if table is None:
        return otherwise
    table.allow("column")
    return MaybeColumn(_needed(table)[0], needed=True)


def read_text_source(table: Table) -> TextSource:
    """Where a text comes from: columns, or a constant."""
    table.allow("column", "columns", "constant", "values", "otherwise", "blank")
    columns, constant = table.columns(), table.text("constant")
    if constant is not None:
        if len(table.raw) > 1:
            raise MapError(f"{table.place}.constant: goes with no other key")
        if not fold(constant):
            raise MapError(f"{table.place}.constant: is blank")
        return TextSource(constant=fold(constant))
    values = table.table("values")
    otherwise = table.text("otherwise")
    if otherwise is not None and values is None:
        raise MapError(f"{table.place}.otherwise: is for what values does not list; none given")
    return TextSource(
        columns=columns or _needed(table),
        values=None if values is None else _values(values),
        otherwise=otherwise,
        blank=table.text("blank"),
    )


def _values(table: Table) -> dict[str, str]:
    values: dict[str, str] = {}
    for word, value in table.raw.items():
        if not isinstance(value, str) or not fold(value):
            raise MapError(f"{table.at(repr(word))}: must be a text that is not blank")
        if not key_of(word):
            raise MapError(f"{table.at(repr(word))}: for blank cells use the key blank")
        if values.setdefault(key_of(word), fold(value)) != fold(value):
            raise MapError(f"{table.at(repr(word))}: listed twice with different values")
    return values


def _rules(outcome: Table) -> tuple[Rule, ...]:
    raw = outcome.raw["rules"]
    if not isinstance(raw, list) or not raw or not all(isinstance(item, dict) for item in raw):
        raise MapError("outcome.rules: must be one or more tables, each under [[outcome.rules]]")
    return tuple(_rule(Table(item, f"outcome.rules[{i}]")) for i, item in enumerate(raw, 1))


def _rule(table: Table) -> Rule:
    table.allow("outcome", "ended_at", "when", "reject")
    word, reject, ended_at = table.text("outcome"), table.text("reject"), table.text("ended_at")
    if (word is None) == (reject is None):
        raise MapError(f"{table.place}: give outcome or reject, one of the two")
    outcome = None if word is None else _outcome(word, table.at("outcome"))
    if (outcome in {None, Outcome.OPEN}) != (ended_at is None):
        raise MapError(
            f"{table.place}.ended_at: goes with production, declined and withdrawn, only"
        )
    if reject is not None and not fold(reject):
        raise MapError(f"{table.place}.reject: is blank; say the reason")
    when: dict[str, frozenset[str]] = {}
    if (conditions := table.table("when")) is not None:
        for column in conditions.raw:
            when[column] = frozenset(key_of(word) for word in conditions.texts(column))
    return Rule(outcome, ended_at, when, reject or "")


def _outcome(word: str, place: str) -> Outcome:
    try:
        return Outcome(word.casefold())
    except ValueError:
        raise MapError(f"{place}: {word!r} is none of {', '.join(Outcome)}") from None
