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
    if found["ratio"] is None and found.get("own_estimates"):
        own = found["own_estimates"]
        return f"{_said({**own, 'confidence': 0.95, 'arms': {}})}, {own['label']}."
    return f"{_said(found)}."


def _said(found: Mapping[str, Any]) -> str:
    arms = list(found["arms"])
    intake = (arms[0] if arms else "intake").capitalize()
    baseline = arms[1] if len(arms) > 1 else "what was expected"
    ratio, interval = found["ratio"], found["ci"]
    if ratio is None:
        return f"{intake}: nothing can be said yet about its time-to-production"
    figure = f"{ratio:.2f} of {baseline}"
    if interval is None:
        return f"{intake}: {figure}, and how uncertain this is cannot be told"
    figure += f", {100 * found['confidence']:.4g}% between {interval[0]:.2f} and {interval[1]:.2f}"
    if found["verdict"] == "inconclusive":
        return (
            f"It is not clear yet whether {intake.lower()} compresses or extends "
            f"time-to-production: {figure}"
        )
    return f"{intake} {found['verdict']} time-to-production: {figure}"
