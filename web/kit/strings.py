"""The words on the pages. All of them are in `strings/`, one file a language."""

import tomllib
from functools import cache
from importlib.resources import files

LANGUAGE = "en"


@cache
def catalogue(language: str = LANGUAGE) -> dict[str, str]:
    """Every string by its dotted key."""
    text = files("web.kit").joinpath("words.toml").read_text(encoding="utf-8")
    return {
        f"{section}.{name}": words
        for section, entries in tomllib.loads(text).items()
        for name, words in entries.items()
    }


def t(key: str, /, **values: object) -> str:
    """The words under this key with `{values}` filled in; KeyError when there are none."""
    words = catalogue()[key]
    return words.format(**values) if values else words


def counted(key: str, number: int, /) -> str:
    """The words for this many: `key_one` or `key_many`."""
    return t(f"{key}_one" if number == 1 else f"{key}_many", number=f"{number:,}")
