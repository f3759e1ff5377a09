"""Cells as moments, with all the care that other people's dates need."""

from datetime import UTC, datetime, timedelta

from service.domain.naming import fold, shown
from service.history.csv.date_forms import DAY_ZERO, SPREADSHEET, moment_in
from service.history.csv.errors import RowUnusable
from service.history.csv.maps import ISO, Dates, YearNumbers
from service.history.csv.quoting import day

YEARS = range(1900, 2200)  # another year in a date is a slip of the hand

_MONTHS = 12
_LIKE = {ISO: "2024-12-31", SPREADSHEET: "45657.5"}
_YEAR_NUMBERS = range(YEARS.start, 2101)


class DateReader:
    """Reads cells as moments, by the forms that a map gives.

    It remembers whether day and month seem to be the other way round; see `hint`.
    """

    def __init__(self, dates: Dates) -> None:
        self._dates = dates
        self._iso_first = dates.formats[0] == ISO
        self._forms = [(form, *_precision(form)) for form in dates.formats]
        swapped = {form: _swapped(form) for form in dates.formats}
        self._swapped = {
            form: other
            for form, other in swapped.items()
            if other != form and other not in dates.formats
        }
        self._right: set[str] = set()  # forms of which a date shows that they are right
        self._helps: set[str] = set()  # those that read with both swapped what nothing else does
        self._fails: set[str] = set()  # those that even so do not read everything

    @property
    def hint(self) -> str | None:
        """What to say where the dates seem to have day and month the other way round: some can be
        read only so, and none only as the map says."""
        for form, other in self._swapped.items():
            if form in self._helps and form not in self._right:
                first = "month" if form.find("%d") < form.find("%m") else "day"
                reads = "more dates" if form in self._fails else "all dates"
                return f"with the {first} first ({other}) {reads} can be read, with {form} not"
        return None

    def read(self, field: str, column: str, cell: str) -> datetime | None:
        """The moment, None where the cell is blank or says "no date"; raises `RowUnusable`."""
        if self._iso_first:
            try:
                moment = datetime.fromisoformat(cell)
            except ValueError:
                pass  # there may be white space around it
            else:
                return self._sensible(field, column, cell, moment)
        text = fold(cell)
        if not text or (self._dates.none and text.casefold() in self._dates.none):
            return None
        for form, has_month, has_day in self._forms:
            try:
                moment = datetime.fromisoformat(text) if form == ISO else moment_in(text, form)
            except ValueError:
                continue
            if moment.day > _MONTHS and form in self._swapped:
                self._right.add(form)
            if not has_day:  # the middle of what is known errs least
                moment = moment.replace(day=15) if has_month else moment.replace(month=7)
            return self._sensible(field, column, text, moment)
        self._look_swapped(text)
        forms = " or ".join(_LIKE.get(form, form) for form in self._dates.formats)
        raise RowUnusable(field, f"{column}: {shown(text)} is not a date of the form {forms}")

    def _look_swapped(self, text: str) -> None:
        for form, other in self._swapped.items():
            (self._helps if _reads(other, text) else self._fails).add(form)

    def _sensible(self, field: str, column: str, text: str, moment: datetime) -> datetime:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        if moment.year == 1905:
            year = (moment - DAY_ZERO) // timedelta(days=1)
            if year in _YEAR_NUMBERS:
                if self._dates.year_numbers is YearNumbers.MIDDLE:
                    return datetime(year, 7, 1, tzinfo=UTC)
                raise RowUnusable(
                    field,
                    f"{column}: {shown(text)} is the year {year}, which a spreadsheet took for a"
                    " day number; the day is not known",
                )
        if moment.year not in YEARS:
            raise RowUnusable(field, f"{column}: {shown(text)} has a year that cannot be right")
        return moment


def can_read(cell: str, form: str) -> bool:
    """Whether a cell can be read in a form; a blank one can."""
    try:
        DateReader(Dates(formats=(form,))).read("", "", cell)
    except RowUnusable:
        return False
    return True


def mended_end(started: datetime, ended: datetime) -> datetime:
    """The start, for an end some hours before it; otherwise the row is rejected.

    On the same day or the day before, as written or in the zone of the end: a day without a time,
    another time zone.
    """
    starts = (started.date(), started.astimezone(ended.tzinfo).date())
    if min(starts) - ended.date() <= timedelta(days=1):
        return started
    raise RowUnusable("ended_at", f"ended {day(ended)}, before it started {day(started)}")


def _swapped(form: str) -> str:
    """The form with day and month the other way round; itself if it does not have both."""
    if "%d" not in form or "%m" not in form:
        return form
    return form.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")


def _reads(form: str, text: str) -> bool:
    try:
        moment_in(text, form)
    except ValueError:
        return False
    return True


def _precision(form: str) -> tuple[bool, bool]:
    """Whether a form says the month, and whether it says the day."""
    if form in {ISO, SPREADSHEET}:
        return True, True
    sample = datetime(2024, 11, 23, tzinfo=UTC)
    return tuple(
        other.strftime(form) != sample.strftime(form)
        for other in (sample.replace(month=7), sample.replace(day=15))
    )  # type: ignore[return-value]
