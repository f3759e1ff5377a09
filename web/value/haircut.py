"""What is to be expected of a promise, after what others like it delivered of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.value.haircut import Haircut
from web.kit.typed import number


@dataclass(frozen=True, slots=True)
class Expectation:
    """A haircut, and a promised yearly value after it; `amount` is None where none is promised yet.

    `low` and `high` are those of use cases like it, None where nothing says how sure it is.
    """

    haircut: Haircut
    promised: float | None
    currency: str

    @property
    def amount(self) -> float | None:
        """A year, at full effect."""
        return _part(self.promised, self.haircut.rate)

    @property
    def low(self) -> float | None:
        """Of `amount`, with 95%."""
        return _part(self.promised, self.haircut.low)

    @property
    def high(self) -> float | None:
        """Of `amount`, with 95%."""
        return _part(self.promised, self.haircut.high)


def as_typed(haircut: Haircut, typed: Mapping[str, str]) -> Expectation:
    """What is to be expected of what somebody has typed so far."""
    promised = number(typed.get("expected_yearly_value", "").strip())
    return Expectation(haircut, promised, typed.get("currency", "").strip().upper())


def _part(promised: float | None, rate: float | None) -> float | None:
    """To three digits: the rate is not known better."""
    return None if promised is None or rate is None else float(f"{promised * rate:.3g}")
