"""Which sentence stands above a verdict: always that of the figures below it.

The page, the API, the command and the pictures take it from here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.cohort import INTAKE, Cohort
from service.domain.durations import duration
from service.domain.naming import plain
from service.errors import BadInput
from service.facts.as_of import Moment
from service.measure.tiers import Direction
from service.reports.comparison import (
    Comparison,
    LiveFigures,
    LockedVerdict,
    OfficialVerdict,
    OwnEstimates,
)
from service.reports.sentences import Judged, locked_sentence, verdict_sentence

BY_EVIDENCE = (
    "cohorts by evidence are not compared: a case has its evidence only from some day on, and all "
    "the time until then would count as time in which it could not yet have been fast or slow "
    "(immortal time bias). What an asset does from its adoption on says the report library, or "
    "headway adoption for a file. The other reports can be asked by evidence"
)
PICKED_ON_THE_WAY = (
    "These cases are picked by what they got on their way: whoever ended early had no time to get "
    "it, so that no figure here says what it does. From its adoption on, the report library does."
)
"""Said with every report of a cohort by evidence."""
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


@dataclass(frozen=True, slots=True)
class Headline:
    """The sentence of a verdict's figures, and what has to be said beside it.

    `about` says which part of the cases the figures are of, `official` is the newest locked verdict
    with its own sentence, for the whole question alone.
    """

    sentence: str
    about: str
    official: OfficialVerdict | None


def headline(
    found: Comparison,
    own: OwnEstimates | None,
    quarters: Sequence[LockedVerdict],
    scope: Scope,
    moment: Moment,
) -> Headline:
    """What stands above a verdict. Where its figures are the ones that were locked (the same
    question at the same moment, and nothing else came out), the sentence says so. `quarters` are
    the locked ones, oldest first."""
    about = scope.about
    judged = Judged.of(found)
    sentence = _with_why(verdict_sentence(judged, own), judged)
    official = None
    if quarters and scope.is_whole:
        newest = quarters[-1]
        locked = judged_in(newest)
        said = _with_why(locked_sentence(newest.quarter, locked), locked)
        official = OfficialVerdict(quarter=newest.quarter, as_of=newest.as_of, sentence=said)
        if was_locked(newest, moment) and _same(newest, found):
            sentence = said
    return Headline(f"{_capital(about)}: {sentence}" if about else sentence, about, official)


def judged_in(quarter: LockedVerdict) -> Judged:
    """The verdict of a locked quarter, by the version of the rule that it was locked by."""
    return Judged.kept(quarter.as_json())


def was_locked(quarter: LockedVerdict, moment: Moment) -> bool:
    """Whether a quarter was locked as of this very moment."""
    return quarter.as_of == moment.at.isoformat()


def single_look(verdict: Direction, live: LiveFigures) -> str:
    """What has to be said of a verdict between two locked ones, which may be looked at on any day:
    empty, if the interval that allows for that says the same."""
    if verdict is Direction.INCONCLUSIVE or live.verdict is verdict:
        return ""
    said = "This interval is for one look, on a day chosen beforehand"
    if live.waiting_for:
        return f"{said}. One for any day needs {live.waiting_for}."
    if live.ci is None:
        return f"{said}."
    low, high = live.ci
    return f"{said}. One that may be looked at on any day goes from {low:.2f} to {high:.2f}."


def why_none(found: Judged) -> str:
    """Why there is no verdict although the interval lies on one side of 1; empty, where there is
    one, or where the interval says why."""
    if found.verdict is not Direction.INCONCLUSIVE or not found.on_one_side:
        return ""
    return "; ".join(REASONS.get(code, plain(code)) for code in found.why)


def _with_why(sentence: str, found: Judged) -> str:
    why = "" if found.rule >= THE_RULE else why_none(found)
    return f"{sentence} No verdict: {why}." if why else sentence


def _same(quarter: LockedVerdict, found: Comparison) -> bool:
    return (quarter.ratio, quarter.ci, quarter.verdict) == (found.ratio, found.ci, found.verdict)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
