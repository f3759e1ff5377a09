"""How messages to people quote cells, list names and write days."""

from datetime import datetime, time

from service.domain.moment import ends_a_day

MIDNIGHT = time(0)


def day(moment: datetime) -> str:
    """The day of a moment, with its time unless that is midnight, or the end of the day."""
    whole = moment.time() == MIDNIGHT or ends_a_day(moment)
    return moment.date().isoformat() if whole else moment.isoformat()
