"""The main table of each report, for a spreadsheet."""

import csv
import io
from collections.abc import Iterable

from service.reports.report import Row


def as_csv(rows: Iterable[Row]) -> str:
    """The main table of a report as CSV (RFC 4180); nothing where there is nothing to say.

    What a spreadsheet would take for a formula is written behind an apostrophe: names of business
    units and files are other people's words.
    """
    out = io.StringIO()
    listed = list(rows)
    if not listed:
        return ""
    header = list(dict.fromkeys(key for row in listed for key in row))
    writer = csv.DictWriter(out, header, lineterminator="\r\n")
    writer.writeheader()
    for row in listed:
        writer.writerow({key: _harmless(value) for key, value in row.items()})
    return out.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value


FORMULA = tuple("=+-@\t\r")
