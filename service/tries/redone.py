"""Past cases under another process: which stays fall away, which are added, and where."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from math import inf

import numpy as np

from service.domain.pathway import StageKind
from service.domain.people import BUILDER
from service.measure.cases import PRODUCTION, Codes
from service.measure.stages import QUEUE, Visits, visits_of
from service.measure.survival import Flags, Floats
from service.measure.traces import Traces
from service.process.document import Answer, Process, ProcessStage

SEED = 20_261_129


@dataclass(frozen=True, slots=True)
class Kept:
    """What the record keeps of a case beside its steps: the risk answers (None of an imported one)
    and what enablement attested, each kind with the age of the case in days."""

    answers: Mapping[str, Answer] | None = None
    attested: tuple[tuple[float, str], ...] = ()

    def between(self, after: float, until: float) -> set[str]:
        """What was attested after one age and until another. A gate to which a case comes again
        asks again: what was attested before it left it says nothing any more."""
        return {kind for age, kind in self.attested if after < age <= until}


class Basis(StrEnum):
    """What the tier of a case rests on."""

    ANSWERS = "answers"
    BY_HAND = "by_hand"
    """Somebody gave it another tier than its answers do: it keeps that."""
    NO_ANSWERS = "no_answers"
    """It keeps its own."""
    NO_SUCH_TIER = "no_such_tier"
    """It has a tier that the other process has not: it is left out."""
    REFUSED = "refused"
    """Its tier is refused in the other process: it is left out."""


class Why(StrEnum):
    """Why a recorded stay falls away."""

    GONE = "gone"
    """There is no such stage on the case's way."""
    BY_ITSELF = "by_itself"
    """What lets the gate pass had been attested before."""
    OTHER_PARTY = "other_party"
    """Another party has the stage: its stay comes in the place of this one."""


@dataclass(frozen=True, slots=True)
class Added:
    """A stay that is not in the record: of a case (its row), when it is `at_days` old."""

    case: int
    stage: str
    party: str
    kind: StageKind
    at_days: float
    target_days: float

    @property
    def pool(self) -> str:
        """Which recorded stays it is drawn from."""
        return f"{self.party} {self.kind}"


@dataclass(frozen=True)
class Redone:
    """All cases under another process.

    Of each case (rows of the traces): `tier` it would have, `basis` of that, and whether it is
    `counted`. `why` says of each of the `visits` whether it falls away (places in `WHY`, -1: it
    stays) and `party` who has it. `added` are in the order of the cases, `days` and `queue_days`
    along with them: as long as some recorded stay of the party, `drawn` says out of how many
    (0: there is none, and its target is taken). `pools` are the visits that were drawn from.
    """

    tier: tuple[str, ...]
    basis: tuple[Basis, ...]
    counted: Flags
    visits: Visits
    visit_of_span: Codes
    why: Codes
    party: Codes
    added: tuple[Added, ...]
    days: Floats
    queue_days: Floats
    drawn: Mapping[str, int]
    pools: Mapping[str, Codes]
    unanswered: int
    """Cases of which a rule asks something that they were not asked."""
    new_builds: int
    """Stages of the builder's that are new on the way of some case, and are not counted."""


WHY = tuple(Why)


def redo(before: Process, after: Process, traces: Traces, kept: Sequence[Kept]) -> Redone:
    """Past cases under `after`, where `before` was in force; `kept` has a row for each case.

    A stage is told by its key: one that is renamed is one gone and one new. What the builder does
    in a stage that is gone stays: it has to be done somewhere. A new stay comes where the case went
    on to a later stage, or at the end of one in production; a case that never came so far has none.
    """
    visits = visits_of(traces)
    begins = np.diff(traces.stage, prepend=-1) != 0
    begins |= traces.first
    visit_of_span: Codes = np.cumsum(begins) - 1
    party = traces.holder[np.flatnonzero(begins)]
    under = [
        _tier(before, after, traces.cases.tiers[code], of)
        for code, of in zip(traces.cases.tier.tolist(), kept, strict=True)
    ]
    left_out = {Basis.NO_SUCH_TIER, Basis.REFUSED}
    why: Codes = np.full(visits.size, -1, dtype=np.int64)
    added: list[Added] = []
    bounds = np.searchsorted(visits.case, np.arange(traces.cases.size + 1))
    new_builds: set[str] = set()
    read = {question for rule in after.rules for question in rule.when}
    unanswered = 0
    for row, (tier, basis) in enumerate(under):
        if basis in left_out:
            continue
        answers = kept[row].answers or {}
        unanswered += basis is Basis.ANSWERS and not read <= after.asked_of(answers).keys()
        was = _way(before, traces.cases.tiers[traces.cases.tier[row]], answers)
        now = _way(after, tier, answers)
        own = range(int(bounds[row]), int(bounds[row + 1]))
        here = [traces.stages[visits.stage[visit]] for visit in own]
        begun: dict[str, float] = {}
        left: dict[str, float] = {}
        for visit, key in zip(own, here, strict=True):
            at = float(visits.begin_days[visit])
            begun.setdefault(key, at)
            attested = kept[row].between(left.get(key, -inf), at)
            found = _falls_away(was.get(key), now.get(key), attested)
            if found is not None:
                why[visit] = WHY.index(found)
            left[key] = float(visits.end_days[visit])
        done = int(traces.cases.outcome[row]) == PRODUCTION
        end = float(traces.cases.duration_days[row]) if done else None
        for stage, at in _new(was, now, begun, end):
            if stage.kind is StageKind.BUILD:
                new_builds.add(stage.key)
            elif not _passes(stage, kept[row].between(-inf, at)):
                added.append(Added(row, stage.key, stage.holder, stage.kind, at, stage.target_days))
    days, queue_days, pools = _drawn(before, traces, visits, party, added)
    return Redone(
        tier=tuple(tier for tier, _ in under),
        basis=tuple(basis for _, basis in under),
        counted=np.array([basis not in left_out for _, basis in under], dtype=np.bool_),
        visits=visits,
        visit_of_span=visit_of_span,
        why=why,
        party=party,
        added=tuple(added),
        days=days,
        queue_days=queue_days,
        drawn={name: pool.size for name, pool in pools.items()},
        pools=pools,
        unanswered=unanswered,
        new_builds=len(new_builds),
    )


def _tier(before: Process, after: Process, tier: str, kept: Kept) -> tuple[str, Basis]:
    """The tier of a case under another process, and what it rests on."""
    if kept.answers is None:
        wanted, basis = tier, Basis.NO_ANSWERS
    elif before.tier_of(before.asked_of(kept.answers)).tier != tier:
        wanted, basis = tier, Basis.BY_HAND
    else:
        wanted, basis = after.tier_of(after.asked_of(kept.answers)).tier, Basis.ANSWERS
    found = after.tier(wanted)
    if found is None:
        return wanted, Basis.NO_SUCH_TIER
    return wanted, Basis.REFUSED if found.refused is not None else basis


def _way(process: Process, tier: str, answers: Mapping[str, Answer]) -> dict[str, ProcessStage]:
    pathway = process.pathway_of(tier)
    stages = pathway.stages_for(process.asked_of(answers)) if pathway is not None else ()
    return {stage.key: stage for stage in stages}


def _falls_away(
    was: ProcessStage | None, now: ProcessStage | None, attested: Set[str]
) -> Why | None:
    """Why a recorded stay in a stage falls away; None where it stays."""
    if was is None or was.kind is StageKind.BUILD:
        return None
    if now is None:
        return Why.GONE
    if now.holder != was.holder:
        return Why.OTHER_PARTY
    asked = (now.passes_with, now.evidence) != (was.passes_with, was.evidence)
    return Why.BY_ITSELF if asked and _passes(now, attested) else None


def _passes(stage: ProcessStage, attested: Set[str]) -> bool:
    """Whether what lets a gate pass by itself had been attested."""
    return bool(stage.passes_with) and attested >= {*stage.passes_with, *stage.evidence}


def _new(
    was: Mapping[str, ProcessStage],
    now: Mapping[str, ProcessStage],
    begun: Mapping[str, float],
    end: float | None,
) -> Iterator[tuple[ProcessStage, float]]:
    """The stages that are new on a case's way, as far as it came, with its age there."""
    order = list(now)
    for place, (key, stage) in enumerate(now.items()):
        there = was.get(key)
        if there is not None and there.holder == stage.holder:
            continue
        if there is not None and key in begun:  # the same stage, held by another party
            yield stage, begun[key]
            continue
        if key in begun:
            continue  # the record has it, whatever the process said
        later = [begun[one] for one in order[place + 1 :] if one in begun]
        if later:
            yield stage, min(later)
        elif end is not None:
            yield stage, end


def _drawn(
    before: Process, traces: Traces, visits: Visits, party: Codes, added: Sequence[Added]
) -> tuple[Floats, Floats, dict[str, Codes]]:
    """How long each added stay is and how much of it is queue; and the visits drawn from.

    The recorded stays of the party, at stages of the same kind if it has any, are dealt out in a
    seeded order, so that each comes up as often as every other. A stay of no time at all passed by
    itself, and says nothing of a gate that waits for somebody.
    """
    kinds = {stage.key: stage.kind for way in before.pathways for stage in way.stages}
    took = visits.end_days - visits.begin_days
    whole = visits.complete & (took > 0.0)
    slots: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(added):
        slots[one.pool].append(number)
    days, queue = np.zeros(len(added)), np.zeros(len(added))
    pools: dict[str, Codes] = {}
    for place, (name, numbers) in enumerate(sorted(slots.items())):
        first = added[numbers[0]]
        theirs = whole & np.array(
            [traces.holders[code] == first.party for code in party.tolist()], dtype=np.bool_
        )
        alike = theirs & np.array(
            [kinds.get(traces.stages[code]) is first.kind for code in visits.stage.tolist()],
            dtype=np.bool_,
        )
        pool: Codes = np.flatnonzero(alike if alike.any() else theirs)
        pools[name] = pool
        if not pool.size:
            days[numbers] = queue[numbers] = [added[number].target_days for number in numbers]
            continue
        rng = np.random.default_rng([SEED, place])
        turns = -(-len(numbers) // pool.size)
        order = np.concatenate([rng.permutation(pool) for _ in range(turns)])[: len(numbers)]
        days[numbers] = took[order]
        queue[numbers] = visits.spent[order, QUEUE]
    return days, queue, pools


def stays_of(redone: Redone, traces: Traces, rows: Flags) -> dict[str, tuple[int, int]]:
    """How many stays each party has of the cases picked by `rows`: as recorded, and redone. A stay
    that took no time passed by itself and is nobody's."""
    visits = redone.visits
    some = rows[visits.case] & (visits.end_days > visits.begin_days)
    names = [traces.holders[code] for code in redone.party.tolist()]
    was = Counter(name for name, there in zip(names, some.tolist(), strict=True) if there)
    stays = some & (redone.why < 0)
    now = Counter(name for name, there in zip(names, stays.tolist(), strict=True) if there)
    now.update(one.party for one in redone.added if rows[one.case])
    return {name: (was[name], now[name]) for name in sorted({*was, *now}) if name not in {BUILDER}}
