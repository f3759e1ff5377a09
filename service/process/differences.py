"""What changes from one process to another, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, product
from math import prod
from random import Random
from typing import Any, Protocol, TypeVar

from service.process.document import (
    Answer,
    Answers,
    Process,
    ProcessPathway,
    ProcessRule,
    ProcessStage,
    ProcessTier,
    Question,
)

MOST_ANSWERS = 4096
"""Sets of answers that are compared: all there are, or so many drawn."""
SEED = 20_261_128


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


K = TypeVar("K", bound=_Keyed)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is different, at a key of the document."""

    key: str
    says: str


@dataclass(frozen=True, slots=True)
class OtherTier:
    """A use case with these answers would get another tier; `share` of all sets of answers that
    were compared go from the one to the other. `answers` is the example with fewest answers other
    than no, or the first choice."""

    answers: dict[str, Answer]
    before: str
    after: str
    share: float
    says: str


@dataclass(frozen=True, slots=True)
class Differences:
    """All of them. `compared` sets of answers were tried under both; `drawn` where there are too
    many for all."""

    found: tuple[Difference, ...]
    tiers: tuple[OtherTier, ...]
    compared: int
    drawn: bool

    @property
    def sentences(self) -> tuple[str, ...]:
        """In words, one by one; says so where nothing changes."""
        said = (*(one.says for one in self.found), *(one.says for one in self.tiers))
        return said or ("Nothing changes.",)

    def as_json(self) -> dict[str, Any]:
        """As JSON-able data."""
        return asdict(self)


def differences(before: Process, after: Process) -> Differences:
    """What changes from one process to another. Both have been checked."""
    questions, compared, drawn = _answers(before, after)
    return Differences(
        found=tuple(_found(before, after)),
        tiers=tuple(_tiers(before, after, questions)),
        compared=compared,
        drawn=drawn,
    )


def _found(before: Process, after: Process) -> Iterator[Difference]:
    for key, old_tier, new_tier in _pairs(before.tiers, after.tiers):
        yield from _tier(f"tiers.{key}", old_tier, new_tier)
    order = [tier.key for tier in before.tiers if after.tier(tier.key)]
    if order != [tier.key for tier in after.tiers if before.tier(tier.key)]:
        yield Difference("tiers", "The tiers stand in another order.")
    for key, old_party, new_party in _pairs(before.parties, after.parties):
        if old_party is None or new_party is None:
            yield Difference(f"parties.{key}", f"The party {key} is {_new(old_party)}.")
    for key, old_question, new_question in _pairs(before.questions, after.questions):
        yield from _question(f"questions.{key}", old_question, new_question)
    yield from _rules(before.rules, after.rules)
    for key, old_pathway, new_pathway in _pairs(before.pathways, after.pathways):
        yield from _pathway(f"pathways.{key}", old_pathway, new_pathway)


def _pairs(before: Sequence[K], after: Sequence[K]) -> Iterator[tuple[str, K | None, K | None]]:
    """By key: what is gone, what is in both, what is new."""
    old, new = {one.key: one for one in before}, {one.key: one for one in after}
    for key in dict.fromkeys((*old, *new)):
        yield key, old.get(key), new.get(key)


def _new(before: object) -> str:
    return "new" if before is None else "gone"


def _tier(key: str, old: ProcessTier | None, new: ProcessTier | None) -> Iterator[Difference]:
    if old is None or new is None:
        there = old or new
        title = there.title if there else ""
        refused = f": {new.refused}" if new and new.refused else ""
        what = ", and refused" if refused else ""
        yield Difference(key, f"The tier {title} is {_new(old)}{what}{refused}.")
        return
    if old.refused is None and new.refused is not None:
        yield Difference(key, f"The tier {new.title} is refused now: {new.refused}.")
    elif old.pathway != new.pathway:
        was = old.pathway or "refused"
        yield Difference(key, f"The tier {new.title} takes {new.pathway}; it was {was}.")


def _question(key: str, old: Question | None, new: Question | None) -> Iterator[Difference]:
    if old is None or new is None:
        there = old or new
        yield Difference(key, f"A question is {_new(old)}: {there.asks if there else ''}")
        return
    if old.asks != new.asks:
        yield Difference(key, f"A question reads {new.asks} It was: {old.asks}")
    if old.answers != new.answers:
        can_be = ", ".join(map(str, new.answers)).lower()
        yield Difference(key, f"{new.title} is answered otherwise: {can_be}.")
    if old.only_if != new.only_if:
        when = f"only if {_conditions(new.only_if)}" if new.only_if else "always"
        yield Difference(key, f"{new.title} is asked {when}.")


def _rules(before: Sequence[ProcessRule], after: Sequence[ProcessRule]) -> Iterator[Difference]:
    for rules, others, word in ((before, after, "gone"), (after, before, "new")):
        there = [(rule.tier, rule.when) for rule in others]
        for rule in rules:
            if (rule.tier, rule.when) not in there:
                yield Difference(
                    "rules", f"A rule is {word}: {rule.tier} if {_conditions(rule.when)}."
                )


def _conditions(when: Answers) -> str:
    return " and ".join(
        f"{key} is {str(value).lower() if isinstance(value, bool) else value}"
        for key, value in when.items()
    )


def _pathway(
    key: str, old: ProcessPathway | None, new: ProcessPathway | None
) -> Iterator[Difference]:
    if old is None or new is None:
        there = old or new
        yield Difference(key, f"The pathway {there.title if there else ''} is {_new(old)}.")
        return
    for name, of in (("answer", "an answer"), ("referral", "a referral")):
        was, now = (getattr(one, f"{name}_target_days") for one in (old, new))
        if was != now:
            yield Difference(key, f"On {new.title} {of} is due {_longer(was, now)}.")
    for stage, old_stage, new_stage in _pairs(old.stages, new.stages):
        yield from _stage(f"{key}.stages.{stage}", new.title, old_stage, new_stage)
    both = [stage.key for stage in new.stages if stage.key in {one.key for one in old.stages}]
    if both != [stage.key for stage in old.stages if stage.key in both]:
        yield Difference(key, f"On {new.title} the stages stand in another order.")
    if old.version == new.version and old != new:
        yield Difference(
            key, f"{new.title} is changed and still has version {new.version}: give it another."
        )


def _longer(was: float, now: float) -> str:
    return f"{'sooner' if now < was else 'later'}: after {_days(now)}, it was {_days(was)}"


def _days(days: float) -> str:
    return "1 day" if days == 1 else f"{days:g} days"


def _stage(
    key: str, on: str, old: ProcessStage | None, new: ProcessStage | None
) -> Iterator[Difference]:
    if old is None or new is None:
        there = old or new
        if there is not None:
            at = f", held by {there.holder}" if new is not None else ""
            yield Difference(
                key, f"On {on} the {there.kind.value} {there.title} is {_new(old)}{at}."
            )
        return
    yield from (Difference(key, f"{new.title} on {on} {says}.") for says in _changes(old, new))


def _changes(old: ProcessStage, new: ProcessStage) -> Iterator[str]:
    if old.kind is not new.kind:
        yield f"is a {new.kind.value} now, and was a {old.kind.value}"
    if old.holder != new.holder:
        yield f"is held by {new.holder} now, and was by {old.holder}"
    if old.target_days != new.target_days:
        word = "shorter" if new.target_days < old.target_days else "longer"
        yield f"has a {word} target: {_days(new.target_days)}, it was {_days(old.target_days)}"
    if old.approvers != new.approvers:
        yield f"wants {new.approvers} approvers, and wanted {old.approvers}"
    yield from _changed_asking(old, new)
    if old.only_if != new.only_if:
        yield f"is there only if {_conditions(new.only_if)}" if new.only_if else "is always there"


def _changed_asking(old: ProcessStage, new: ProcessStage) -> Iterator[str]:
    """What it asks for, and what lets it pass."""
    if old.passes_with and not new.passes_with:
        yield "cannot pass by itself any more"
    elif old.passes_with != new.passes_with:
        could = "passes by itself now" if old.passes_with else "can now pass by itself"
        yield f"{could}, with {', '.join(new.passes_with)}"
    for kind in new.evidence:
        if kind not in old.evidence:
            yield f"asks for evidence now: {kind}"
    for kind in old.evidence:
        if kind not in new.evidence:
            yield f"does not ask for {kind} any more"
    if old.certification != new.certification:
        yield (
            f"asks that the owner is certified: {new.certification}"
            if new.certification
            else f"does not ask for a certification any more ({old.certification})"
        )


# Who would get another tier.


def _answers(before: Process, after: Process) -> tuple[list[dict[str, Answer]], int, bool]:
    """Sets of answers to the questions of either that a rule of either reads: as under the new
    process, where a question is in both."""
    asked: dict[str, Question] = {one.key: one for one in before.questions}
    asked |= {one.key: one for one in after.questions}
    read = {key for process in (before, after) for rule in process.rules for key in rule.when}
    while more := {key for one in read for key in asked[one].only_if if key not in read}:
        read |= more
    questions = [question for question in asked.values() if question.key in read]
    there = prod(len(question.answers) for question in questions)
    given = _some(questions) if there > MOST_ANSWERS else _all(questions)
    found = list(islice(given, MOST_ANSWERS))
    return found, len(found), there > MOST_ANSWERS


def _all(questions: Sequence[Question]) -> Iterator[dict[str, Answer]]:
    for given in product(*(question.answers for question in questions)):
        yield dict(zip((question.key for question in questions), given, strict=True))


def _some(questions: Sequence[Question]) -> Iterator[dict[str, Answer]]:
    rng = Random(SEED)  # noqa: S311 - a sample, and the same every time
    first = {question.key: question.answers[0] for question in questions}
    yield first
    for question in questions:  # one thing alone is what people look for first
        yield from ({**first, question.key: answer} for answer in question.answers[1:])
    while True:
        yield {question.key: rng.choice(question.answers) for question in questions}


def _tiers(
    before: Process, after: Process, given: Sequence[Mapping[str, Answer]]
) -> Iterator[OtherTier]:
    seen: dict[tuple[str, str], list[dict[str, Answer]]] = {}
    for answers in given:
        was, now = (one.tier_of(one.asked_of(answers)).tier for one in (before, after))
        if was != now:
            seen.setdefault((was, now), []).append(dict(answers))
    order = {tier.key: place for place, tier in enumerate(before.tiers)}
    for (was, now), those in sorted(seen.items(), key=lambda one: (order[one[0][0]], one[0][1])):
        new = {question.key: question for question in (*before.questions, *after.questions)}
        example = min(those, key=lambda answers: _how_much(answers, new))
        said = ", ".join(
            _answered(new[key], value)
            for key, value in example.items()
            if value != new[key].answers[0]
        )
        yield OtherTier(
            answers=example,
            before=was,
            after=now,
            share=len(those) / len(given),
            says=f"A use case with these answers would be {now}, and was {was}: "
            f"{said or 'no to everything'}. So are {len(those) / len(given):.0%} of all that can "
            "be answered.",
        )


def _how_much(answers: Answers, asked: Mapping[str, Question]) -> int:
    """How many are not the first answer that there is: no, or the first choice."""
    return sum(value != asked[key].answers[0] for key, value in answers.items())


def _answered(question: Question, value: Answer) -> str:
    return question.title if isinstance(value, bool) else f"{question.title} ({value})"
