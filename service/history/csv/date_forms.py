"""Forms of dates that strptime does not know: spreadsheets' numbers, months in other languages."""

import re
from datetime import UTC, datetime, timedelta

SPREADSHEET = "spreadsheet"
"""The form of a date that is a number of days since the end of 1899, as spreadsheets count."""
DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)

_SERIAL = re.compile(r"[0-9]{1,6}([.,][0-9]{1,12})?")
_WORD = re.compile(r"[^\W\d_]+\.?")
# German, French and Spanish, as far as they are not English too.
_MONTHS = {
    "jan": "jän januar jänner janv janvier ene enero",
    "feb": "februar févr fév février febrero",
    "mar": "mär mrz märz mars marzo",
    "apr": "avr avril abr abril",
    "may": "mai mayo",
    "jun": "juni juin junio",
    "jul": "juli juil juillet julio",
    "aug": "août ago agosto",
    "sep": "sept septembre septiembre",
    "oct": "okt oktober octobre octubre",
    "nov": "novembre noviembre",
    "dec": "dez dezember déc décembre dic diciembre",
}
_ENGLISH = {name: month for month, names in _MONTHS.items() for name in names.split()}


def moment_in(text: str, form: str) -> datetime:
    """The moment that a text says in a form of strptime, or `spreadsheet`; ValueError if none.

    Names of months may be German, French or Spanish, and end with a full stop.
    """
    if form == SPREADSHEET:
        if not _SERIAL.fullmatch(text):
            raise ValueError(text)
        # To the second: a fraction of a day cannot say noon and a third any better.
        seconds = round(float(text.replace(",", ".")) * 86_400)
        return DAY_ZERO + timedelta(seconds=seconds)
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - the caller says the zone
    except ValueError:
        if "%b" not in form and "%B" not in form:
            raise
    english = _WORD.sub(_in_english, text)
    return datetime.strptime(english, form.replace("%B", "%b"))  # noqa: DTZ007


def _in_english(word: re.Match[str]) -> str:
    return _ENGLISH.get(word[0].rstrip(".").casefold(), word[0])
