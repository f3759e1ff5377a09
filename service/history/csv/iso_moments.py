"""ISO moments of many cells at once, eight bytes at a time.

What is read here means what `datetime.fromisoformat` makes of it; it reads more forms.
"""

import numpy as np

from service.history.csv.dates import YEARS
from service.history.csv.packing import HIGH_BITS, WORD, Flags, Floats, Integers, Words, packed

_BYTE = np.uint64(0xFF)
_SECOND = 1_000_000  # microseconds
_MINUTE, _HOUR, _DAY = 60 * _SECOND, 3600 * _SECOND, 86_400 * _SECOND
_MONTHS = np.arange(f"{YEARS.start}-01", f"{YEARS.stop}-02", dtype="datetime64[M]")
_MONTH_BEGINS = _MONTHS.astype("datetime64[D]").astype(np.int64)  # days since 1970
_MONTH_DAYS = np.diff(_MONTH_BEGINS)


class _Form:
    """A way to write a moment, as a template: "0" is a digit, "T" a space too, "+" a minus too."""

    def __init__(self, template: str) -> None:
        self.length = len(template)
        self._seconds = template[16:17] == ":"
        self._fraction = (
            len(template[20:]) - len(template[20:].lstrip("0")) if "." in template else 0
        )
        self._offset = template.find("+")
        self._has_time = len(template) > 10
        self._expected, self._slack, self._counted = [], [], []
        for offset in range(0, len(template), WORD):
            letters = template[offset : offset + WORD].ljust(WORD, "*")
            self._expected.append(packed(0 if c in "T+*" else ord(c) for c in letters))
            self._slack.append(packed(0x76 if c == "0" else 0x7F for c in letters))
            self._counted.append(packed(0 if c in "T+*" else 0xFF for c in letters))

    def read(self, words: Words, begins: Integers) -> tuple[Integers, Flags]:
        """Microseconds since 1970 in UTC, and where there are any."""
        parts = [words[begins + WORD * i] for i in range(len(self._expected))]
        good = np.ones(begins.size, np.bool_)
        for part, expected, slack, counted in zip(
            parts, self._expected, self._slack, self._counted, strict=True
        ):
            # What is left of a digit is 0 to 9 and of anything else 0; more sets the highest bit.
            left = (part ^ expected) & counted
            good &= (left | (left + slack)) & HIGH_BITS == 0

        def letter(place: int) -> Integers:
            return ((parts[place // WORD] >> np.uint64(8 * (place % WORD))) & _BYTE).astype(
                np.int64
            )

        def number(place: int, digits: int) -> Integers:
            total = letter(place) & 15
            for more in range(place + 1, place + digits):
                total = total * 10 + (letter(more) & 15)
            return total

        month = (number(0, 4) - YEARS.start) * 12 + number(5, 2) - 1
        good &= (number(5, 2) - 1).view(np.uint64) < 12
        good &= month.view(np.uint64) < _MONTH_DAYS.size
        month = np.where(good, month, 0)
        day = number(8, 2) - 1
        good &= day.view(np.uint64) < _MONTH_DAYS[month].view(np.uint64)
        total = (_MONTH_BEGINS[month] + day) * _DAY
        if not self._has_time:
            return total, good
        hour, minute = number(11, 2), number(14, 2)
        good &= ((letter(10) == ord("T")) | (letter(10) == ord(" "))) & (hour < 24) & (minute < 60)
        total += hour * _HOUR + minute * _MINUTE
        if self._seconds:
            second = number(17, 2)
            good &= second < 60
            total += second * _SECOND
        if self._fraction:
            total += number(20, self._fraction) * 10 ** (6 - self._fraction)
        if self._offset >= 0:
            sign = letter(self._offset)
            hour, minute = number(self._offset + 1, 2), number(self._offset + 4, 2)
            good &= ((sign == ord("+")) | (sign == ord("-"))) & (hour < 24) & (minute < 60)
            ahead = hour * _HOUR + minute * _MINUTE
            total -= np.where(sign == ord("+"), ahead, -ahead)
        return total, good


# Each has another length, so that the length of a cell says which to try.
_FORMS = [_Form("0000-00-00")] + [
    _Form(f"0000-00-00T{clock}{zone}")
    for clock in ("00:00", "00:00:00", "00:00:00.000", "00:00:00.000000")
    for zone in ("", "Z", "+00:00")
]


def moments(words: Words, begins: Integers, lengths: Integers) -> tuple[Floats, Flags]:
    """Cells as seconds since 1970 in UTC, and which of them are moments at all."""
    found, good = np.zeros(begins.size, np.int64), np.zeros(begins.size, np.bool_)
    for form in _FORMS:
        rows = np.flatnonzero(lengths == form.length)
        if rows.size:
            found[rows], good[rows] = form.read(words, begins[rows])
    return found / _SECOND, good
