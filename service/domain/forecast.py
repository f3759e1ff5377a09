"""A forecast as it was made."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class MadeForecast:
    """A forecast as it was made: of the cases like this one that reach production, half do so
    within `p50_days` of `made_at` and 85% within `p85_days`; `reaches_production` is the share
    that gets there at all. `basis` says in words which cases it rests on, and whether it was
    corrected. The levels say at which point of their curve the days were taken."""

    made_at: datetime
    p50_days: float
    p85_days: float
    reaches_production: float
    basis: str
    p50_level: float = 0.5
    p85_level: float = 0.85

    @property
    def p50_at(self) -> datetime:
        """When half of the cases like this one would be in production."""
        return self.made_at + timedelta(days=self.p50_days)

    @property
    def p85_at(self) -> datetime:
        """When 85% of them would be."""
        return self.made_at + timedelta(days=self.p85_days)
