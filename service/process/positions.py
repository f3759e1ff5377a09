"""On which line of a TOML file each key stands; and what is nested beyond anything honest.

The reader of the standard library says what a file means and not where. It also takes time that
grows with the square of a key's parts: a file is looked through here first, in one go.
"""

import re
from dataclasses import dataclass, field
from enum import Enum

Path = tuple[str | int, ...]
DEEPEST = 20
"""Brackets in brackets."""
MOST_PARTS = 10
"""Of a dotted key."""

_TOKEN = re.compile(
    r'''
    (?P<text>"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*+"{3,5} | \'\'\'(?:[^']|'{1,2}(?!'))*+'{3,5}
           | "(?:[^"\\\n]|\\.)*+" | '[^'\n]*+')
  | (?P<skip>\#[^\n]*+ | [ \t\r]++)
  | (?P<line>\n)
  | (?P<mark>[\[\]{}=.,])
  | (?P<bare>[^\s\[\]{}=.,\#"']++)
    ''',
    re.VERBOSE,
)


class UnreadableError(ValueError):
    """No reader should be given this: it is nested deeper, or has more parts, than any process
    needs; or no token of TOML begins at `offset`."""

    def __init__(self, line: int, what: str, offset: int | None = None) -> None:
        super().__init__(what)
        self.line, self.offset = line, offset


class _In(Enum):
    """What a bracket opens."""

    ARRAY = "array"
    INLINE = "inline"


@dataclass
class _Open:
    """A bracket that is open: what it is, where, and the element of an array."""

    kind: _In
    path: Path
    element: int = 0


@dataclass
class _Scan:
    found: dict[Path, int] = field(default_factory=dict)
    counts: dict[Path, int] = field(default_factory=dict)
    table: Path = ()
    stack: list[_Open] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    line: int = 1
    header: int = 0
    """How many brackets a header has that is open."""
    in_value: bool = False
    value_path: Path = ()


def positions(text: str) -> dict[Path, int]:
    """The line (from 1) of every key and table, by its path; elements of arrays are numbers from 0.

    `UnreadableError` for what no reader should be given.
    """
    scan, at = _Scan(), 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or (
            text.startswith(('"""', "'''"), at) and not token.group().startswith(text[at : at + 3])
        ):
            raise UnreadableError(scan.line, "this is not TOML", at)
        word = token.group()
        if token.lastgroup == "line":
            _end_line(scan)
        elif token.lastgroup == "mark":
            at = _mark(scan, text, at, word)
        elif token.lastgroup in {"bare", "text"} and not scan.in_value:
            scan.parts.append(_plain(word))
            if len(scan.parts) > MOST_PARTS:
                raise UnreadableError(scan.line, f"a key has more than {MOST_PARTS} parts")
        scan.line += word.count("\n")
        at = max(at, token.end())
    return scan.found


def _plain(word: str) -> str:
    return word[1:-1] if word[0] in "\"'" else word


def _end_line(scan: _Scan) -> None:
    if not scan.stack:
        scan.in_value, scan.header = False, 0
        scan.parts.clear()


def _mark(scan: _Scan, text: str, at: int, mark: str) -> int:
    """What a bracket, comma or sign means here; where to go on."""
    if scan.header:
        if mark == "]":
            _begin_table(scan)
        return at
    if not scan.in_value and not scan.stack and mark == "[" and not scan.parts:
        scan.header = 2 if text.startswith("[[", at) else 1
        return at + scan.header
    if mark == "=" and not scan.in_value:
        _begin_value(scan)
    elif mark in "[{" and scan.in_value:
        inside = scan.stack[-1] if scan.stack else None
        path = scan.value_path
        if inside is not None and inside.kind is _In.ARRAY:
            path = (*inside.path, inside.element)
        scan.stack.append(_Open(_In.ARRAY if mark == "[" else _In.INLINE, path))
        if len(scan.stack) > DEEPEST:
            raise UnreadableError(scan.line, f"brackets are nested deeper than {DEEPEST}")
        scan.in_value = mark == "["
        scan.found.setdefault(path, scan.line)
    elif mark in "]}" and scan.stack:
        scan.stack.pop()
        scan.in_value = True
        scan.parts.clear()
    elif mark == "," and scan.stack:
        inside = scan.stack[-1]
        inside.element += 1
        scan.in_value = inside.kind is _In.ARRAY
        scan.parts.clear()
    return at


def _begin_table(scan: _Scan) -> None:
    path: Path = ()
    for part in scan.parts[:-1]:
        path = (*path, part)
        if path in scan.counts:
            path = (*path, scan.counts[path] - 1)
    if scan.parts:
        path = (*path, scan.parts[-1])
        scan.found.setdefault(path, scan.line)
    if scan.header == 2 and path:
        scan.counts[path] = scan.counts.get(path, 0) + 1
        path = (*path, scan.counts[path] - 1)
    scan.table = path
    scan.found.setdefault(path, scan.line)
    scan.header = 0
    scan.parts.clear()
    scan.in_value = True  # until the line ends


def _begin_value(scan: _Scan) -> None:
    path = scan.stack[-1].path if scan.stack else scan.table
    for part in scan.parts:
        path = (*path, part)
        scan.found.setdefault(path, scan.line)
    scan.value_path = path
    scan.parts.clear()
    scan.in_value = True
