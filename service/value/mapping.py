"""Maps: how another organisation's columns and words become promises and deliveries, in TOML."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType

from service.domain.naming import fold, key_of
from service.history.csv.errors import MapError
from service.history.csv.maps import (
    UTF8,
    IdSource,
    Table,
    TextSource,
    map_text,
    read_delimiter,
    read_encoding,
    read_text_source,
    read_word,
    shipped_in,
)
from service.history.csv.toml import read_toml
from service.value.amounts import Mark
from service.value.evidence import State
from service.value.grades import Grade

SHIPPED = files("service.value") / "maps"
NOT_STATED = "not stated"
"""The group of a use case of which nobody says it, in a file that has groups."""
NOT_SAID = ""
"""A grade, a state or a currency that nobody says."""
MOST_NOTES = 10
_TEXTS = ("group", "grade", "state", "currency")
_AMOUNTS = ("promised", "delivered", "standard_error")
_TOP = ("description", "encoding", "delimiter", "kind", "decimal", "notes", "case_id")


class Kind(StrEnum):
    """What the amounts are."""

    BENEFIT = "benefit"
    """More than promised is good."""
    COST = "cost"
    """More than promised is bad. A cost is booked and not estimated: it needs no grade."""


@dataclass(frozen=True, slots=True)
class AmountSource:
    """The column of an amount, which a file may lack unless it is `needed`. `zero` is why a row in
    which it is 0 cannot be used, "" where it can."""

    column: str
    needed: bool = False
    zero: str = ""


def _optional(column: str, blank: str = NOT_SAID) -> TextSource:
    return TextSource((column,), blank=blank, absent=NOT_SAID)


@dataclass(frozen=True, slots=True)
class ValueMap:
    """How one kind of file becomes promises and deliveries.

    A delimiter that nobody said is only where the guessing begins; `decimal` is what stands before
    decimals, None where the file is to show it. `notes` are told to whoever reads the figures.
    """

    name: str = "canonical columns"
    encoding: str = UTF8
    delimiter: str = ","
    delimiter_said: bool = False
    kind: Kind = Kind.BENEFIT
    decimal: Mark | None = None
    notes: tuple[str, ...] = ()
    case_id: IdSource = field(default_factory=lambda: IdSource(("case_id",)))
    amounts: Mapping[str, AmountSource] = field(
        default_factory=lambda: MappingProxyType(
            {
                "promised": AmountSource("promised", needed=True),
                "delivered": AmountSource("delivered", needed=True),
                "standard_error": AmountSource("standard_error"),
            }
        )
    )
    texts: Mapping[str, TextSource] = field(
        default_factory=lambda: MappingProxyType(
            {name: _optional(name, NOT_STATED if name == "group" else NOT_SAID) for name in _TEXTS}
        )
    )


CANONICAL = ValueMap()


def shipped_maps() -> tuple[str, ...]:
    """The names of the maps that come with Headway."""
    return shipped_in(SHIPPED)


def load_map(name_or_path: str) -> ValueMap:
    """The shipped map of that name, or the one in that TOML file.

    Raises `MapError` if there is none or it is not valid.
    """
    return parse_map(*map_text(SHIPPED, name_or_path, "map"))


def parse_map(text: str, name: str) -> ValueMap:
    """The map that a TOML text describes; raises `MapError` naming the key that is wrong."""
    raw = read_toml(text, name)
    try:
        return _map(Table(raw, ""), name)
    except MapError as error:
        raise MapError(f"map {name}: {error}") from None


def _map(top: Table, name: str) -> ValueMap:
    top.allow(*_TOP, *_AMOUNTS, *_TEXTS)
    top.text("description")
    notes = tuple(map(fold, top.texts("notes")))
    if len(notes) > MOST_NOTES or not all(notes):
        raise MapError(f"notes: up to {MOST_NOTES} sentences, none of them blank")
    plain = ValueMap(
        name=name,
        encoding=read_encoding(top),
        delimiter=read_delimiter(top),
        delimiter_said="delimiter" in top.raw,
        kind=read_word(top, "kind", Kind, Kind.BENEFIT),
        decimal=_decimal(top),
        notes=notes,
    )
    if (table := top.table("case_id")) is not None:
        table.allow("column", "columns", "join")
        if not (columns := table.columns()):
            raise MapError("case_id: column or columns is needed")
        join = table.text("join")
        plain = replace(plain, case_id=IdSource(columns, " / " if join is None else join))
    amounts = {key: _amount(top, key, plain.amounts[key]) for key in _AMOUNTS}
    texts = {key: _text(top, key, plain.texts[key]) for key in _TEXTS}
    _check_words("grade", texts["grade"], tuple(Grade))
    _check_words("state", texts["state"], tuple(State))
    return replace(plain, amounts=MappingProxyType(amounts), texts=MappingProxyType(texts))


def _decimal(top: Table) -> Mark | None:
    match top.text("decimal"):
        case None:
            return None
        case "." | "," as mark:
            return mark
        case other:
            raise MapError(f"decimal: {other!r} is neither '.' nor ','")


def _amount(top: Table, key: str, otherwise: AmountSource) -> AmountSource:
    table = top.table(key)
    if table is None:
        return otherwise
    table.allow("column", "zero")
    column, zero = table.text("column"), table.text("zero")
    if column is not None and not fold(column):
        raise MapError(f"{key}.column: is blank")
    if zero is not None and not fold(zero):
        raise MapError(f"{key}.zero: is blank; say why such a row cannot be used")
    needed = otherwise.needed or column is not None
    return AmountSource(otherwise.column if column is None else column, needed, fold(zero or ""))


def _text(top: Table, key: str, otherwise: TextSource) -> TextSource:
    table = top.table(key)
    if table is None:
        return otherwise
    source = read_text_source(table)
    blank = source.blank if source.blank is not None else otherwise.blank
    return source if source.constant is not None else replace(source, blank=blank)


def _check_words(key: str, source: TextSource, words: tuple[str, ...]) -> None:
    """`MapError` where a map makes something else of a cell than one of the words, or nothing."""
    there = {key_of(word) for word in words}
    made = [source.constant, source.otherwise, *(source.values or {}).values()]
    for word in [*made, *([source.blank] if source.blank else [])]:
        if word is not None and key_of(word) not in there:
            raise MapError(f"{key}: {word!r} is none of {', '.join(words)}")
