"""Names and keys, as people write them and as they read them."""

from collections.abc import Sequence


def plain(key: str) -> str:
    """A key of a stage, a party or a kind of evidence in words: launch-review is launch review."""
    return key.replace("-", " ").replace("_", " ")


_INVISIBLE = dict.fromkeys(
    (
        *(0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF),
        *(*range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A)),
    )
)
"""Soft hyphens, zero-width spaces and marks of direction, which nobody sees and sheets paste in."""


def fold(text: str) -> str:
    """The text without the white space around it, any inside as one space, and without what is
    invisible."""
    if not text.isprintable() and not text.isascii():
        text = text.translate(_INVISIBLE)
    return " ".join(text.split())


def key_of(text: str) -> str:
    """What headers and words are compared by: folded white space, no upper and lower case."""
    return fold(text).casefold()


_SHOWN = 60  # characters of a cell that a reason quotes


def shown(text: str) -> str:
    """A cell as a reason quotes it: in quotation marks, short, nothing in it unprintable."""
    text = fold(text[: 4 * _SHOWN])
    if len(text) > _SHOWN:
        text = text[: _SHOWN - 1] + "…"
    if not text.isprintable():
        text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return f'"{text}"'


def listed(names: Sequence[str], most: int = 20) -> str:
    """Names as a message lists them: the first `most`, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
