"""What is wrong with a process, each with the line and the key: all of it at once."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, TypeGuard

from pydantic import BaseModel, ValidationError

from service.domain.pathway import Stage, StageKind
from service.domain.people import BUILDER, ENABLEMENT, RESERVED_PARTIES
from service.errors import BadInput
from service.process.document import (
    MOST,
    Answers,
    Party,
    Process,
    ProcessPathway,
    ProcessRule,
    ProcessStage,
    ProcessTier,
    Question,
    QuestionKind,
)
from service.process.positions import Path, UnreadableError, positions
from service.process.reachable import Answerable

LARGEST = 1024 * 1024
"""Bytes of a file."""
MOST_FINDINGS = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, on a line (from 1; 0 where there is no file) at a key. One that
    `stops` keeps the process from being used; another is said, and that is all."""

    line: int
    key: str
    says: str
    stops: bool = True

    def __str__(self) -> str:
        line = f"line {self.line}" if self.line else ""
        where = ", ".join(part for part in (line, self.key) if part)
        return f"{where}: {self.says}" if where else self.says


@dataclass(frozen=True, slots=True)
class Checked:
    """A file as it was checked: the process that it says, None where something stops it."""

    process: Process | None
    findings: tuple[Finding, ...]


@dataclass
class BadProcess(BadInput):
    """A file that cannot be used, with all that is wrong with it."""

    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[tuple[str, str], ...]:
        """Each with its line and key in place of a field."""
        return tuple(
            (f"{self.field}, line {one.line}", f"{one.key}: {one.says}") for one in self.findings
        )


def accepted(field: str, content: bytes) -> Process:
    """The process that a file says. `BadProcess` where something stops it."""
    checked = check(content)
    if checked.process is None:
        stops = tuple(one for one in checked.findings if one.stops)
        more = f" (and {len(stops) - 1} more)" if len(stops) > 1 else ""
        raise BadProcess(field, f"{stops[0]}{more}", stops)
    return checked.process


def check(content: bytes) -> Checked:
    """Everything that is wrong with a file of a process, as far as the file alone says it.

    The first pass looks at the keys and what kind of value each has; what they say together is
    looked at where that is right. What needs the people who are there is in
    `service.process.members`.
    """
    try:
        data, lines = _read(content)
    except _WrongError as wrong:
        return Checked(None, (wrong.finding,))
    found = _Found(lines)
    process = _process(data, found)
    if process is not None and not found.findings:
        _Rules(process, found).look()
    findings = found.sorted()
    stopped = process is None or any(finding.stops for finding in findings)
    return Checked(None if stopped else process, findings)


# Reading.


class _WrongError(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.says)
        self.finding = finding


def _read(content: bytes) -> tuple[dict[str, Any], dict[Path, int]]:
    if len(content) > LARGEST:
        raise _WrongError(Finding(0, "", f"the file is larger than {LARGEST // 1024} KB"))
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _WrongError(Finding(line, "", "this is no text in UTF-8")) from None
    try:
        lines = positions(text)
        return tomllib.loads(text), lines
    except UnreadableError as error:
        says = str(error)
        if error.offset is not None:
            says = _not_toml(text[: text.find("\n", error.offset) + 1 or None]) or says
        raise _WrongError(Finding(error.line, "", says)) from None
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        says, line = _without_place(str(error))
        # Of what is missing at the end it names no line.
        raise _WrongError(Finding(line or text.count("\n") + 1, "", says)) from None


def _not_toml(text: str) -> str:
    """What the reader says to the beginning of a file that ends where it cannot be read."""
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return _without_place(str(error))[0]
    return ""


def _without_place(said: str) -> tuple[str, int]:
    """What the reader of TOML says, and the line that it names."""
    words, _, place = said.partition(" (at ")
    number = place.partition("line ")[2].partition(",")[0]
    return f"this is not TOML: {words[:1].lower()}{words[1:200]}", int(number or 0)


class _Found:
    """What was found so far, with the lines of the file."""

    def __init__(self, lines: Mapping[Path, int]) -> None:
        self._lines = lines
        self.findings: list[Finding] = []

    def add(self, path: Path, says: str, *, stops: bool = True) -> None:
        """Something at a place: on its line, or that of what it is in."""
        there = path
        while there and there not in self._lines:
            there = there[:-1]
        line = self._lines.get(there, 1)
        self.findings.append(Finding(line, _dotted(path), says, stops=stops))

    def sorted(self) -> tuple[Finding, ...]:
        """In the order of the file; of very many the first."""
        found = sorted(self.findings, key=lambda finding: (finding.line, finding.key))
        left = len(found) - MOST_FINDINGS
        if left > 0:
            stops = any(finding.stops for finding in found[MOST_FINDINGS:])
            last = Finding(0, "", f"and {left} more, not shown", stops=stops)
            return (*found[:MOST_FINDINGS], last)
        return tuple(found)


def _dotted(path: Path) -> str:
    """`stages[2].title`: numbers count from 1, as people do."""
    said = ""
    for part in path:
        said += f"[{part + 1}]" if isinstance(part, int) else f".{str(part)[:60]}"
    return said.lstrip(".")


def _process(data: dict[str, Any], found: _Found) -> Process | None:
    for path, name, entries in _lists(data):
        if len(entries) > MOST[name]:
            found.add(path, f"{len(entries):,} {name} are more than the {MOST[name]} there may be")
    if found.findings:
        return None
    try:
        return Process.model_validate(data)
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False)[: 10 * MOST_FINDINGS]:
            path = tuple(part for part in one["loc"] if part not in _UNION)
            found.add(path, _in_words(one["type"], path, one["msg"]))
        return None


_UNION = ("bool", "str", "[key]")
"""What is in a place of pydantic's and in none of the file's."""


def _lists(data: Mapping[str, Any]) -> Iterator[tuple[Path, str, Sequence[Any]]]:
    for name in ("tiers", "parties", "questions", "rules", "pathways"):
        entries = data.get(name)
        if not _is_list(entries):
            continue
        yield (name,), name, entries
        inside = {"pathways": "stages", "questions": "choices"}.get(name, "")
        for number, entry in enumerate(entries[: MOST[name]]):
            if isinstance(entry, dict) and _is_list(entry.get(inside)):
                yield (name, number, inside), inside, entry[inside]


def _is_list(entries: object) -> TypeGuard[list[Any]]:
    return isinstance(entries, list)


def _in_words(kind: str, path: Path, said: str) -> str:
    match kind:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            known = _keys_at(path[:-1])
            close = get_close_matches(str(path[-1]), known, n=1)
            meant = f"; did you mean {close[0]}?" if close else ""
            return f"there is no such key{meant}"
        case "string_pattern_mismatch":
            return "a key is small letters, digits, - and _, up to 60 of them, a letter first"
    return said[:1].lower() + said[1:]


def _keys_at(path: Path) -> list[str]:
    """The keys that there may be at a place."""
    model: type[BaseModel] = Process
    inside: dict[str, type[BaseModel]] = {
        "tiers": ProcessTier,
        "parties": Party,
        "questions": Question,
        "rules": ProcessRule,
        "pathways": ProcessPathway,
        "stages": ProcessStage,
    }
    for part in path:
        if isinstance(part, str):
            model = inside.get(part, model)
    return list(model.model_fields)


# What the keys say together.


class _Rules:
    """Looks at a process whose keys are right."""

    def __init__(self, process: Process, found: _Found) -> None:
        self._process, self._found = process, found
        self._questions = {question.key: question for question in process.questions}
        self._read: set[str] = set()
        """Questions that something reads."""

    def look(self) -> None:
        """Find all of it."""
        process = self._process
        for name in ("tiers", "parties", "questions", "pathways"):
            self._twice((name,), [entry.key for entry in getattr(process, name)])
        for number, party in enumerate(process.parties):
            if party.key in RESERVED_PARTIES:
                self._add(("parties", number, "key"), f"{party.key} is not a third party")
        self._look_at_questions()
        self._look_at_rules()
        self._look_at_tiers()
        for number, pathway in enumerate(process.pathways):
            self._look_at_pathway(("pathways", number), pathway)
        for number, question in enumerate(process.questions):
            if question.key not in self._read:
                self._add(
                    ("questions", number),
                    f"nothing reads the answer to {question.key}: no rule, no condition",
                    stops=False,
                )
        if not any(finding.stops for finding in self._found.findings):
            self._look_what_is_reached()

    def _add(self, path: Path, says: str, *, stops: bool = True) -> None:
        self._found.add(path, says, stops=stops)

    def _twice(self, path: Path, keys: Sequence[str]) -> None:
        counts, seen = Counter(keys), set()
        for number, key in enumerate(keys):
            if counts[key] > 1 and key in seen:
                self._add((*path, number, "key"), f"{key} is there already")
            seen.add(key)

    def _look_at_questions(self) -> None:
        before: set[str] = set()
        for number, question in enumerate(self._process.questions):
            path: Path = ("questions", number)
            choices = len(question.choices)
            if question.kind is QuestionKind.CHOICE and choices < 2:
                self._add(path, f"{question.key} has {choices} choices to choose from")
            if question.kind is QuestionKind.YES_NO and choices:
                self._add((*path, "choices"), f"{question.key} is answered with yes or no")
            self._twice((*path, "choices"), [choice.key for choice in question.choices])
            self._conditions((*path, "only_if"), question.only_if)
            for other in question.only_if:
                if other in self._questions and other not in before:
                    circle = "itself" if other == question.key else f"{other}, which comes later"
                    self._add(
                        (*path, "only_if", other),
                        f"{question.key} is asked after {circle}: only earlier answers are known",
                    )
            before.add(question.key)

    def _look_at_rules(self) -> None:
        tiers = {tier.key for tier in self._process.tiers}
        for number, rule in enumerate(self._process.rules):
            path: Path = ("rules", number)
            if rule.tier not in tiers:
                self._add((*path, "tier"), f"there is no tier {rule.tier}")
            if not rule.when:
                self._add((*path, "when"), "the rule reads no question: it would always hold")
            self._conditions((*path, "when"), rule.when)

    def _conditions(self, path: Path, when: Answers) -> None:
        for key, value in when.items():
            question = self._questions.get(key)
            if question is None:
                close = get_close_matches(key, self._questions, n=1)
                meant = f"; did you mean {close[0]}?" if close else ""
                self._add((*path, key), f"there is no question {key}{meant}")
                continue
            self._read.add(key)
            # In Python 1 is True: alike is what is of the same kind, too.
            if not any(type(one) is type(value) and one == value for one in question.answers):
                can_be = ", ".join(str(one).lower() for one in question.answers)
                self._add((*path, key), f"nobody answers {key} with {value}; they say {can_be}")

    def _look_at_tiers(self) -> None:
        pathways = {pathway.key for pathway in self._process.pathways}
        for number, tier in enumerate(self._process.tiers):
            path: Path = ("tiers", number)
            if (tier.pathway is None) == (tier.refused is None):
                self._add(
                    path,
                    f"the tier {tier.key} has no pathway: give it one, or say why it is refused"
                    if tier.pathway is None
                    else f"the tier {tier.key} is refused, and has a pathway: one of the two",
                )
            elif tier.pathway is not None and tier.pathway not in pathways:
                self._add((*path, "pathway"), f"there is no pathway {tier.pathway}")
        taken = {tier.pathway for tier in self._process.tiers}
        for number, pathway in enumerate(self._process.pathways):
            if pathway.key not in taken:
                self._add(("pathways", number), f"no tier takes the pathway {pathway.key}")

    def _look_at_pathway(self, path: Path, pathway: ProcessPathway) -> None:
        self._twice((*path, "stages"), [stage.key for stage in pathway.stages])
        parties = {party.key for party in self._process.parties} | {BUILDER, ENABLEMENT}
        for number, stage in enumerate(pathway.stages):
            there = (*path, "stages", number)
            self._conditions((*there, "only_if"), stage.only_if)
            for name in ("evidence", "passes_with"):
                kinds: tuple[str, ...] = getattr(stage, name)
                if len(set(kinds)) < len(kinds):
                    self._add((*there, name), "one kind of evidence is there twice")
            if stage.kind is StageKind.GATE and stage.holder == BUILDER:
                self._add(
                    (*there, "holder"),
                    f"at {stage.key} builders would decide alone on their own use cases",
                )
            elif stage.holder not in parties:
                self._add((*there, "holder"), f"there is no party {stage.holder}")
            else:
                try:
                    domain_stage(stage)
                except ValueError as error:
                    self._add(there, str(error).partition(": ")[2])
        last = pathway.stages[-1]
        at_the_end = (*path, "stages", len(pathway.stages) - 1)
        if last.kind is not StageKind.BUILD:
            self._add(at_the_end, "the last stage is the builder's, who goes live")
        if last.only_if:
            self._add((*at_the_end, "only_if"), "the last stage is for everybody: it is the end")

    def _look_what_is_reached(self) -> None:
        process, answerable = self._process, Answerable(self._process)
        for number, tier in enumerate(process.tiers):
            if answerable.tier(tier.key) is False:
                says = "no rule leads to it" if number else "a higher rule always holds"
                if any(rule.tier == tier.key for rule in process.rules):
                    says = "wherever its rules hold, those of a higher tier do too"
                self._add(("tiers", number), f"nothing comes into the tier {tier.key}: {says}")
        for place, pathway in enumerate(process.pathways):
            tiers = [tier.key for tier in process.tiers if tier.pathway == pathway.key]
            for number, stage in enumerate(pathway.stages):
                if stage.only_if and all(
                    answerable.tier(tier, stage.only_if) is False for tier in tiers
                ):
                    self._add(
                        ("pathways", place, "stages", number, "only_if"),
                        f"the stage {stage.key} is never reached: no answers that lead into this "
                        "pathway meet its conditions",
                    )


def domain_stage(stage: ProcessStage) -> Stage:
    """The stage as the lifecycle takes it. ValueError says what it cannot be."""
    return Stage(
        key=stage.key,
        title=stage.title,
        kind=stage.kind,
        holder=stage.holder,
        target=timedelta(days=stage.target_days),
        approvers=stage.approvers,
        evidence=stage.evidence,
        certification=stage.certification,
        passes_with=stage.passes_with,
    )
