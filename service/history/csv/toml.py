"""Reading TOML that anybody may have written, within bounds.

Python's own reader takes time with the square of the parts of a key, and leaves a number of very
many digits or lists that are nested deeply to errors of their own. So a text is looked over first,
in one pass. The reader goes from left to right as well: up to its first mistake both see the same.
"""

import re
import tomllib
from typing import Any

from service.history.csv.errors import MapError

LARGEST = 64 * 1024
"""Bytes of a map; those that come with Headway have 4,000."""
DEEPEST = 20
"""Parts of a key (activity.rules has two), and lists and tables in each other."""
LONGEST_WORD = 100
"""Characters of a number, a date, or a part of a key that stands without quotation marks."""

_TOKEN = re.compile(
    r'''
    (?P<string>
        """(?:[^\\]|\\.)*?"{3,5} | \'\'\'.*?'{3,5}
        | "(?!"")(?:[^"\\\n]|\\[^\n])*+" | '(?!'')[^'\n]*+'
    )
    | (?P<comment>\#[^\n]*+)
    | (?P<word>[^\s"'\#=.,\[\]{}]++)
    | (?P<mark>[\n=.,\[\]{}])
    | (?P<unclosed>["'])
    ''',
    re.VERBOSE | re.DOTALL,
)


def read_toml(text: str, name: str) -> dict[str, Any]:
    """The tables of a map's TOML text; `MapError` where it is none, or beyond the bounds."""
    size = len(text.encode("utf-8", "replace"))
    if size > LARGEST:
        raise MapError(f"map {name}: it is larger than a map may be: {LARGEST:,} bytes")
    _check(text.replace("\r\n", "\n"), name)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MapError(f"map {name}: not TOML: {error}") from None
    except (ValueError, RecursionError) as error:
        raise MapError(f"map {name}: it cannot be read: {error}") from None


def _check(text: str, name: str) -> None:
    """`MapError`, with the line, at the first thing that is beyond the bounds."""
    line, parts, depth = 1, 1, 0
    for token in _TOKEN.finditer(text):
        found = token.group()
        match token.lastgroup:
            case "unclosed":
                return  # the reader comes no farther
            case "string":
                line += found.count("\n")
            case "word":
                if len(found) > LONGEST_WORD:
                    raise MapError(
                        f"map {name}: line {line}: {found[:20]}… is longer than a number, a date or"
                        f" a key without quotation marks may be: {LONGEST_WORD} characters"
                    )
            case "mark" if found == ".":
                parts += 1
                if parts > DEEPEST:
                    raise MapError(
                        f"map {name}: line {line}: a key has more than {DEEPEST} parts with dots"
                    )
            case "mark":
                parts = 1
                line += found == "\n"
                depth += (found in "[{") - (found in "]}")
                if depth > DEEPEST:
                    raise MapError(f"map {name}: it is nested too deeply, on line {line}")
