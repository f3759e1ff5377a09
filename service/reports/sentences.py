"""What a verdict says, in one sentence."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def verdict_sentence(found: Json) -> str:
    """The verdict in one sentence: that of the last locked quarter, which is the official one, or
    that of the day where nothing is locked yet. `found` is the report's JSON."""
    locked = found.get("locked") or []
    if locked:
        quarter = locked[-1]
        return f"{said(quarter)}, locked for {quarter['quarter'].replace('-', ' ')}."
    own = found.get("own_estimates")
    if found["ratio"] is None and own and own["ratio"] is not None:
        about = {"cohort": found["cohort"], "baseline": "what was expected", "confidence": 0.95}
        return f"{_first_rule({**about, **own})}, {own['label']}."
    return f"{said(found)}."


def said(found: Json) -> str:
    """A verdict in one sentence without its full stop, by the version of the rule that gave it.

    Whatever would be the intake's doing only if nothing else changed says so in one clause.
    """
    if found.get("rule", 1) == 1 or found["ci"] is None:
        return _first_rule(found)
    intake = str(found["cohort"])
    low, high = found["ci"]
    figure = (
        f"{_change(found)} ({found['ratio']:.2f}, {100 * found['confidence']:.4g}% between "
        f"{low:.2f} and {high:.2f})"
    )
    direction, as_is = found["verdict"], found["as_is"]
    if direction != "inconclusive":
        return f"{_capital(intake)} {direction} time-to-production: {figure}, {_given(found)}"
    if as_is != "inconclusive":
        return f"{_capital(intake)}: {figure}; that it was the intake cannot be told from a trend"
    why = _why(found)
    return (
        f"It is not clear whether {intake} compresses or extends time-to-production: {figure}"
        + (f"; {why}" if why else "")
    )


def _change(found: Json) -> str:
    """The ratio as people say it: 24% less time than before."""
    percent = round(100.0 * (found["ratio"] - 1.0))
    if percent == 0:
        return f"as much time as {found['baseline']}"
    return f"{abs(percent)}% {'more' if percent > 0 else 'less'} time than {found['baseline']}"


def _given(found: Json) -> str:
    """What it rests on that no record can show."""
    vouched = [
        assumption["by"]
        for assumption in found["assumptions"]
        if assumption["kind"] == "nothing_else_changed"
    ]
    if vouched:
        return f"given that nothing else changed, as {vouched[0]} recorded"
    return "if nothing else changed than what the baseline's own trend shows"


def _why(found: Json) -> str:
    """The first reason against a verdict, in words."""
    for code in found["why"]:
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
                return _opposite(found)
            case "tau opposite":
                return "over a shorter or a longer time it is the opposite"
            case "trend":
                continue
            case sign:
                return f"the record leaves something out ({sign})"
    return ""


def _opposite(found: Json) -> str:
    ratio = found["ratio"]
    words = ("faster", "slower") if ratio < 1.0 else ("slower", "faster")
    tiers = [stratum for stratum in found["strata"] if stratum["counted"]]
    own = [stratum["tier"] for stratum in tiers if not stratum["opposite"]]
    other = [stratum["tier"] for stratum in tiers if stratum["opposite"]]
    return f"{words[0]} in {', '.join(own)}, {words[1]} in {', '.join(other)}"


def _first_rule(found: Json) -> str:
    intake, baseline = str(found["cohort"] or "the intake"), found["baseline"] or "a baseline"
    ratio, interval = found["ratio"], found["ci"]
    if ratio is None:
        return f"{_capital(intake)}: nothing can be said yet about its time-to-production"
    figure = f"{ratio:.2f} of {baseline}"
    if interval is None:
        return f"{_capital(intake)}: {figure}, and how uncertain this is cannot be told"
    figure += f", {100 * found['confidence']:.4g}% between {interval[0]:.2f} and {interval[1]:.2f}"
    if found["verdict"] == "inconclusive":
        return (
            f"It is not clear yet whether {intake} compresses or extends "
            f"time-to-production: {figure}"
        )
    return f"{_capital(intake)} {found['verdict']} time-to-production: {figure}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
