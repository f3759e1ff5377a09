"""From a form to a map: what the columns of somebody's file mean."""

import json
from collections.abc import Mapping
from enum import StrEnum

from service.history import CANONICAL, HistoryMap, Look, load_map, parse_map, shipped_maps
from service.history.maps import key_of

COLUMNS = (
    "case_id",
    "cohort",
    "tier",
    "business_unit",
    "started_at",
    "ended_at",
    "outcome",
)
OUTCOMES = ("production", "declined", "withdrawn", "open")
DATES = ("iso", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d")
ENCODINGS = ("utf-8-sig", "cp1252", "iso-8859-1", "utf-16")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
QUESTION = ("intake", "baseline", "tau", "as_of", "zone")
ONE_TIER = "all"
NO_COHORT = "history"


class Way(StrEnum):
    """How somebody says what the columns mean."""

    COLUMNS = "columns"
    SHIPPED = "shipped"
    OWN = "own"


FIELDS = (
    *("way", "shipped", "own", "encoding", "delimiter", "dates"),
    *COLUMNS,
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
        **{one: named.get(key_of(one.replace("_", " ")), "") for one in COLUMNS},
        **{f"is_{outcome}": outcome for outcome in OUTCOMES},
    }
    here = {key_of(name) for name in seen.names}
    for name in shipped_maps():
        mapping = load_map(name)
        needed = {*mapping.case_id.columns, *mapping.cohort.columns, *mapping.tier.columns}
        if {key_of(column) for column in needed} <= here:
            return {**typed, "way": Way.SHIPPED.value, "shipped": name}
    return typed


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
        ("business_unit", ""),
    ):
        if typed[column]:
            lines += ["", f"[{column}]", f"column = {_text(typed[column])}"]
            if column != "cohort":
                lines.append(f"blank = {_text('not stated')}")
        elif without:
            lines += ["", f"[{column}]", without]
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
        outcome = [f"column = {_text(typed['outcome'])}", f"values = {{ {values} }}"]
        return ["", "[ended_at]", end, "", "[outcome]", *outcome]
    # Without a word for it, what has an end is in production.
    ended = f"ended_at = {_text(typed['ended_at'])}"
    rules = ["[[outcome.rules]]", ended, 'outcome = "production"']
    return ["", *rules, "", "[[outcome.rules]]", 'outcome = "open"']


def _text(value: str) -> str:
    """A TOML text: JSON writes all of them the same way but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
