"""Cases with adoptions for the tests: some by a rule that every language can follow, some drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from service.domain.case import Outcome
from service.measure.adoptions import Adoptions
from service.measure.cases import Cases, of_arrays
from service.measure.survival import Floats

TIERS = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Row:
    """One case: days to its end or as long as it was watched, and when it adopted."""

    days: float
    outcome: Outcome = Outcome.PRODUCTION
    adopted: float | None = None
    tier: str = "low"
    start: float = 0.0


def cases_of(rows: Sequence[Row]) -> tuple[Cases, Adoptions]:
    """Rows as cases and the adoptions of one asset."""
    cases = of_arrays(
        ["all"] * len(rows),
        [row.tier for row in rows],
        np.array([row.days for row in rows], dtype=np.float64),
        [row.outcome for row in rows],
        start_days=np.array([row.start for row in rows], dtype=np.float64),
    )
    with_asset = [(i, row.adopted) for i, row in enumerate(rows) if row.adopted is not None]
    return cases, Adoptions(
        "template",
        np.array([i for i, _ in with_asset], dtype=np.int64),
        np.array([age for _, age in with_asset], dtype=np.float64),
    )


def by_rule(size: int = 120) -> list[Row]:
    """Whole days with many ties, in three tiers, by a rule of remainders that R can follow, too."""
    numbers = _remainders()
    rows = []
    for place in range(size):
        tier = TIERS[place % 3]
        days = 1 + next(numbers) % (12 + 8 * (place % 3))
        kind = next(numbers) % 10
        adopted = next(numbers) % 20
        outcome = Outcome.PRODUCTION if kind < 6 else Outcome.OPEN
        if kind == 9:
            outcome = Outcome.WITHDRAWN
        start = float(next(numbers) % 400)
        rows.append(
            Row(float(days), outcome, float(adopted) if adopted < days else None, tier, start)
        )
    return rows


def _remainders() -> Iterator[int]:
    state = 12_345
    while True:
        state = (state * 1_103_515_245 + 12_345) % 2**31
        yield state // 65_536


def drawn(seed: int, size: int = 80, *, whole: bool = True) -> list[Row]:
    """Random cases; `whole` days make ties."""
    rng = np.random.default_rng(seed)
    days: Floats = rng.exponential(15.0, size) + 0.5
    ages = rng.exponential(12.0, size)
    if whole:
        days, ages = np.ceil(days), np.floor(ages)
    kinds = rng.choice(
        [Outcome.PRODUCTION, Outcome.OPEN, Outcome.DECLINED], size, p=[0.7, 0.2, 0.1]
    )
    return [
        Row(
            float(day),
            Outcome(kind),
            float(age) if age < day else None,
            TIERS[int(tier)],
            float(start),
        )
        for day, kind, age, tier, start in zip(
            days, kinds, ages, rng.integers(3, size=size), rng.uniform(0, 500, size), strict=True
        )
    ]
