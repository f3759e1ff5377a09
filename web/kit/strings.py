"""The words on the pages: in the `words.toml` of each folder."""

import tomllib
from functools import cache
from pathlib import Path

from service.process.in_force import process

LANGUAGE = "en"
WEB = Path(__file__).parent.parent


@cache
def catalogue() -> dict[str, str]:
    """Every string by its dotted key. What the tiers are called the process says."""
    return {
        f"{section}.{name}": words
        for file in sorted(WEB.glob("*/words.toml"))
        for section, entries in tomllib.loads(file.read_text(encoding="utf-8")).items()
        for name, words in entries.items()
    } | {f"tier.{tier.key}": tier.title for tier in process().tiers}


def t(key: str, /, **values: object) -> str:
    """The words under this key with `{values}` filled in; KeyError when there are none."""
    words = catalogue()[key]
    return words.format(**values) if values else words


def counted(key: str, number: int, /) -> str:
    """The words for this many: `key_one` or `key_many`."""
    return t(f"{key}_one" if number == 1 else f"{key}_many", number=f"{number:,}")
