"""At which level of its curve a mark of a forecast is taken, so that it holds as often as it says.

A forecast is read off a curve: p50 where it reaches 50%, p85 where it reaches 85%. Where such
marks held less often than that, they are taken further up. This is adaptive conformal inference
(Gibbs and Candes, *Adaptive Conformal Inference Under Distribution Shift*, NeurIPS 2021): the
level follows the errors that were made. docs/decisions/0017-adaptive-forecast-levels.md says how
it is done here, and why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from service.measure.cases import OPEN, PRODUCTION, Codes
from service.measure.end_shares import masses
from service.measure.survival import Flags, Floats

PARTS = (0.5, 0.85)
"""What the two marks of a forecast promise."""
BOUNDS = ((0.2, 0.8), (0.6, 0.97))
"""The levels at which each of them may be taken, whatever the errors say."""
PRIOR_CASES = 30.0
"""With so many judged cases half of what their errors say is believed; and a case moves a level by
one part in so many and the cases under way."""
TIER_CASES = 100.0
"""With so many judged cases a tier's own level counts as much as that of the whole."""
STEP_DAYS = 7.0
"""Errors that became known in the same week make one step."""
SHORTEST_SPAN = 1e-6
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels at which p50 and p85 are taken: of all forecasts, and by tier where it has its own
    history of errors. As they are promised until something is learnt."""

    whole: tuple[float, float] = PARTS
    tiers: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def of(self, tier: str) -> tuple[float, float]:
        """Those of one tier; of the whole for a tier that has none."""
        return self.tiers.get(tier, self.whole)


AS_PROMISED = Levels()


@dataclass(frozen=True)
class Said:
    """Forecasts with what became of them, in columns that run in parallel.

    `case` has a number for each case, `tier` is a place in `tiers`. `made_days` is when each was
    made (days since 1970), `days` and `levels` have two columns: what p50 and p85 said, and the
    level at which they were taken. `watched_days` and `outcome` (a place in `OUTCOMES`) say what
    became of the case since.
    """

    case: Codes
    tier: Codes
    tiers: tuple[str, ...]
    made_days: Floats
    days: Floats
    levels: Floats
    watched_days: Floats
    outcome: Codes

    def known_at(self, now_days: float) -> "Said":
        """Those that were made before `now_days` (since 1970), with what was known of them then."""
        kept = np.flatnonzero(self.made_days < now_days)
        since = now_days - self.made_days[kept]
        is_over = self.watched_days[kept] <= since
        return replace(
            self,
            case=self.case[kept],
            tier=self.tier[kept],
            made_days=self.made_days[kept],
            days=self.days[kept],
            levels=self.levels[kept],
            watched_days=np.minimum(self.watched_days[kept], since),
            outcome=np.where(is_over, self.outcome[kept], OPEN),
        )


def levels_after(said: Sequence[Said], now_days: float) -> Levels:
    """The levels that follow from the errors that were known at `now_days` (since 1970).

    `said` are histories of forecasts, each with cases of its own. A mark is judged when its day has
    passed, neither sooner nor later: what was quick is known before what is slow. By then its case
    was in production or not; what gave up says nothing. A case that is open beyond the mark is a
    miss already, for as much as its kind still gets to production (Aalen-Johansen, of forecasts
    that were as far beyond their mark).

    Week by week, with e = 1 for a miss, l' the level at which the mark was taken and p what it
    promises, a level l moves by

        l += g * (e + l' - l - (1 - p))

    which is the step of Gibbs and Candes with errors that come late: on its curve a mark that is
    taken x higher holds x more often, so that what has been corrected since is not corrected again.
    g is n / (max(n, m) + `PRIOR_CASES`) for n cases in a week of m under way. All forecasts of a
    case count as one case together. The level of the whole lies between what is promised and what
    its errors say, that of a tier between the whole's and its own, by how many cases are judged.
    All levels stay within `BOUNDS`.

    The same forecasts give the same levels to the last bit, in whatever order they come.
    """
    known = [one.known_at(now_days) for one in said]
    tiers = tuple(sorted({name for one in known for name in one.tiers}))
    marks = [_mark(known, tiers, place, now_days) for place in range(len(PARTS))]
    by_tier = {
        name: _ordered(*(levels[place] for levels, _ in marks))
        for place, name in enumerate(tiers, start=1)
        if any(judged[place] > 0.0 for _, judged in marks)
    }
    return Levels(_ordered(*(levels[0] for levels, _ in marks)), by_tier)


def _ordered(p50: float, p85: float) -> tuple[float, float]:
    return p50, max(p50, p85)


@dataclass(frozen=True)
class _Errors:
    """The judged forecasts of a history, in an order that does not depend on that of its rows.

    `group` is 1 + the place of the tier; `weight` is the part of a case that each counts for;
    `wanted` is the level at which it would have held as often as promised, going by this error
    alone. `under_way` is how many cases were, by group, 0 for the whole; `judged` how many are.
    """

    week: Codes
    group: Codes
    weight: Floats
    wanted: Floats
    under_way: Floats
    judged: Floats


def _mark(
    known: Sequence[Said], tiers: Sequence[str], place: int, now_days: float
) -> tuple[list[float], list[float]]:
    """The levels of one mark and how many cases are judged: of the whole first, then by tier."""
    groups = len(tiers) + 1
    found = [_errors(one, tiers, place, now_days) for one in known if one.case.size]
    levels, judged = np.full(groups, PARTS[place]), np.zeros(groups)
    if not found:
        return levels.tolist(), judged.tolist()
    judged = np.sum([one.judged for one in found], axis=0)
    under_way = np.sum([one.under_way for one in found], axis=0)
    weeks, row = np.unique(np.concatenate([one.week for one in found]), return_inverse=True)
    group, weight, wanted = (
        np.concatenate(columns)
        for columns in zip(*((one.group, one.weight, one.wanted) for one in found), strict=True)
    )
    cases, total = (
        np.bincount(row * groups + group, column, weeks.size * groups).reshape(-1, groups)
        for column in (weight, weight * wanted)
    )
    cases[:, 0], total[:, 0] = cases.sum(axis=1), total.sum(axis=1)
    rates = cases / (np.maximum(cases, under_way) + PRIOR_CASES)
    right = total / np.where(cases > 0.0, cases, 1.0)
    low, high = BOUNDS[place]
    for rate, level in zip(rates, right, strict=True):
        levels = np.minimum(np.maximum(levels + rate * (level - levels), low), high)
    whole = PARTS[place] + judged[0] / (judged[0] + PRIOR_CASES) * (levels[0] - PARTS[place])
    own = judged / (judged + TIER_CASES)
    blended = whole + own * (levels - whole)
    blended[0] = whole
    return blended.tolist(), judged.tolist()


def _errors(said: Said, tiers: Sequence[str], place: int, now_days: float) -> _Errors:
    groups = len(tiers) + 1
    mark, level = said.days[:, place], said.levels[:, place]
    production, ended = said.outcome == PRODUCTION, said.outcome != OPEN
    ratio = said.watched_days / mark
    order = np.lexsort((level, said.made_days, said.case, said.outcome, ~ended, ratio))
    counts = np.where(production, 1.0, 0.0)
    is_open = np.flatnonzero(~ended[order])
    counts[order[is_open]] = _gets_there(ended[order], production[order])[is_open]
    group = np.array([tiers.index(name) + 1 for name in said.tiers], dtype=np.int64)[said.tier]
    passed = said.made_days + mark
    chosen = order[((passed <= now_days) & (counts > 0.0))[order]]
    cases = _cases(said.case, group, groups)
    first = np.full(groups, now_days)
    np.minimum.at(first, group, said.made_days)
    first[0] = float(said.made_days.min())
    lasting = np.bincount(group[order], mark[order], groups)
    forecasts = np.bincount(group, minlength=groups).astype(np.float64)
    lasting[0], forecasts[0] = lasting.sum(), forecasts.sum()
    span = np.maximum(now_days - first, SHORTEST_SPAN)
    share = np.minimum(lasting / np.maximum(forecasts, 1.0) / span, 1.0)
    return _Errors(
        week=np.floor(passed[chosen] / STEP_DAYS).astype(np.int64),
        group=group[chosen],
        weight=counts[chosen] * (cases[0] / said.case.size),
        wanted=(said.watched_days > mark)[chosen] + level[chosen] - (1.0 - PARTS[place]),
        under_way=cases * share,
        judged=_cases(said.case[chosen], group[chosen], groups),
    )


def _gets_there(ended: Flags, production: Flags) -> Floats:
    """P(production | open so far): of forecasts in the order of how far they were watched, in parts
    of what they said. Beyond the last end that is known, as of all."""
    share = masses(ended)
    there = np.where(production, share, 0.0)
    beyond, there_beyond = (np.cumsum(one[::-1])[::-1] - one for one in (share, there))
    all_ends = float(share.sum())
    of_all = float(there.sum()) / all_ends if all_ends > 0.0 else 1.0
    is_known = beyond > TINY
    found: Floats = np.where(is_known, there_beyond / np.where(is_known, beyond, 1.0), of_all)
    return np.minimum(found, 1.0)


def _cases(case: Codes, group: Codes, groups: int) -> Floats:
    """How many different cases there are: in all, and in each group."""
    found = np.zeros((groups, int(case.max()) + 1 if case.size else 0), dtype=np.bool_)
    found[group, case] = True
    found[0] = found.any(axis=0)
    counts: Floats = np.count_nonzero(found, axis=1).astype(np.float64)
    return counts
