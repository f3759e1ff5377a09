"""The process as a document: what its file says and what its JSON says are the same."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StrictBool, StrictStr
from pydantic import StringConstraints as Text

from service.domain.pathway import StageKind

Answer = StrictBool | StrictStr
Answers = Mapping[str, Answer]
"""What was answered, by the key of the question."""

Key = Annotated[str, Text(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
Short = Annotated[str, Text(min_length=1, max_length=200)]
Long = Annotated[str, Text(min_length=1, max_length=1000)]
Days = Annotated[FiniteFloat, Field(strict=True, gt=0, le=3650)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
When = dict[Key, Answer]
NOTHING_RAISES_THE_RISK = "nothing in the answers raises the risk"

MOST = {
    "tiers": 6,
    "parties": 30,
    "questions": 60,
    "rules": 200,
    "pathways": 12,
    "stages": 40,
    "choices": 20,
}
"""How many of each there may be: of stages in a pathway, of choices in a question."""


class Part(BaseModel):
    """Of the document: it cannot be changed, and a key that it does not have is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProcessTier(Part):
    """How much can go wrong. It has a pathway, or it says why such use cases are refused."""

    key: Key
    title: Short
    means: Long = Field(description="What it stands for, in words")
    pathway: Key | None = Field(default=None, description="Key of the pathway that it takes")
    refused: Long | None = Field(
        default=None, description="Why a use case of this tier is refused when it is handed in"
    )


class Party(Part):
    """A third party that can hold stages, beside the builder and enablement."""

    key: Key
    title: Short


class QuestionKind(StrEnum):
    """How a question is answered."""

    YES_NO = "yes_no"
    CHOICE = "choice"


class Choice(Part):
    """One of the answers to choose from."""

    key: Key
    title: Short


class Question(Part):
    """What whoever hands in a use case is asked about its risk."""

    key: Key
    asks: Long
    title: Short = Field(description="The same in two or three words, for lists")
    kind: QuestionKind
    choices: tuple[Choice, ...] = Field(default=(), max_length=MOST["choices"])
    only_if: When = Field(default={}, description="Earlier answers without which it is not asked")

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All that can be answered."""
        if self.kind is QuestionKind.YES_NO:
            return (False, True)
        return tuple(choice.key for choice in self.choices)

    def said(self, answer: str) -> str:
        """A choice in words; KeyError where there is none of that key."""
        return {choice.key: choice.title for choice in self.choices}[answer]


class ProcessRule(Part):
    """When every named answer has the given value, the use case is at least in the tier."""

    tier: Key
    when: When
    reason: Long


class ProcessStage(Part):
    """One step of a pathway. `service.domain.pathway.Stage` says what each key means."""

    key: Key
    title: Short
    kind: StageKind
    holder: Key
    target_days: Days
    approvers: Annotated[int, Field(strict=True, ge=1, le=10)] = 1
    evidence: tuple[Key, ...] = Field(default=(), max_length=20)
    certification: Key | None = None
    passes_with: tuple[Key, ...] = Field(default=(), max_length=20)
    only_if: When = Field(default={}, description="Answers without which it is left out")


class ProcessPathway(Part):
    """Stages in order, at one version: a running case keeps the version that it began with."""

    key: Key
    version: Count
    title: Short
    answer_target_days: Days
    referral_target_days: Days
    stages: tuple[ProcessStage, ...] = Field(min_length=1, max_length=MOST["stages"])

    def stages_for(self, answers: Answers) -> tuple[ProcessStage, ...]:
        """Those that a use case with these answers goes through. What is not answered is not so."""
        return tuple(stage for stage in self.stages if holds(stage.only_if, answers))


@dataclass(frozen=True, slots=True)
class Tiered:
    """The key of a tier with the reasons for it."""

    tier: str
    reasons: tuple[str, ...]


class Process(Part):
    """Which tiers there are, what decides them, and the way of each. Tiers stand in order, the
    lowest first."""

    version: Count
    title: Short
    tiers: tuple[ProcessTier, ...] = Field(min_length=2, max_length=MOST["tiers"])
    parties: tuple[Party, ...] = Field(default=(), max_length=MOST["parties"])
    questions: tuple[Question, ...] = Field(min_length=1, max_length=MOST["questions"])
    rules: tuple[ProcessRule, ...] = Field(default=(), max_length=MOST["rules"])
    pathways: tuple[ProcessPathway, ...] = Field(min_length=1, max_length=MOST["pathways"])

    @property
    def yes_no_questions(self) -> tuple[str, ...]:
        """The keys of the questions that are answered with yes or no."""
        return tuple(one.key for one in self.questions if one.kind is QuestionKind.YES_NO)

    def tier(self, key: str) -> ProcessTier | None:
        """The tier of that key; None when there is none."""
        return next((tier for tier in self.tiers if tier.key == key), None)

    def pathway_of(self, tier: str) -> ProcessPathway | None:
        """The pathway that a tier takes; None where there is no such tier, or it is refused."""
        found = self.tier(tier)
        key = found.pathway if found is not None else None
        return next((pathway for pathway in self.pathways if pathway.key == key), None)

    def tier_of(self, answers: Answers) -> Tiered:
        """The highest tier among the rules that hold, with the reasons of the rules at that tier.
        A rule about something that was not answered does not hold."""
        ranks = {tier.key: rank for rank, tier in enumerate(self.tiers)}
        met = [rule for rule in self.rules if holds(rule.when, answers)]
        if not met:
            return Tiered(self.tiers[0].key, (NOTHING_RAISES_THE_RISK,))
        tier = max((rule.tier for rule in met), key=lambda key: ranks[key])
        return Tiered(tier, tuple(rule.reason for rule in met if rule.tier == tier))

    def asked_of(self, answers: Answers) -> dict[str, Answer]:
        """The answers to what this process asks, as far as it asks it and can be answered so."""
        given: dict[str, Answer] = {}
        for question in self.questions:
            value = answers.get(question.key)
            if value is not None and value in question.answers and holds(question.only_if, given):
                given[question.key] = value
        return given

    def as_json(self) -> dict[str, Any]:
        """The document as JSON-able data, without what is left out in a file too."""
        return self.model_dump(mode="json", exclude_defaults=True)


def holds(when: Answers, answers: Answers) -> bool:
    """Whether every condition is met."""
    return all(answers.get(question) == value for question, value in when.items())


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Process.model_json_schema(),
    }


# Writing it as TOML. The order of keys is that of the document.


def as_toml(process: Process) -> str:
    """The document as a file that reads back as the same."""
    return "\n".join(_table(process.as_json(), "")).lstrip() + "\n"


def _table(entry: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, value in entry.items():
        if not _is_tables(name, value):
            yield f"{name} = {_value(value)}"
    for name, value in entry.items():
        if _is_tables(name, value):
            for one in value:
                yield f"\n[[{path}{name}]]"
                yield from _table(one, f"{path}{name}.")


def _is_tables(name: str, value: object) -> bool:
    """Choices stand in one line; tiers, stages and the like each in a table of their own."""
    there = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    return there and name != "choices"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            return "[\n" + "".join(f"  {_value(one)},\n" for one in value) + "]"
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # A text of TOML in quotes is one of JSON, but for DEL, which JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
