"""How figures are written in reports."""

from typing import overload

from service.measure.tiers import Interval


@overload
def number(value: float) -> float: ...
@overload
def number(value: float | None) -> float | None: ...
def number(value: float | None) -> float | None:
    """A number as it is written in reports: to 6 significant digits."""
    return None if value is None else float(f"{value:.6g}")


def interval_json(interval: Interval | None) -> list[float | None] | None:
    """An interval as JSON-able data."""
    return None if interval is None else [number(interval.low), number(interval.high)]
