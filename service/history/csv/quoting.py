"""How messages to people quote cells, list names and write days."""

from collections.abc import Sequence
from datetime import datetime, time

from service.domain.moment import ends_a_day
from service.history.csv.maps import fold

MIDNIGHT = time(0)

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


def day(moment: datetime) -> str:
    """The day of a moment, with its time unless that is midnight, or the end of the day."""
    whole = moment.time() == MIDNIGHT or ends_a_day(moment)
    return moment.date().isoformat() if whole else moment.isoformat()
