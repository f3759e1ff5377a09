"""From a form to a map: what the columns of somebody's file mean."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum

from service.domain.naming import key_of
from service.history.csv import CANONICAL, HistoryMap, Look, load_map, parse_map, shipped_maps
from service.history.csv.date_forms import SPREADSHEET
from service.history.csv.dates import can_read
from service.history.csv.maps import ONE_TIER

COLUMNS = (
    "case_id",
    "cohort",
    "tier",
    "business_unit",
    "started_at",
    "ended_at",
    "outcome",
)
MORE_COLUMNS = ("known_from", "observed_until", "estimate_days")
"""What most files do not have."""
OUTCOMES = ("production", "declined", "withdrawn", "open")
DATES = (
    *("iso", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M"),
    *("%m/%d/%Y %H:%M", "%d/%m/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M:%S %p", "%d/%b/%y %I:%M %p"),
    SPREADSHEET,
)
ENCODINGS = ("utf-8-sig", "cp1252", "iso-8859-1", "utf-16")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
QUESTION = ("intake", "baseline", "tau", "as_of", "zone")
NO_COHORT = "history"


class Way(StrEnum):
    """How somebody says what the columns mean."""

    COLUMNS = "columns"
    SHIPPED = "shipped"
    OWN = "own"


FIELDS = (
    *("way", "shipped", "own", "encoding", "delimiter", "dates"),
    *COLUMNS,
    *MORE_COLUMNS,
    *(f"is_{outcome}" for outcome in OUTCOMES),
    *QUESTION,
)


def guessed(seen: Look) -> dict[str, str]:
    """What the form begins with: columns that are called like ours, and a shipped map if the file
    has all that it names."""
    named = {key_of(name.replace("_", " ")): name for name in seen.names}
    typed = {
        **dict.fromkeys(FIELDS, ""),
        "way": Way.COLUMNS.value,
        "encoding": seen.encoding,
        "delimiter": seen.delimiter,
        "dates": DATES[0],
        "intake": "intake",
        **{one: named.get(key_of(one.replace("_", " ")), "") for one in (*COLUMNS, *MORE_COLUMNS)},
        **{f"is_{outcome}": outcome for outcome in OUTCOMES},
    }
    typed["dates"] = _dates_in(seen, (typed["started_at"], typed["ended_at"]))
    here = {key_of(name) for name in seen.names}
    for name in shipped_maps():
        mapping = load_map(name)
        needed = {*mapping.case_id.columns, *mapping.cohort.columns, *mapping.tier.columns}
        if {key_of(column) for column in needed} <= here:
            return {**typed, "way": Way.SHIPPED.value, "shipped": name}
    return typed


def _dates_in(seen: Look, columns: Sequence[str]) -> str:
    """The first form that reads the dates in the first rows."""
    cells = [
        cell
        for row in seen.samples
        for name, cell in zip(seen.columns, row, strict=False)
        if name in columns and name
    ]
    return next((form for form in DATES if all(can_read(cell, form) for cell in cells)), DATES[0])


def mapping_of(typed: Mapping[str, str], name: str) -> HistoryMap:
    """The map that the form asks for. Raises `MapError`."""
    match typed["way"]:
        case Way.SHIPPED if typed["shipped"] in shipped_maps():
            return load_map(typed["shipped"])
        case Way.OWN:
            return parse_map(typed["own"], "as written here")
        case _:
            return parse_map(written(typed), f"for {name}")


def written(typed: Mapping[str, str]) -> str:
    """The map of the chosen columns as TOML, for `headway compare --map` as well."""
    dates = dict.fromkeys((typed["dates"] or DATES[0], DATES[0]))
    lines = [
        f"encoding = {_text(typed['encoding'] or CANONICAL.encoding)}",
        f"delimiter = {_text(typed['delimiter'] or CANONICAL.delimiter)}",
        "",
        "[dates]",
        f"formats = [{', '.join(map(_text, dates))}]",
    ]
    for column in ("case_id", "started_at"):
        lines += ["", f"[{column}]", f"column = {_text(typed[column])}"]
    for column, without in (
        ("cohort", f"constant = {_text(NO_COHORT)}"),
        ("tier", f"constant = {_text(ONE_TIER)}"),
        ("business_unit", 'constant = ""'),
    ):
        if typed[column]:
            lines += ["", f"[{column}]", f"column = {_text(typed[column])}"]
            if column == "tier":
                lines.append(f"blank = {_text('not stated')}")
        else:
            lines += ["", f"[{column}]", without]
    for column in MORE_COLUMNS:
        if typed[column]:
            lines += ["", f"[{column}]", f"column = {_text(typed[column])}"]
    return "\n".join([*lines, *_ends(typed), ""])


def _ends(typed: Mapping[str, str]) -> list[str]:
    end = f"column = {_text(typed['ended_at'])}"
    if typed["outcome"]:
        words = {
            word: outcome
            for outcome in OUTCOMES
            for word in (one.strip() for one in typed[f"is_{outcome}"].split(","))
            if word
        }
        values = ", ".join(f"{_text(word)} = {_text(outcome)}" for word, outcome in words.items())
        outcome = [
            f"column = {_text(typed['outcome'])}",
            f"values = {{ {values} }}",
            f"blank = {_text('open')}",
        ]
        return ["", "[ended_at]", end, "", "[outcome]", *outcome]
    # Without a word for it, what has an end is in production.
    ended = f"ended_at = {_text(typed['ended_at'])}"
    rules = ["[[outcome.rules]]", ended, 'outcome = "production"']
    return ["", *rules, "", "[[outcome.rules]]", 'outcome = "open"']


def _text(value: str) -> str:
    """A TOML text: JSON writes all of them the same way but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
