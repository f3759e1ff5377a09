"""How predictions came out: the Brier score of probabilities, the coverage of intervals.

With p the probability of a prediction and o what happened (1 or 0), the score is the mean of
(p - o)^2 (Brier, Monthly Weather Review 78, 1950): 0 is perfect, 0.25 is what a coin's 0.5 gets.
Over predictions of the same probability it is the sum of three parts (Murphy, Journal of Applied
Meteorology 12, 1973), with n predictions of probability p of which a share o came true, N in all
and a share b of all:

- reliability: sum n (p - o)^2 / N, what is lost because probabilities are not what they say;
- resolution: sum n (o - b)^2 / N, what is gained because they tell cases apart;
- uncertainty: b (1 - b), what always saying b would score.

Score = reliability - resolution + uncertainty; skill = 1 - score / uncertainty: above 0 is better
than the base rate, below 0 worse than saying nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LEAST = 10
"""Predictions that are resolved, before their score is shown: with fewer it is mostly chance."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A prediction whose day is over, and whether it came true; None where nobody measured.

    `inside` says whether the amount lay in the predicted interval, None where none was given or
    nobody measured.
    """

    group: str
    probability: float
    came_true: bool | None
    inside: bool | None = None


@dataclass(frozen=True, slots=True)
class Brier:
    """The score of resolved predictions, with its parts. `skill` is None where all came out alike:
    then saying the base rate is perfect."""

    predictions: int
    base_rate: float
    score: float
    reliability: float
    resolution: float
    uncertainty: float
    skill: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """How predictions of a group came out.

    `unresolved` are those whose day is over and that nobody measured: neither true nor false.
    `brier` is None under `LEAST` resolved ones. `inside` of `intervals` hold what they were to
    hold.
    """

    group: str
    predictions: int
    came_true: int
    unresolved: int
    intervals: int
    inside: int
    brier: Brier | None

    @property
    def resolved(self) -> int:
        """How many came true or did not."""
        return self.predictions - self.unresolved

    @property
    def coverage(self) -> float | None:
        """The share of intervals that hold; 0.95 is what they were meant to."""
        return self.inside / self.intervals if self.intervals else None

    @property
    def sentence(self) -> str:
        """It in words."""
        if not self.predictions:
            return "No prediction is due yet."
        said = f"{self.came_true} of {self.resolved} predictions came true"
        if self.unresolved:
            said += f", {self.unresolved} more cannot be told: nobody measured"
        if self.coverage is not None:
            said += f"; {self.inside} of {self.intervals} intervals held what they were to hold"
        if self.brier is None:
            return f"{said}. Too few for a score: {LEAST} are needed."
        if self.brier.skill is None:
            return f"{said}. All came out alike, so that no skill can be told."
        than = "better" if self.brier.skill > 0.0 else "no better"
        return (
            f"{said}. Brier score {self.brier.score:.2f}, {than} than always saying the base rate "
            f"({self.brier.base_rate:.2f}): skill {self.brier.skill:.2f}."
        )


def brier(forecasts: Iterable[tuple[float, bool]]) -> Brier | None:
    """The score of probabilities against what happened; None without any."""
    by_probability: dict[float, list[bool]] = defaultdict(list)
    for probability, came_true in forecasts:
        by_probability[probability].append(came_true)
    count = sum(map(len, by_probability.values()))
    if not count:
        return None
    base = sum(map(sum, by_probability.values())) / count
    reliability = resolution = 0.0
    for probability, outcomes in by_probability.items():
        share = sum(outcomes) / len(outcomes)
        reliability += len(outcomes) * (probability - share) ** 2 / count
        resolution += len(outcomes) * (share - base) ** 2 / count
    uncertainty = base * (1.0 - base)
    score = reliability - resolution + uncertainty
    return Brier(
        predictions=count,
        base_rate=base,
        score=score,
        reliability=reliability,
        resolution=resolution,
        uncertainty=uncertainty,
        skill=1.0 - score / uncertainty if uncertainty else None,
    )


def scores(predictions: Sequence[Resolved], group: str = "all") -> Scores:
    """How predictions came out, taken as one group."""
    told = [(one.probability, one.came_true) for one in predictions if one.came_true is not None]
    held = [one.inside for one in predictions if one.inside is not None]
    return Scores(
        group=group,
        predictions=len(predictions),
        came_true=sum(came_true for _, came_true in told),
        unresolved=len(predictions) - len(told),
        intervals=len(held),
        inside=sum(held),
        brier=brier(told) if len(told) >= LEAST else None,
    )


def scores_by_group(predictions: Sequence[Resolved]) -> tuple[Scores, ...]:
    """The same of each group that has enough of them, by name."""
    groups: dict[str, list[Resolved]] = defaultdict(list)
    for one in predictions:
        groups[one.group].append(one)
    found = (scores(some, group) for group, some in sorted(groups.items()))
    return tuple(one for one in found if one.brier is not None)
