"""What each asset of the library does to time-to-production: does it help the next one?"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Literal

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.facts.as_of import Moment
from service.library.checks import Tally, tallies
from service.library.effects import EffectVerdict, as_json, notes_of, said
from service.library.measured import Measured, measured
from service.library.store import titles_of
from service.measure.figures import number
from service.offers.offers import Kind as OfferKind
from service.offers.uptake import Uptake, uptake
from service.reports.question import Asking
from service.reports.report import Bounds, Example, Figures, Instant, Registered, Report, Row


class Ratio(Figures):
    """How many times as likely production is on any day, ever adopted against never; misleads."""

    ratio: float | None
    ci: Bounds | None


class HazardRatio(Figures):
    """A hazard ratio with its 95% interval: above 1 is faster."""

    hazard_ratio: float | None
    ci: Bounds | None


class TimeDependent(HazardRatio):
    """The figure: without until it adopts, with from then on."""

    p: float | None


class AtLandmark(HazardRatio):
    """Of those that still waited after the day: adopted by then against not."""

    day: float | None


class MantelByarTest(Figures):
    """How many went to production with it, and how many would have been expected to."""

    observed: float | None
    expected: float | None
    chi2: float | None
    p: float | None


class Checks(Figures):
    """Adoptions that opened a gate: how many were drawn, were checked, do not fit. `share` is of
    those checked, with its 95% interval."""

    opened: int
    drawn: int
    checked: int
    unfit: int
    share: float | None
    ci: Bounds | None


class MeasuredEffect(Figures):
    """What taking something does. Null where a figure cannot be told."""

    adopters: int = Field(description="Cases that adopted it before they ended")
    naive: Ratio
    time_dependent: TimeDependent
    mantel_byar: MantelByarTest
    landmark: AtLandmark
    p_adjusted: float | None = Field(description="Over all assets of the library, or all offers")
    verdict: EffectVerdict
    sentence: str


class AssetEffect(MeasuredEffect):
    """What one asset does, and what checks of its adoptions found."""

    asset: str = Field(description="Its key")
    title: str
    checks: Checks


class TierUptake(Figures):
    """Use cases of a tier: how many an offer was made to, took it, got it, declined it."""

    tier: str
    offered: int
    taken: int
    given: int = Field(description="Of those taken: whoever gives it says that it took place")
    declined: int


class OfferUptake(Figures):
    """What became of an offer; `effect` counts live use cases from the first taking on, and is null
    while nobody took it."""

    number: int
    title: str
    kind: OfferKind
    offered: int
    taken: int
    given: int
    declined: int
    by_tier: tuple[TierUptake, ...]
    effect: MeasuredEffect | None


class LibraryReport(Report):
    """What each asset does to time-to-production, counted from its adoption on: hazard ratios
    above 1 are faster. Of the adoptions that were `read`, those are `accepted` that are of cases of
    the cohort."""

    report: Literal["library"] = "library"
    as_of: Instant
    cohort: str
    sentence: str
    cases: int = Field(description="Of the cohort, with and without adoptions")
    assets: tuple[AssetEffect, ...] = Field(description="Those that help first")
    offers: tuple[OfferUptake, ...] = Field(description="In the order in which they were written")
    read: int
    accepted: int
    rejected: int
    notes: tuple[str, ...]


async def library(session: AsyncSession, moment: Moment, cohort: Cohort) -> LibraryReport:
    """What the assets do, as known at the moment."""
    found = await measured(session, cohort, moment)
    titles = await titles_of(session, moment.at)
    checked = await tallies(session, moment.at)
    assets = [
        AssetEffect.model_validate(
            {
                **row,
                "title": titles.get(effect.asset, effect.asset),
                "sentence": said(effect),
                "checks": _checks(checked.get(effect.asset, Tally())),
            }
        )
        for row, effect in zip(as_json(found.effects), found.effects, strict=True)
    ]
    offers = [_offer(one) for one in await uptake(session, cohort, moment)]
    assets.sort(key=lambda one: (ORDER[one.verdict], one.asset))
    return LibraryReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        sentence=_sentence(assets),
        cases=found.cases,
        assets=tuple(assets),
        offers=tuple(offers),
        read=found.read,
        accepted=found.accepted,
        rejected=found.read - found.accepted,
        notes=tuple(_notes(found)),
    )


def _checks(found: Tally) -> Checks:
    low_and_high = found.interval
    return Checks(
        opened=found.opened,
        drawn=found.drawn,
        checked=found.checked,
        unfit=found.unfit,
        share=number(found.share),
        ci=low_and_high and (number(low_and_high[0]), number(low_and_high[1])),
    )


def _offer(found: Uptake) -> OfferUptake:
    effect = None
    if found.effect is not None:
        named = replace(found.effect, asset=found.title)
        [figures] = as_json([named])
        figures.pop("asset")
        effect = MeasuredEffect.model_validate({**figures, "sentence": said(named)})
    return OfferUptake(
        number=found.number,
        title=found.title,
        kind=found.kind,
        **asdict(found.count),
        by_tier=tuple(
            TierUptake(tier=tier, **asdict(count)) for tier, count in found.by_tier.items()
        ),
        effect=effect,
    )


ORDER = {EffectVerdict.HELPS: 0, EffectVerdict.HURTS: 1, EffectVerdict.NONE: 2}


def _sentence(assets: list[AssetEffect]) -> str:
    if not assets:
        return "No asset of the library has been adopted yet."
    by = {verdict: [one for one in assets if one.verdict is verdict] for verdict in EffectVerdict}
    parts = []
    for verdict in (EffectVerdict.HELPS, EffectVerdict.HURTS):
        if some := by[verdict]:
            names = f" ({some[0].title})" if len(some) == 1 else ""
            parts.append(f"{len(some)} {_do(len(some), verdict)}{names}")
    if not parts:
        return f"{_in_use(assets)}; what that does cannot be said yet."
    if nothing := len(by[EffectVerdict.NONE]):
        parts.append(f"of {nothing} nothing can be said yet")
    return f"{_in_use(assets)}: {', '.join(parts)}."


def _in_use(assets: list[AssetEffect]) -> str:
    return "1 asset is in use" if len(assets) == 1 else f"{len(assets)} assets are in use"


def _do(number: int, verdict: EffectVerdict) -> str:
    verb = "help" if verdict is EffectVerdict.HELPS else "hurt"
    return f"{verb}s" if number == 1 else verb


def _notes(found: Measured) -> Iterator[str]:
    if found.before:
        yield f"Adopted before the start, and with it from the start on: {_cases(found.before)}."
    if found.after:
        yield f"Adopted after the end, and without it all the time: {_cases(found.after)}."
    # Why there is no verdict on the others, their own sentences say.
    yield from notes_of([one for one in found.effects if one.verdict is not EffectVerdict.NONE])


def _cases(number: int) -> str:
    return "1 case" if number == 1 else f"{number:,} cases"


async def _read(asking: Asking) -> LibraryReport:
    return await library(asking.session, asking.moment, asking.cohort)


def _rows(found: LibraryReport) -> Iterator[Row]:
    for one in found.assets:
        low, high = one.time_dependent.ci or (None, None)
        naive_low, naive_high = one.naive.ci or (None, None)
        yield {
            "asset": one.asset,
            "title": one.title,
            "verdict": one.verdict.value,
            "adopters": one.adopters,
            "hazard_ratio": one.time_dependent.hazard_ratio,
            "low": low,
            "high": high,
            "p": one.time_dependent.p,
            "p_adjusted": one.p_adjusted,
            "landmark_hazard_ratio": one.landmark.hazard_ratio,
            "naive_ratio": one.naive.ratio,
            "naive_low": naive_low,
            "naive_high": naive_high,
            "checked": one.checks.checked,
            "unfit": one.checks.unfit,
        }


EXAMPLE: Example = {
    "report": "library",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "1 asset is in use: 1 helps (Sort what comes in by urgency).",
    "cases": 520,
    "assets": [
        {
            "asset": "sort-by-urgency",
            "title": "Sort what comes in by urgency",
            "adopters": 140,
            "naive": {"ratio": 0.82, "ci": [0.66, 1.02]},
            "time_dependent": {"hazard_ratio": 1.62, "ci": [1.31, 2.0], "p": 0.00001},
            "mantel_byar": {"observed": 121.0, "expected": 92.4, "chi2": 20.1, "p": 0.00001},
            "landmark": {"day": 30.0, "hazard_ratio": 1.4, "ci": [1.05, 1.87]},
            "p_adjusted": 0.00001,
            "verdict": "helps",
            "sentence": "sort-by-urgency helps: on any day a case with it is 1.62 times as likely "
            "to reach production as one without (95% between 1.31 and 2.00).",
            "checks": {
                "opened": 40,
                "drawn": 5,
                "checked": 4,
                "unfit": 1,
                "share": 0.25,
                "ci": [0.0456, 0.6994],
            },
        }
    ],
    "offers": [
        {
            "number": 3,
            "title": "An hour with the evaluation team",
            "kind": "clinic",
            "offered": 30,
            "taken": 6,
            "given": 5,
            "declined": 4,
            "by_tier": [{"tier": "medium", "offered": 30, "taken": 6, "given": 5, "declined": 4}],
            "effect": {
                "adopters": 6,
                "naive": {"ratio": 0.9, "ci": [0.6, 1.35]},
                "time_dependent": {"hazard_ratio": 1.2, "ci": [0.7, 2.06], "p": 0.51},
                "mantel_byar": {"observed": 5.0, "expected": 4.2, "chi2": 0.2, "p": 0.65},
                "landmark": {"day": 30.0, "hazard_ratio": 1.1, "ci": [0.6, 2.0]},
                "p_adjusted": 0.51,
                "verdict": "no verdict",
                "sentence": "An hour with the evaluation team: no verdict, as 6 cases adopted it, "
                "and 8 are needed.",
            },
        }
    ],
    "read": 150,
    "accepted": 150,
    "rejected": 0,
    "notes": [],
}
REPORT = Registered(
    name="library",
    asks="What does each asset of the library do to time-to-production?",
    result=LibraryReport,
    read=_read,
    rows=_rows,
    example=EXAMPLE,
    compares=True,
)
