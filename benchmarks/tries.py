"""Does the interval of a try hold where behaviour does not change?

    python -m benchmarks.tries [RUNS] [CASES]

Organisations are simulated whose stays are known: a draft drops the triage of the middle tier, and
gives a third party a new gate in front of its launch. What that does to the restricted mean is
computed from very many cases that go through the draft's own stages, and the interval has to hold
it.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from service.domain.case import Case, Outcome
from service.domain.standing import Mode
from service.domain.trace import Step, TracedCase
from service.measure.replay import tiers_of
from service.measure.survival import Floats
from service.measure.traces import Traces, of
from service.process.checking import check
from service.process.document import Process, as_toml
from service.process.in_force import process
from service.tries.redone import Kept
from service.tries.result import Past, Tried, try_process

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
FOLLOWED = 150.0
"""Days between the first start and the end of the record."""
SPREAD = 0.7
TRUTH = 40_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stay: whose, its median days, and of those waited."""

    stage: str
    holder: str
    median: float
    waits: bool


MEDIUM = (
    Stretch("triage", "enablement", 4.0, True),
    Stretch("build", "builder", 20.0, False),
    Stretch("evaluate", "enablement", 6.0, True),
    Stretch("launch", "builder", 4.0, False),
)
HIGH = (
    Stretch("triage", "enablement", 4.0, True),
    Stretch("risk-assessment", "risk", 12.0, True),
    Stretch("build", "builder", 30.0, False),
    Stretch("evaluate", "enablement", 8.0, True),
    Stretch("launch", "builder", 6.0, False),
)
WAYS = {"medium": MEDIUM, "high": HIGH}


def draft() -> Process:
    """The shipped process without the triage of the middle tier, and there with a gate of risk's
    in front of the launch."""
    text = as_toml(process())
    at = text.index('key = "standard"')
    triage = text.index("[[pathways.stages]]", at)
    text = text[:triage] + text[text.index("[[pathways.stages]]", triage + 1) :]
    launch = text.index('key = "launch"\n', at)
    begin = text.rindex("[[pathways.stages]]", 0, launch)
    gate = (
        '[[pathways.stages]]\nkey = "risk-look"\ntitle = "A look by risk"\nkind = "gate"\n'
        'holder = "risk"\ntarget_days = 5\n\n'
    )
    checked = check((text[:begin] + gate + text[begin:]).encode())
    if checked.process is None:
        raise AssertionError(checked.findings)
    return checked.process


def _stays(rng: np.random.Generator, way: tuple[Stretch, ...], cases: int) -> Floats:
    medians = np.array([one.median for one in way])
    drawn: Floats = medians * np.exp(SPREAD * rng.normal(size=(cases, medians.size)))
    return drawn


def simulate(rng: np.random.Generator, cases: int) -> Past:
    """An organisation's record as it is: some cases are open yet, and one in ten is withdrawn while
    it is built."""
    as_of = FIRST_DAY + timedelta(days=FOLLOWED)
    traced, kept = [], []
    for number in range(cases):
        tier = "medium" if rng.random() < 0.6 else "high"
        way = WAYS[tier]
        stays = _stays(rng, way, 1)[0]
        start = FIRST_DAY + timedelta(days=float(rng.uniform(0.0, 0.8 * FOLLOWED)))
        edges = np.concatenate([[0.0], np.cumsum(stays)])
        ended, outcome = float(edges[-1]), Outcome.PRODUCTION
        if rng.random() < 0.1:
            ended, outcome = float(rng.uniform(0.0, edges[-1])), Outcome.WITHDRAWN
        steps = tuple(
            Step(
                start + timedelta(days=float(at)),
                one.stage,
                one.holder,
                Mode.WAITING if one.waits else Mode.WORKING,
            )
            for at, one in zip(edges, way, strict=False)
            if at < ended
        )
        end = start + timedelta(days=ended)
        traced.append(
            TracedCase(Case(str(number), "intake", tier, "Unit", start, end, outcome), steps)
        )
        risky = {"personal_data": True, "affects_people": tier == "high"}
        kept.append(Kept({**risky, "autonomy": "suggests"}))
    traces = of(_as_known(traced, as_of), as_of)
    return Past(traces, kept, [one.case.case_id for one in traced], "intake")


def _as_known(traced: list[TracedCase], as_of: datetime) -> list[TracedCase]:
    """Without what comes later: a case that has not ended by then is open."""
    return [
        one
        if one.case.ended_at is not None and one.case.ended_at <= as_of
        else TracedCase(
            Case(
                one.case.case_id,
                one.case.cohort,
                one.case.tier,
                one.case.business_unit,
                one.case.started_at,
                None,
                Outcome.OPEN,
            ),
            tuple(step for step in one.steps if step.at <= as_of),
        )
        for one in traced
    ]


@dataclass(frozen=True, slots=True)
class Truth:
    """Days to production of very many cases, as it was and under the draft, by tier."""

    was: dict[str, Floats]
    now: dict[str, Floats]

    def change(self, traces: Traces) -> float:
        """By how much the restricted mean changes, with the tau and the mix of these cases."""
        change = 0.0
        for tier in tiers_of(traces):
            was, now = (np.minimum(of[tier.name], tier.tau).mean() for of in (self.was, self.now))
            change += tier.weight * float(now - was)
        return change


def truth(rng: np.random.Generator) -> Truth:
    """What really changes."""
    medium, high = (_stays(rng, way, TRUTH) for way in (MEDIUM, HIGH))
    look = _stays(rng, HIGH, TRUTH)[:, 1]
    return Truth(
        {"medium": medium.sum(axis=1), "high": high.sum(axis=1)},
        {"medium": medium[:, 1:].sum(axis=1) + look, "high": high.sum(axis=1)},
    )


def runs(seed: int, number: int, cases: int) -> list[tuple[Tried, float]]:
    """So many organisations, each with what was said and what is true."""
    rng = np.random.default_rng(seed)
    really, after = truth(rng), draft()
    found = []
    for _ in range(number):
        past = simulate(rng, cases)
        found.append((try_process(process(), after, past), really.change(past.traces)))
    return found


def held(found: list[tuple[Tried, float]]) -> float:
    """In which part of them the interval holds what is true."""
    inside = []
    for tried, change in found:
        if tried.whole.time is None:
            raise AssertionError("nothing was said")
        low, high = tried.whole.time.change_interval
        inside.append(low is not None and high is not None and low <= change <= high)
    return sum(inside) / len(inside)


def main(number: int = 200, cases: int = 120) -> None:
    """Print how often the interval holds."""
    found = runs(1, number, cases)
    said = [tried.whole.time.change for tried, _ in found if tried.whole.time]
    true = [change for _, change in found]
    print(f"{number} organisations of {cases} cases: the 95% interval holds in {held(found):.1%}")
    print(f"said on average {np.mean(said):+.2f} days, true {np.mean(true):+.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
