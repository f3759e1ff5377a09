"""What each asset of the library does to time-to-production, and whether that can be said.

Production is the event. Open cases are censored when they were last seen; declined and withdrawn
ones leave at their end, as in every curve here (cause-specific hazards), and are looked at apart: a
hazard that is higher because the slow ones gave up is no help. docs/library.md says it in words,
decision 22 why.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from service.domain.durations import duration
from service.library.cox import HazardRatio, hazard_ratio
from service.library.false_discovery import benjamini_hochberg
from service.library.mantel_byar import MantelByar, mantel_byar
from service.library.risk_sets import Ages, RiskSets
from service.measure.adoptions import Adoptions
from service.measure.cases import Cases, Codes
from service.measure.figures import interval_json, number
from service.measure.survival import Floats

FEWEST_ADOPTERS = 8
LEVEL = 0.05
LANDMARK_DAY = 30.0
LATE = 0.05
"""An effect must hold if adoptions had come later by this part of the usual time to production."""


class EffectVerdict(StrEnum):
    """What may be said of an asset."""

    HELPS = "helps"
    HURTS = "hurts"
    NONE = "no verdict"


@dataclass(frozen=True, slots=True)
class Landmark:
    """Of the cases that still waited after `day`: those that had adopted by then, from then on,
    against the others; None where that cannot be compared."""

    day: float
    ratio: HazardRatio | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What one asset does, in hazard ratios: above 1 production comes faster with it.

    `time_dependent` takes a case as without until it adopts, inside its tier; `same_quarter`
    compares only cases that started in the same calendar quarter, too. `naive` takes a case that
    ever adopts as with the asset from its start, which is wrong. All are None where they cannot be
    told. `why` is the reason against a verdict, "" where there is one.
    """

    asset: str
    adopters: int
    naive: HazardRatio | None
    time_dependent: HazardRatio | None
    same_quarter: HazardRatio | None
    mantel_byar: MantelByar | None
    landmark: Landmark
    p_adjusted: float | None
    verdict: EffectVerdict
    why: str


class Effects:
    """Measures assets on the same cases: what they share is worked out once.

    Each row of `cases` is one case. ValueError for cases that are counted by day, and for a
    `landmark_day` that is not above 0.
    """

    def __init__(self, cases: Cases, landmark_day: float = LANDMARK_DAY) -> None:
        if cases.weight is not None:
            raise ValueError("adoptions are of single cases, not of counts")
        check_landmark(landmark_day)
        self._cases = cases
        self._day = landmark_day
        self._ages = Ages(cases.duration_days, cases.entry_days)
        self._done = cases.all.in_production
        self._tiers = RiskSets(cases.tier, self._ages, self._done)
        self._quarters = None
        if cases.start_days is not None:
            strata = _in_quarters(cases.tier, cases.start_days)
            self._quarters = RiskSets(strata, self._ages, self._done)
        self._gave_up: RiskSets | None = None
        done = cases.duration_days[self._done]
        self._lag = LATE * float(np.median(done)) if done.size else 0.0

    def of(self, assets: Sequence[Adoptions], withheld: str = "") -> list[Effect]:
        """The effect of each asset, in the same order; with `withheld`, a reason, no verdict."""
        figures = [self._figures(asset) for asset in assets]
        tested = {
            place: one.time_dependent.p
            for place, one in enumerate(figures)
            if one.time_dependent is not None
        }
        adjusted = dict(zip(tested, benjamini_hochberg(list(tested.values())), strict=True))
        return [
            self._judged(replace(one, p_adjusted=adjusted.get(place)), asset, withheld)
            for place, (one, asset) in enumerate(zip(figures, assets, strict=True))
        ]

    def _figures(self, asset: Adoptions) -> Effect:
        cases, ages = asset.cases, asset.ages
        since = self._ages.since(cases, ages)
        moments = self._tiers.with_asset(cases, since)
        ever = self._tiers.with_asset(cases)
        landmark = self._tiers.with_asset(*self._by_then(cases, ages))
        same = None if self._quarters is None else self._quarters.with_asset(cases, since)
        return Effect(
            asset=asset.asset,
            adopters=int(cases.size),
            naive=hazard_ratio(ever),
            time_dependent=hazard_ratio(moments),
            same_quarter=None if same is None else hazard_ratio(same),
            mantel_byar=mantel_byar(moments),
            landmark=Landmark(self._day, hazard_ratio(landmark)),
            p_adjusted=None,
            verdict=EffectVerdict.NONE,
            why="",
        )

    def _by_then(self, cases: Codes, ages: Floats) -> tuple[Codes, Codes]:
        """Who had adopted at the landmark and still waited, as with the asset from that day on."""
        day = self._day
        still = cases[(ages <= day) & (self._ages.until[cases] > day)]
        return still, self._ages.since(still, np.full(still.size, day))

    def _judged(self, found: Effect, asset: Adoptions, withheld: str) -> Effect:
        side = EffectVerdict.NONE
        ratio, p = found.time_dependent, found.p_adjusted
        if ratio is not None and p is not None and p <= LEVEL:
            side = EffectVerdict.HELPS if ratio.log_ratio > 0.0 else EffectVerdict.HURTS
        why = next(self._against(found, asset, side, withheld), "")
        return replace(found, verdict=EffectVerdict.NONE if why else side, why=why)

    def _against(
        self, found: Effect, asset: Adoptions, side: EffectVerdict, withheld: str
    ) -> Iterator[str]:
        """What stands against a verdict, the first reason first."""
        if found.adopters < FEWEST_ADOPTERS:
            yield f"{_cases(found.adopters)} adopted it, and {FEWEST_ADOPTERS} are needed"
        if found.time_dependent is None:
            yield (
                "it cannot be told: while cases waited both with and without it, production was"
                " reached on one side only, or not at all"
            )
        if side is EffectVerdict.NONE:
            yield "the difference may be chance"
        if withheld:
            yield withheld
        if found.same_quarter is None or _surely(found.same_quarter) is not side:
            yield (
                "among cases that started in the same quarter the difference is not clear, so that"
                " it cannot be told from a trend"
            )
        if found.landmark.ratio is not None and _surely(found.landmark.ratio) is _other(side):
            yield f"the landmark at day {found.landmark.day:g} says the opposite"
        yield from self._gave_up_more(asset, side)
        yield from self._written_late(asset, side)

    def _gave_up_more(self, asset: Adoptions, side: EffectVerdict) -> Iterator[str]:
        """Fast because the slow ones gave up, or slow because they stayed?"""
        if self._gave_up is None:
            self._gave_up = RiskSets(self._cases.tier, self._ages, self._cases.all.gave_up)
        since = self._ages.since(asset.cases, asset.ages)
        ratio = hazard_ratio(self._gave_up.with_asset(asset.cases, since))
        if ratio is None or _surely(ratio) is not side:
            return
        if side is EffectVerdict.HELPS:
            yield "more were declined or withdrawn with it, which may be why the rest was fast"
        else:
            yield "fewer were declined or withdrawn with it, which may be why the rest was slow"

    def _written_late(self, asset: Adoptions, side: EffectVerdict) -> Iterator[str]:
        """Would it hold if every adoption had come a little later? Then who ends before that counts
        as without: adoptions that were written down because production was near are none."""
        later = asset.ages + np.where(asset.ages > 0.0, self._lag, 0.0)
        there = later <= self._ages.until[asset.cases]
        cases = asset.cases[there]
        since = self._ages.since(cases, later[there])
        ratio = hazard_ratio(self._tiers.with_asset(cases, since))
        if ratio is None or _surely(ratio) is not side:
            yield (
                f"it hangs on who adopted in the last {duration(self._lag)}, as if adopting had"
                " been written down when production was near"
            )


def effects(
    cases: Cases,
    assets: Sequence[Adoptions],
    landmark_day: float = LANDMARK_DAY,
    record: Sequence[str] = (),
) -> list[Effect]:
    """What each asset does to time-to-production; see `Effects`. `record` is what the record is
    known to leave out: with any of that there is no verdict."""
    withheld = f"the record leaves something out ({record[0]})" if record else ""
    return Effects(cases, landmark_day).of(assets, withheld)


def check_landmark(day: float) -> None:
    """ValueError for what is no day of a landmark."""
    if not 0.0 < day < np.inf:
        raise ValueError("the landmark is a number of days above 0")


def as_json(found: Sequence[Effect]) -> list[dict[str, object]]:
    """The JSON of assets, as in `headway adoption --json`; no NaN, no infinity."""
    return [_effect_json(effect) for effect in found]


def said(effect: Effect) -> str:
    """An asset's effect in one sentence."""
    ratio = effect.time_dependent
    if effect.verdict is EffectVerdict.NONE or ratio is None:
        return f"{effect.asset}: no verdict, as {effect.why}."
    low, high = ratio.ci.low, ratio.ci.high
    return (
        f"{effect.asset} {effect.verdict}: on any day a case with it is {ratio.ratio:.2f} times as"
        f" likely to reach production as one without (95% between {low:.2f} and {high:.2f})."
    )


def notes_of(found: Sequence[Effect]) -> Iterator[str]:
    """What has to be said with the figures of assets."""
    for effect in found:
        if effect.verdict is EffectVerdict.NONE:
            yield said(effect)
        if effect.same_quarter is not None:
            ratio = effect.same_quarter
            yield (
                f"{effect.asset}: among cases that started in the same quarter the hazard ratio is"
                f" {ratio.ratio:.3g} (95% between {ratio.ci.low:.3g} and {ratio.ci.high:.3g})."
            )


def _effect_json(effect: Effect) -> dict[str, object]:
    test = effect.mantel_byar
    dependent = effect.time_dependent
    return {
        "asset": effect.asset,
        "adopters": effect.adopters,
        "naive": _ratio_json("ratio", effect.naive),
        "time_dependent": {
            **_ratio_json("hazard_ratio", dependent),
            "p": None if dependent is None else number(dependent.p),
        },
        "mantel_byar": {
            "observed": None if test is None else test.observed,
            "expected": None if test is None else number(test.expected),
            "chi2": None if test is None else number(test.chi2),
            "p": None if test is None else number(test.p),
        },
        "landmark": {
            "day": number(effect.landmark.day),
            **_ratio_json("hazard_ratio", effect.landmark.ratio),
        },
        "p_adjusted": number(effect.p_adjusted),
        "verdict": str(effect.verdict),
    }


def _ratio_json(name: str, ratio: HazardRatio | None) -> dict[str, object]:
    if ratio is None:
        return {name: None, "ci": None}
    return {name: number(ratio.ratio), "ci": interval_json(ratio.ci)}


def _surely(ratio: HazardRatio) -> EffectVerdict:
    """The side of 1 that the whole interval is on."""
    if ratio.ci.low > 1.0:
        return EffectVerdict.HELPS
    return EffectVerdict.HURTS if ratio.ci.high < 1.0 else EffectVerdict.NONE


def _other(side: EffectVerdict) -> EffectVerdict:
    return EffectVerdict.HURTS if side is EffectVerdict.HELPS else EffectVerdict.HELPS


def _cases(number_of: int) -> str:
    return "1 case" if number_of == 1 else f"{number_of} cases"


def _in_quarters(tier: Codes, start_days: Floats) -> Codes:
    """The tier and the calendar quarter (UTC) of the start as one code."""
    days = np.floor(start_days).astype("datetime64[D]")
    quarter = days.astype("datetime64[M]").astype(np.int64) // 3
    if quarter.size:
        quarter -= quarter.min()
    found: Codes = tier * (quarter.max(initial=0) + 1) + quarter
    return found
