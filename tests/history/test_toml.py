"""Maps are read within bounds: what would take for ever, or fail anyhow, is refused at once."""

import string
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.history.csv import MapError, load_map, parse_map, shipped_maps
from service.history.csv.toml import DEEPEST, LARGEST, LONGEST_WORD, read_toml
from service.history.events import load_event_map, parse_event_map, shipped_event_maps

AT_MOST = 1.0
"""Seconds of the processor. The dotted keys took 38, the bounds take a hundredth of one."""

DOTTED = ".".join("a" * 49_000) + " = 1"
DIGITS = "9" * 90_000
HOSTILE = {
    "98 KB of dotted keys": (DOTTED, "larger than a map may be: 65,536 bytes"),
    "dotted keys in the bounds of the size": (DOTTED[:60_000] + " = 1", "a key has more than"),
    "a dotted table": (f"[{'.'.join('a' * 30_000)}]", "a key has more than"),
    "a dotted key with spaces": (" . ".join("a" * 15_000) + " = 1", "a key has more than"),
    "a dotted key with quotes": ('""' + '."."' * 15_000 + " = 1", "a key has more than"),
    "one behind a text of many lines": (
        'x = { y = """\n" """, ' + ".".join("a" * 30_000) + ' = "1" }',
        "line 2: a key has more than",
    ),
    "one behind an escaped quotation mark": (
        'x = "\\\\\\"" # "\n' + ".".join("a" * 30_000) + " = 1",
        "line 2: a key has more than",
    ),
    "90,000 digits": (f"snapshot = {DIGITS}", "larger than a map may be"),
    "60,000 digits": (f"snapshot = {DIGITS[:60_000]}", "longer than a number, a date or a key"),
    "digits in groups": (f"snapshot = {'_'.join('9' * 30_000)}", "longer than a number"),
    "hexadecimal digits": (f"snapshot = 0x{DIGITS[:60_000]}", "longer than a number"),
    "nested lists": ("snapshot = " + "[" * 60_000, "nested too deeply, on line 1"),
    "nested tables": ("x = " + "{a = " * 12_000, "nested too deeply, on line 1"),
    "texts that are never closed": ('x = """\\' + '"""\\' * 16_000, "not TOML"),
    "a text that is never closed": ('x = "' + "\\" * 60_000, "not TOML"),
    "many formats": (
        "[dates]\nformats = [" + ", ".join(f"'%Y {n}'" for n in range(5_000)) + "]",
        "dates.formats: give 20 at most",
    ),
    "a long format": (f"[dates]\nformats = ['%Y{'%%' * 30_000}']", "a format has 100 characters"),
}


@pytest.mark.parametrize("parse", [parse_map, parse_event_map])
@pytest.mark.parametrize(("text", "says"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_map_is_refused_at_once(parse: object, text: str, says: str) -> None:
    assert callable(parse)
    begun = process_time()
    with pytest.raises(MapError, match=f"map m: .*{says}|^{says}"):
        parse(text, "m")
    assert process_time() - begun < AT_MOST


@pytest.mark.parametrize("load", [load_map, load_event_map])
def test_a_file_without_an_end_is_read_as_far_as_a_map_may_go(load: object) -> None:
    assert callable(load)
    with pytest.raises(MapError, match="larger than a map may be"):
        load("/dev/zero")


def test_what_maps_need_is_far_within_the_bounds(tmp_path: Path) -> None:
    for name in shipped_maps():
        assert load_map(name).name == name
    for name in shipped_event_maps():
        assert load_event_map(name).name == name
    values = "\n".join(f'"Department {n}. of e.g. A. B." = "unit"' for n in range(1_000))
    (path := tmp_path / "long.toml").write_text(f"[tier]\ncolumn = 'x'\n[tier.values]\n{values}")
    assert len(load_map(str(path)).tier.values or ()) == 1_000


def test_what_stands_in_texts_and_comments_is_nobodys_business() -> None:
    dots, digits = "a." * 500, "9" * 500
    text = "\n".join(
        (
            f'a = "{dots}{digits}{"[" * 500}"',
            f"b = '{dots}{digits}'",
            f'c = """{dots}\n{digits} "" \\""" {"[" * 500}"""""',
            f"d = '''{dots}\n{digits} '' '''''",
            f"e = 1 # {dots}{digits}",
            "f = 1979-05-27T07:32:00.999999-07:00",
        )
    ).replace("\n", "\r\n")
    found = read_toml(text, "m")
    assert found == tomllib.loads(text)
    assert found["f"].astimezone(UTC) == datetime(1979, 5, 27, 14, 32, 0, 999999, UTC)


PIECES = st.one_of(
    st.sampled_from(
        ["a", "b = ", "1", "\n", "[", "]", "{", "}", ",", ".", '"', "'", '"""', "'''", "\\", "#"]
    ),
    st.text(string.printable, max_size=4),
)


@given(st.lists(PIECES, max_size=40).map("".join))
@example('a = """"""\nb = """x"""""\nc = \'\'\'y\'\'\'\'\'')
def test_within_the_bounds_it_is_what_python_reads(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(MapError):
            read_toml(text, "m")
        return
    assert read_toml(text, "m") == expected


VALUES = st.sampled_from(
    ['"x.y"', "'''\n'''", '"""\n" """', '"\\""', "[1, '[']", "{ k = '}' }", "1.5"]
)


@given(st.lists(VALUES, max_size=8), VALUES)
def test_whatever_stands_before_it_a_key_that_is_too_deep_is_found(
    before: list[str], value: str
) -> None:
    lines = [f"k{number} = {found}  # it's" for number, found in enumerate(before)]
    deep = ".".join("d" * (DEEPEST + 1))
    fine = ".".join("d" * DEEPEST)
    assert read_toml("\n".join([*lines, f"{fine} = {value}"]), "m")
    with pytest.raises(MapError, match=f"a key has more than {DEEPEST} parts"):
        read_toml("\n".join([*lines, f"{deep} = {value}"]), "m")
    with pytest.raises(MapError, match=f"a key has more than {DEEPEST} parts"):
        read_toml("\n".join([*lines, f"x = {{ a = {value}, {deep} = {value} }}"]), "m")


def test_the_bounds_themselves_are_allowed() -> None:
    word = "k" * LONGEST_WORD
    assert read_toml(f"{word} = 1", "m") == {word: 1}
    nested = "[" * DEEPEST + "]" * DEEPEST
    assert read_toml(f"a = {nested}", "m")
    filled = f"a = 1\n#{' ' * LARGEST}"[:LARGEST]
    assert read_toml(filled, "m") == {"a": 1}
    with pytest.raises(MapError, match="larger than a map may be"):
        read_toml(filled + " ", "m")
