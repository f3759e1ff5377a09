"""What a report says, in one sentence."""

from collections.abc import Mapping
from typing import Any


def verdict_sentence(found: Mapping[str, Any]) -> str:
    """The verdict in one sentence: that of the last locked quarter, which is the official one, or
    that of the day where nothing is locked yet. `found` is the report's JSON."""
    locked = found.get("locked") or []
    if locked:
        quarter = locked[-1]
        return f"{_said(quarter)}, locked for {quarter['quarter'].replace('-', ' ')}."
    own = found.get("own_estimates")
    if found["ratio"] is None and own and own["ratio"] is not None:
        about = {"cohort": found["cohort"], "baseline": "what was expected", "confidence": 0.95}
        return f"{_said({**about, **own})}, {own['label']}."
    return f"{_said(found)}."


def _said(found: Mapping[str, Any]) -> str:
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
