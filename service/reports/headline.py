"""Which sentence stands above a verdict: always that of the figures below it.

The page, the API, the command and the pictures take it from here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.domain.cohort import INTAKE, Cohort
from service.domain.durations import duration
from service.domain.naming import plain
from service.errors import BadInput
from service.facts.as_of import Moment
from service.measure.tiers import Direction
from service.reports.sentences import verdict_sentence

Json = Mapping[str, Any]

BY_EVIDENCE = (
    "cohorts by evidence are not compared: a case has its evidence only from some day on, and all "
    "the time until then would count as time in which it could not yet have been fast or slow "
    "(immortal time bias). The other reports can be asked by evidence"
)
GUARD = (
    "the time not in production, which counts declined and withdrawn cases as never there, does "
    "not show it"
)
REASONS = {
    "information": "there are too few cases to expect enough completions",
    "nothing varies": "nothing varies",
    "interval": "the interval does not exclude 1",
    "guard": GUARD,
    "mix": "more or fewer cases are called risky than before",
    "unit mix": "the business units have other shares than before",
    "tier opposite": "a tier shows the opposite",
    "tau opposite": "over a shorter or a longer time it is the opposite",
    "trend": "it cannot be told from a trend that was there anyway",
}
"""The reasons of a verdict's `why` in words; what is not here says itself."""
THE_RULE = 2
"""From this version of the rule on a verdict's own sentence says why there is none."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question about a verdict leaves out."""

    intake: Cohort
    baseline: Cohort | None
    tier: str | None = None
    unit: str | None = None
    tau_days: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is the question that is locked each quarter: of the whole intake against a
        whole baseline, over the time that the rule takes."""
        whole = (None, Cohort(self.baseline.name) if self.baseline else None)
        asked = (self.tier, self.unit, self.tau_days)
        return (
            self.intake == Cohort(INTAKE) and self.baseline in whole and asked == (None, None, None)
        )

    @property
    def about(self) -> str:
        """The filters in words, empty without any; conditions of a cohort are in its name."""
        words = []
        if self.unit is not None:
            words.append(f"business unit {self.unit}")
        if self.tier is not None:
            words.append(f"tier {self.tier}")
        if self.tau_days is not None:
            words.append(f"first {duration(self.tau_days)}")
        return ", ".join(words)


def refuse_by_evidence(field: str, cohort: Cohort) -> None:
    """`BadInput` for a cohort by evidence, which no comparison can be made of."""
    if cohort.by_evidence:
        raise BadInput(field, BY_EVIDENCE)


def headline(found: Json, scope: Scope, moment: Moment) -> dict[str, Any]:
    """The sentence of a verdict's figures, and what has to be said beside it.

    `sentence` is that of the figures. Where these are the ones that were locked (the same question
    at the same moment, and nothing else came out), it says so. `official` is the newest locked
    verdict with its own sentence, for the whole question alone. `about` says which part the figures
    are of.
    """
    locked: Sequence[Json] = found["locked"]
    newest = locked[-1] if locked and scope.is_whole else None
    sentence = _sentence({**found, "locked": []})
    official = None
    if newest is not None:
        said = _sentence({**found, "locked": [newest]}, of=newest)
        official = {"quarter": newest["quarter"], "as_of": newest["as_of"], "sentence": said}
        if was_locked(newest, moment) and _same(newest, found):
            sentence = said
    about = scope.about
    return {
        "sentence": f"{_capital(about)}: {sentence}" if about else sentence,
        "about": about,
        "official": official,
    }


def was_locked(quarter: Json, moment: Moment) -> bool:
    """Whether a quarter was locked as of this very moment."""
    return str(quarter["as_of"]) == moment.at.isoformat()


def single_look(found: Json) -> str:
    """What has to be said of a verdict between two locked ones, which may be looked at on any day:
    empty, if the interval that allows for that says the same."""
    live = found["live"]
    if found["verdict"] == Direction.INCONCLUSIVE or live["verdict"] == found["verdict"]:
        return ""
    said = "This interval is for one look, on a day chosen beforehand"
    if live["waiting_for"]:
        return f"{said}. One for any day needs {live['waiting_for']}."
    if live["ci"] is None:
        return f"{said}."
    low, high = live["ci"]
    return f"{said}. One that may be looked at on any day goes from {low:.2f} to {high:.2f}."


def why_none(found: Json) -> str:
    """Why there is no verdict although the interval lies on one side of 1; empty, where there is
    one, or where the interval says why."""
    interval = found["ci"]
    one_side = interval is not None and (interval[1] < 1.0 or interval[0] > 1.0)
    if found["verdict"] != Direction.INCONCLUSIVE or not one_side:
        return ""
    codes = found.get("why")
    if codes is None:  # by the first rule it was the guard, always
        return GUARD
    return "; ".join(REASONS.get(code, plain(str(code))) for code in codes)


def _sentence(found: Json, *, of: Json | None = None) -> str:
    said, judged = verdict_sentence(found), of or found
    why = "" if judged.get("rule", 1) >= THE_RULE else why_none(judged)
    return f"{said} No verdict: {why}." if why else said


def _same(quarter: Json, found: Json) -> bool:
    return all(quarter.get(key) == found[key] for key in ("ratio", "ci", "verdict"))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
