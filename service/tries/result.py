"""What a try found, in words and figures."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from service.domain.naming import plain
from service.measure.figures import number
from service.measure.survival import Flags
from service.measure.traces import Traces
from service.process.document import Process
from service.reports.report import Bounds, Day, Figures, Instant, bounds_of
from service.tries.means import Change, Means, means
from service.tries.redone import WHY, Basis, Kept, Redone, Why, redo, stays_of

MOST_UNITS = 30
"""Only the units with the most cases are told apart."""
MOST_KEYS = 20


class TriedChange(Figures):
    """A mean of days per case: before, after, and by how much it would change with the 95% interval
    of that; below 0 it would be shorter."""

    before: float
    after: float
    change: float
    change_interval: Bounds


class TriedLoad(Figures):
    """Stays that a party has of these cases, a week."""

    party: str
    before: float
    after: float


class TriedGroup(Figures):
    """Some of the cases. Times are null where nothing is known."""

    name: str
    cases: int
    another_tier: int = Field(description="Cases that would get another tier")
    time: TriedChange | None = Field(description="To production, restricted to tau")
    gate_tax: TriedChange | None = Field(description="Of it, waiting for enablement")
    parties: tuple[TriedLoad, ...]


class TriedMove(Figures):
    """Cases that would get another tier, and the pathway of it."""

    before: str
    after: str
    pathway: str | None = Field(description="Null: refused, or no such tier")
    cases: int
    use_cases: tuple[str, ...] = Field(description="Ids of the first of them")


class TriedStay(Figures):
    """Recorded stays that would vanish from a stage, with the days that they took in all."""

    stage: str
    why: str = Field(description="gone, by_itself or other_party")
    stays: int
    days: float


class TriedNew(Figures):
    """Stays that would be added in a stage, drawn from so many recorded stays of its party. 0: it
    has none, and the target was taken."""

    stage: str
    party: str
    stays: int
    days: float
    drawn_from: int


class Tried(Figures):
    """Past cases replayed under a process that is not in force."""

    tried: Literal["process"] = "process"
    as_of: Instant
    since: Day | None = Field(description="Only cases that began on this day or later")
    cohort: str
    title: str = Field(description="Of the process that was tried")
    sentence: str = Field(description="A change that lengthens time says so first")
    longer: bool
    cases: int = Field(description="All that were replayed")
    kept_without_answers: int = Field(description="They have no answers and keep their tier")
    kept_by_hand: int = Field(description="Somebody gave them their tier, and they keep it")
    left_out: int = Field(description="Their tier is refused, or there is none of that name")
    moves: tuple[TriedMove, ...]
    vanished: tuple[TriedStay, ...]
    added: tuple[TriedNew, ...]
    whole: TriedGroup
    tiers: tuple[TriedGroup, ...] = Field(description="By the tier that they had")
    units: tuple[TriedGroup, ...]
    notes: tuple[str, ...] = Field(description="What a replay cannot know")

    @property
    def groups(self) -> tuple[TriedGroup, ...]:
        """All of them: the whole, the tiers, the units."""
        return (self.whole, *self.tiers, *self.units)

    def lines(self) -> Iterator[str]:
        """All of it in lines of text, the sentence first."""
        yield self.sentence
        for one in self.moves:
            way = f" (pathway {one.pathway})" if one.pathway else ""
            yield f"- {_cases(one.cases)}: {one.before} to {one.after}{way}"
        for gone in self.vanished:
            stays = f"{_stays(gone.stays)} of {gone.days:.0f} days"
            yield f"- {gone.stage}: {stays} {_VANISH[gone.why]}"
        for new in self.added:
            drawn = f"drawn from {new.drawn_from}" if new.drawn_from else "as long as the target"
            stays = f"{_stays(new.stays)} of {new.days:.0f} days"
            yield f"- {new.stage}: {stays} for {new.party} ({drawn})"
        for group in self.groups:
            if group.time is not None and group.gate_tax is not None:
                yield (
                    f"- {group.name}: {_cases(group.cases)}, {group.another_tier} of another tier; "
                    f"{_said(group.time)} to production, {_said(group.gate_tax)} gate tax"
                )
        for load in self.whole.parties:
            yield f"- {load.party}: {load.after:.1f} stays a week, was {load.before:.1f}"
        yield from self.notes


@dataclass(frozen=True, slots=True)
class Past:
    """Past cases as they are tried: their traces, and what is kept of each beside."""

    traces: Traces
    kept: Sequence[Kept]
    ids: Sequence[str]
    cohort: str
    since: str | None = None
    notes: tuple[str, ...] = ()


def try_process(before: Process, after: Process, past: Past) -> Tried:
    """What past cases would have met under `after`, where `before` was in force. Both have been
    checked."""
    traces = past.traces
    redone = redo(before, after, traces, past.kept)
    groups = list(_groups(traces))
    found = means(traces, redone, [flags for _, _, flags in groups])
    shown = [
        _group(name, traces, redone, flags, mean)
        for (_, name, flags), mean in zip(groups, found, strict=True)
    ]
    kinds = [kind for kind, _, _ in groups]
    whole = shown[0]
    bases = Counter(redone.basis)
    return Tried(
        as_of=traces.cases.as_of.isoformat(),
        since=past.since,
        cohort=past.cohort,
        title=after.title,
        sentence=_sentence(whole),
        longer=whole.time is not None and whole.time.change > 0.0,
        cases=traces.cases.size,
        kept_without_answers=bases[Basis.NO_ANSWERS],
        kept_by_hand=bases[Basis.BY_HAND],
        left_out=bases[Basis.NO_SUCH_TIER] + bases[Basis.REFUSED],
        moves=tuple(_moves(after, traces, redone, past.ids)),
        vanished=tuple(_vanished(traces, redone)),
        added=tuple(_added(redone)),
        whole=whole,
        tiers=tuple(one for one, kind in zip(shown, kinds, strict=True) if kind == "tier"),
        units=tuple(one for one, kind in zip(shown, kinds, strict=True) if kind == "unit"),
        notes=(*past.notes, *_notes(before, after, traces, redone)),
    )


def _groups(traces: Traces) -> Iterator[tuple[str, str, Flags]]:
    yield "all", "all", np.ones(traces.cases.size, dtype=np.bool_)
    for code in np.unique(traces.cases.tier).tolist():
        yield "tier", traces.cases.tiers[code], np.equal(traces.cases.tier, code)
    units = Counter(traces.unit.tolist())
    for code, _ in sorted(units.most_common(MOST_UNITS)):
        if traces.units[code]:
            yield "unit", traces.units[code], np.equal(traces.unit, code)


def _group(
    name: str, traces: Traces, redone: Redone, rows: Flags, found: Means | None
) -> TriedGroup:
    some = rows & redone.counted
    other = [
        tier != traces.cases.tiers[code]
        for tier, code in zip(redone.tier, traces.cases.tier.tolist(), strict=True)
    ]
    weeks = _weeks(traces, rows)
    return TriedGroup(
        name=name,
        cases=int(np.count_nonzero(some)),
        another_tier=int(np.count_nonzero(rows & np.array(other, dtype=np.bool_))),
        time=_change(found.time) if found else None,
        gate_tax=_change(found.gate_tax) if found else None,
        parties=tuple(
            TriedLoad(party=party, before=number(was / weeks), after=number(now / weeks))
            for party, (was, now) in stays_of(redone, traces, some).items()
        ),
    )


def _weeks(traces: Traces, rows: Flags) -> float:
    """From the first of the cases on until the moment: at least one."""
    if not rows.any():
        return 1.0
    end = float((traces.started_days + traces.cases.followed_days)[rows].max())
    return max(1.0, (end - float(traces.started_days[rows].min())) / 7.0)


def _change(found: Change) -> TriedChange:
    return TriedChange(
        before=number(found.before),
        after=number(found.after),
        change=number(found.days),
        change_interval=bounds_of(found.interval),
    )


def _moves(
    after: Process, traces: Traces, redone: Redone, ids: Sequence[str]
) -> Iterator[TriedMove]:
    moved: dict[tuple[str, str], list[str]] = {}
    for case_id, code, tier in zip(ids, traces.cases.tier.tolist(), redone.tier, strict=True):
        was = traces.cases.tiers[code]
        if was != tier:
            moved.setdefault((was, tier), []).append(case_id)
    for (was, tier), those in sorted(moved.items(), key=lambda one: (-len(one[1]), one[0])):
        pathway = after.pathway_of(tier)
        yield TriedMove(
            before=was,
            after=tier,
            pathway=pathway.key if pathway else None,
            cases=len(those),
            use_cases=tuple(those[:MOST_KEYS]),
        )


def _vanished(traces: Traces, redone: Redone) -> Iterator[TriedStay]:
    visits = redone.visits
    took = visits.end_days - visits.begin_days
    for place, why in enumerate(WHY):
        for code in np.unique(visits.stage[redone.why == place]).tolist():
            those = (redone.why == place) & (visits.stage == code) & (took > 0.0)
            if those.any():
                yield TriedStay(
                    stage=traces.stages[code],
                    why=why.value,
                    stays=int(np.count_nonzero(those)),
                    days=number(float(took[those].sum())),
                )


def _added(redone: Redone) -> Iterator[TriedNew]:
    found: dict[tuple[str, str, str], list[float]] = {}
    for one, days in zip(redone.added, redone.days.tolist(), strict=True):
        found.setdefault((one.stage, one.party, one.pool), []).append(days)
    for (stage, party, pool), days in found.items():
        yield TriedNew(
            stage=stage,
            party=party,
            stays=len(days),
            days=number(sum(days)),
            drawn_from=redone.drawn[pool],
        )


def _sentence(whole: TriedGroup) -> str:
    time = whole.time
    if time is None:
        return "Nothing can be said: there is no past case to replay."
    low, high = time.change_interval
    cases = "1 case" if whole.cases == 1 else f"{whole.cases:,} cases"
    over = f"{time.after:.1f} days in place of {time.before:.1f}, over {cases}"
    if time.change == 0.0 and low == high == 0.0:
        return f"Time to production would be the same: {over}."
    word = "Longer" if time.change > 0.0 else "Shorter"
    sure = low is not None and high is not None and (low > 0.0 or high < 0.0)
    doubt = "" if sure else " as far as can be seen, and it may be the other way round"
    return (
        f"{word}{doubt}: time to production would change by {time.change:+.1f} days "
        f"({low:+.1f} to {high:+.1f}), {over}."
    )


ALWAYS = (
    "People are taken to behave as they did. They will not: a queue that is spared a gate gets "
    "shorter for all others too, one that gets more work longer, and neither is simulated here.",
    "A recorded stay is as long as it was, whatever the targets, approvers and certifications say: "
    "what these change cannot be told from the past.",
    "Stages come one after the other, as they did: stages side by side are not tried.",
)


def _notes(before: Process, after: Process, traces: Traces, redone: Redone) -> Iterator[str]:
    yield from ALWAYS
    ends = {stage.key for one in (before, after) for way in one.pathways for stage in way.stages}
    if (redone.why == 0).any():
        yield (
            "What was declined or withdrawn in a stage that is gone counts as it ended: nobody "
            "knows how it would have gone on. A stage is told by its key: one that got another key "
            "is one gone and one new."
        )
    unknown = sorted(set(traces.stages) - ends)
    if unknown:
        named = ", ".join(map(plain, unknown[:5]))
        yield f"Stages of the record that neither process has stay as they were: {named}."
    if redone.unanswered:
        yield (
            f"{_cases(redone.unanswered)} of which a rule asks something that they were not asked: "
            "such a rule counts as not met, and their tier may be higher."
        )
    if redone.new_builds:
        yield "A stage of the builder's that is new is not counted: its work is in the others."
    without = sorted({one.party for one in redone.added if not redone.drawn[one.pool]})
    if without:
        yield (
            f"No stay of {', '.join(map(plain, without))} is recorded: each new one is as long as "
            "its target, which is what is hoped for."
        )
    bases = Counter(redone.basis)
    if bases[Basis.NO_ANSWERS]:
        yield f"{_cases(bases[Basis.NO_ANSWERS])} without risk answers kept their tier."
    if bases[Basis.BY_HAND]:
        yield f"{_cases(bases[Basis.BY_HAND])} whose tier was changed by hand kept that tier."
    if bases[Basis.REFUSED]:
        yield f"{_cases(bases[Basis.REFUSED])} would be refused, and are in no mean."
    if bases[Basis.NO_SUCH_TIER]:
        yield f"{_cases(bases[Basis.NO_SUCH_TIER])} of a tier that is not there are in no mean."


_VANISH = {
    Why.GONE.value: "vanish with the stage",
    Why.BY_ITSELF.value: "pass by themselves",
    Why.OTHER_PARTY.value: "are another party's",
}


def _stays(number_of: int) -> str:
    return "1 stay" if number_of == 1 else f"{number_of:,} stays"


def _said(change: TriedChange) -> str:
    low, high = change.change_interval
    return f"{change.after:.1f} days, was {change.before:.1f} ({low:+.1f} to {high:+.1f})"


def _cases(number_of: int) -> str:
    return "1 case" if number_of == 1 else f"{number_of:,} cases"


def _example(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "cases": 120,
        "another_tier": 14,
        "time": {"before": 41.2, "after": 37.0, "change": -4.2, "change_interval": [-5.6, -2.9]},
        "gate_tax": {"before": 9.8, "after": 6.1, "change": -3.7, "change_interval": [-4.6, -2.8]},
        "parties": [{"party": "enablement", "before": 11.5, "after": 8.2}],
    }


EXAMPLE: dict[str, Any] = {
    "tried": "process",
    "as_of": "2026-11-02T10:00:00+00:00",
    "since": "2026-01-01",
    "cohort": "intake",
    "title": "Without triage",
    "sentence": "Shorter: time to production would change by -4.2 days (-5.6 to -2.9), 37.0 days "
    "in place of 41.2, over 120 cases.",
    "longer": False,
    "cases": 120,
    "kept_without_answers": 0,
    "kept_by_hand": 3,
    "left_out": 0,
    "moves": [
        {
            "before": "medium",
            "after": "low",
            "pathway": "light",
            "cases": 14,
            "use_cases": ["7c0f3f0e-5c0a-4f6e-9d53-3d1d9f3f4c55"],
        }
    ],
    "vanished": [{"stage": "triage", "why": "gone", "stays": 96, "days": 310.5}],
    "added": [{"stage": "legal", "party": "legal", "stays": 80, "days": 412.0, "drawn_from": 35}],
    "whole": _example("all"),
    "tiers": [_example("medium")],
    "units": [_example("Procurement")],
    "notes": [*ALWAYS],
}
