"""What a verdict says, in one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from service.domain.assumption import AssumptionKind
from service.measure.tiers import Direction
from service.reports.comparison import Comparison, OwnEstimates
from service.reports.report import Bounds

THE_INTAKE = "the intake"
A_BASELINE = "a baseline"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a sentence needs of a verdict, by whatever version of the rule it was given.

    `vouched_by` are those who vouch that nothing else changed. `along` and `against` are the tiers
    that count and say the same as the whole, and the opposite.
    """

    rule: int
    verdict: Direction
    as_is: Direction
    why: tuple[str, ...]
    cohort: str
    baseline: str
    ratio: float | None
    ci: Bounds | None
    confidence: float
    vouched_by: tuple[str, ...] = ()
    along: tuple[str, ...] = ()
    against: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: Comparison) -> "Judged":
        """That of a comparison."""
        counted = [one for one in found.strata if one.counted]
        return cls(
            rule=found.rule,
            verdict=found.verdict,
            as_is=found.as_is,
            why=found.why,
            cohort=found.cohort or THE_INTAKE,
            baseline=found.baseline or A_BASELINE,
            ratio=found.ratio,
            ci=found.ci,
            confidence=found.confidence,
            vouched_by=tuple(
                one.by
                for one in found.assumptions
                if one.kind is AssumptionKind.NOTHING_ELSE_CHANGED
            ),
            along=tuple(one.tier for one in counted if not one.opposite),
            against=tuple(one.tier for one in counted if one.opposite),
        )

    @classmethod
    def kept(cls, found: Mapping[str, Any]) -> "Judged":
        """That of a verdict as it was kept when its quarter was locked. The first version of the
        rule did not count itself and knew no assumptions; what it had against a verdict was the
        guard, always."""
        counted = [one for one in found.get("strata") or () if one["counted"]]
        return cls(
            rule=found.get("rule", 1),
            verdict=Direction(found["verdict"]),
            as_is=Direction(found.get("as_is", found["verdict"])),
            why=tuple(found.get("why", ("guard",))),
            cohort=found["cohort"] or THE_INTAKE,
            baseline=found["baseline"] or A_BASELINE,
            ratio=found["ratio"],
            ci=found["ci"],
            confidence=found["confidence"],
            vouched_by=tuple(
                one["by"]
                for one in found.get("assumptions") or ()
                if one["kind"] == AssumptionKind.NOTHING_ELSE_CHANGED
            ),
            along=tuple(one["tier"] for one in counted if not one.get("opposite")),
            against=tuple(one["tier"] for one in counted if one.get("opposite")),
        )

    @property
    def on_one_side(self) -> bool:
        """Whether its interval lies on one side of 1."""
        low, high = self.ci or (None, None)
        return (high is not None and high < 1.0) or (low is not None and low > 1.0)


def verdict_sentence(found: Judged, own: OwnEstimates | None = None) -> str:
    """A verdict in one sentence; without a baseline, what the builders' `own` estimates say."""
    if found.ratio is None and own is not None and own.ratio is not None:
        against = replace(
            found,
            baseline="what was expected",
            verdict=own.verdict,
            ratio=own.ratio,
            ci=own.ci,
            confidence=0.95,
        )
        return f"{_first_rule(against)}, {own.label}."
    return f"{said(found)}."


def locked_sentence(quarter: str, found: Judged) -> str:
    """The verdict of a locked quarter, which is the official one, in one sentence."""
    return f"{said(found)}, locked for {quarter.replace('-', ' ')}."


def said(found: Judged) -> str:
    """A verdict in one sentence without its full stop, by the version of the rule that gave it.

    Whatever would be the intake's doing only if nothing else changed says so in one clause.
    """
    if found.rule == 1 or found.ci is None or found.ratio is None:
        return _first_rule(found)
    low, high = found.ci
    figure = (
        f"{_change(found, found.ratio)} ({found.ratio:.2f}, {100 * found.confidence:.4g}% between "
        f"{low:.2f} and {high:.2f})"
    )
    intake = found.cohort
    if found.verdict is not Direction.INCONCLUSIVE:
        return f"{_capital(intake)} {found.verdict} time-to-production: {figure}, {_given(found)}"
    if found.as_is is not Direction.INCONCLUSIVE:
        return f"{_capital(intake)}: {figure}; that it was the intake cannot be told from a trend"
    why = _why(found, found.ratio)
    return (
        f"It is not clear whether {intake} compresses or extends time-to-production: {figure}"
        + (f"; {why}" if why else "")
    )


def _change(found: Judged, ratio: float) -> str:
    """The ratio as people say it: 24% less time than before."""
    percent = round(100.0 * (ratio - 1.0))
    if percent == 0:
        return f"as much time as {found.baseline}"
    return f"{abs(percent)}% {'more' if percent > 0 else 'less'} time than {found.baseline}"


def _given(found: Judged) -> str:
    """What it rests on that no record can show."""
    if found.vouched_by:
        return f"given that nothing else changed, as {found.vouched_by[0]} recorded"
    return "if nothing else changed than what the baseline's own trend shows"


def _why(found: Judged, ratio: float) -> str:
    """The first reason against a verdict, in words."""
    for code in found.why:
        match code:
            case "information":
                return "too few cases could be through by now"
            case "nothing varies":
                return "the cases do not vary"
            case "interval":
                return ""
            case "guard":
                return "more were declined or withdrawn, which may be why the others were fast"
            case "mix":
                return "without the tiers, which were given differently, it does not show"
            case "unit mix":
                return "inside the business units it does not show"
            case "tier opposite":
                words = ("faster", "slower") if ratio < 1.0 else ("slower", "faster")
                return (
                    f"{words[0]} in {', '.join(found.along)}, "
                    f"{words[1]} in {', '.join(found.against)}"
                )
            case "tau opposite":
                return "over a shorter or a longer time it is the opposite"
            case "trend":
                continue
            case sign:
                return f"the record leaves something out ({sign})"
    return ""


def _first_rule(found: Judged) -> str:
    intake, ratio = found.cohort, found.ratio
    if ratio is None:
        return f"{_capital(intake)}: nothing can be said yet about its time-to-production"
    figure = f"{ratio:.2f} of {found.baseline}"
    if found.ci is None:
        return f"{_capital(intake)}: {figure}, and how uncertain this is cannot be told"
    low, high = found.ci
    figure += f", {100 * found.confidence:.4g}% between {low:.2f} and {high:.2f}"
    if found.verdict is Direction.INCONCLUSIVE:
        return (
            f"It is not clear yet whether {intake} compresses or extends "
            f"time-to-production: {figure}"
        )
    return f"{_capital(intake)} {found.verdict} time-to-production: {figure}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
