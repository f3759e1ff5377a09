"""How use cases of the sample organisation go through a pathway: acts, one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import numpy as np

from demo.people import Cast
from demo.sayings import DECLINED, PARKED, QUESTIONS, REFERRED, RETURNED, SENT_BACK, WITHDRAWN
from service.domain.commands import Command
from service.domain.pathway import APPROVED_PATTERN, Pathway, Stage, StageKind
from service.domain.people import ENABLEMENT, Actor, Person

T = TypeVar("T")

DAY = timedelta(days=1)
SPREAD = 0.5
"""Of a stay: the standard deviation of its logarithm."""
WAITS = {"evaluate": 0.8, "risk-assessment": 0.9}
"""Median days in the queue of a stage, as a share of its target: where the bottlenecks are."""
WAITS_ELSEWHERE = 0.5
WORKS = 0.3
BUILDS = 0.55
ANSWERS = 2.0
"""Median days until the builder answers."""
REFERRALS = 5.0
ASKED, REFERRED_OUT, AUTOMATIC, SENT, PAUSED = 0.25, 0.12, 0.15, 0.2, 0.06
"""Shares of the stages in which these happen, where they can."""
A_MOMENT = timedelta(minutes=4)
EFFECTIVE = "answer-from-documents"
"""The asset of the library that has an effect (`demo.library`)."""
PATTERN_NUMBER = 2
PATTERN = f"library: {EFFECTIVE}, version {PATTERN_NUMBER}"
"""With which an approved pattern is attached."""
REFERENCE = "https://wiki.sample-mutual.example/evidence/"
ENDS = {
    StageKind.GATE: (Command.DECLINE, 0.035),
    StageKind.HELP: (Command.WITHDRAW, 0.02),
    StageKind.BUILD: (Command.WITHDRAW, 0.05),
}
"""How a use case ends early in a stage of each kind, and the share that does."""


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody does something, so long after the act before."""

    after: timedelta
    who: Actor
    command: Command
    reason: str = ""
    party: str = ""
    evidence_kind: str = ""
    evidence_reference: str = ""

    def later(self, factor: float) -> "Act":
        """The same act after so many times the time."""
        return replace(self, after=self.after * factor)


class Way:
    """One use case's way through a pathway, by the dice of `rng`.

    `pace` multiplies every stay: some use cases are slow everywhere. With `pattern` an approved
    pattern opens the gates that pass with one; without it does so now and then.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        cast: Cast,
        pathway: Pathway,
        owner: Person,
        *,
        pace: float = 1.0,
        pattern: bool = False,
    ) -> None:
        self._pattern = pattern
        self._rng = rng
        self._cast = cast
        self.pathway = pathway
        self._owner = owner.actor
        self._pace = pace

    def whole(self) -> Iterator[Act]:
        """From the first stage to production, or to an early end."""
        for stage in self.pathway.stages:
            command, share = ENDS[stage.kind]
            if self._happens(share):
                yield from self._early_end(stage, command)
                return
            yield from self.through(stage)

    def until(self, key: str) -> Iterator[Act]:
        """Through the stages before this one."""
        for stage in self.pathway.stages:
            if stage.key == key:
                return
            yield from self.through(stage)

    def through(self, stage: Stage) -> Iterator[Act]:
        """From the first moment in a stage to the first in the next, or in production."""
        match stage.kind:
            case StageKind.BUILD:
                yield from self._built(stage)
            case StageKind.HELP:
                holder, acts = self._taken_up(stage)
                yield from acts
                yield self._act(self._work(stage), holder, Command.HAND_OVER)
            case StageKind.GATE:
                yield from self._decided(stage)

    def someone(self, party: str) -> Actor:
        """One of those who may act for a party."""
        return self._pick(self._cast.holders[party]).actor

    def stay(self, days: float) -> timedelta:
        """A stay whose median is so many days."""
        return days * self._pace * float(np.exp(SPREAD * self._rng.normal())) * DAY

    def _built(self, stage: Stage, share: float = 1.0) -> Iterator[Act]:
        last = stage is self.pathway.stages[-1]
        time = self.stay(BUILDS * share * (stage.target / DAY))
        if self._happens(PAUSED):
            yield self._act(time / 2, self._owner, Command.PARK, reason=self._pick(PARKED))
            yield self._act(self.stay(12.0), self._owner, Command.RESUME)
            time /= 2
        for kind in stage.evidence:
            # How it will be measured is said a moment before.
            moment = min(A_MOMENT, time / 2)
            time -= moment
            attach = self._act(time, self._owner, Command.ATTACH)
            yield replace(attach, evidence_kind=kind, evidence_reference=REFERENCE + kind)
            time = moment
        yield self._act(time, self._owner, Command.GO_LIVE if last else Command.HAND_OVER)

    def _decided(self, stage: Stage) -> Iterator[Act]:
        opens = self._pattern and stage.passes_with == (APPROVED_PATTERN,)
        if stage.passes_with and (self._happens(AUTOMATIC) or opens):
            enabler = self.someone(ENABLEMENT)
            yield from self._attached(
                (*stage.evidence, *stage.passes_with), enabler, self._wait(stage) / 4
            )
            return
        build = self._build_before(stage)
        if stage.evidence and build is not None and self._happens(SENT):
            holder, acts = self._taken_up(stage)
            yield from acts
            yield self._act(
                self._work(stage), holder, Command.SEND_BACK, reason=self._pick(SENT_BACK)
            )
            yield from self._built(build, 0.4)
        approved: list[Actor] = []
        while len(approved) < stage.approvers:
            holder, acts = self._taken_up(stage, approved)
            yield from acts
            if not approved:
                yield from self._attached(stage.evidence, holder, self._work(stage) / 2)
            yield self._act(self._work(stage), holder, Command.APPROVE)
            approved.append(holder)

    def _taken_up(self, stage: Stage, but: Sequence[Actor] = ()) -> tuple[Actor, list[Act]]:
        """Who claims it, and what happens until they are at work on it undisturbed."""
        there = [person for person in self._cast.holders[stage.holder] if person.actor not in but]
        holder = self._pick(there).actor
        acts = [self._act(self._wait(stage), holder, Command.CLAIM)]
        if self._happens(ASKED):
            question, answer = self._pick(QUESTIONS)
            acts += [
                self._act(self._work(stage) / 2, holder, Command.ASK, reason=question),
                self._act(self.stay(ANSWERS), self._owner, Command.ANSWER, reason=answer),
            ]
        if stage.holder == ENABLEMENT and self._happens(REFERRED_OUT):
            acts += self.referred(holder, self._pick(sorted(REFERRED)))
        return holder, acts

    def referred(self, holder: Actor, party: str) -> list[Act]:
        """A third party is asked for its view, and gives it."""
        reviewer = self.someone(party)
        return [
            self._act(self.stay(0.5), holder, Command.REFER, REFERRED[party], party=party),
            self._act(self.stay(REFERRALS * 0.7), reviewer, Command.CLAIM),
            self._act(
                self.stay(REFERRALS * 0.3), reviewer, Command.RETURN, reason=self._pick(RETURNED)
            ),
        ]

    def _attached(self, kinds: Sequence[str], enabler: Actor, after: timedelta) -> Iterator[Act]:
        for kind in kinds:
            yield replace(
                self._act(after, enabler, Command.ATTACH),
                evidence_kind=kind,
                evidence_reference=PATTERN if kind == APPROVED_PATTERN else REFERENCE + kind,
            )
            after = A_MOMENT

    def _early_end(self, stage: Stage, command: Command) -> Iterator[Act]:
        if command is Command.DECLINE:
            holder, acts = self._taken_up(stage)
            yield from acts
            yield self._act(self._work(stage), holder, command, reason=self._pick(DECLINED))
        else:
            half = self._work(stage) if stage.kind is StageKind.HELP else self._build_time(stage)
            yield self._act(half / 2, self._owner, command, reason=self._pick(WITHDRAWN))

    def _build_before(self, stage: Stage) -> Stage | None:
        before = self.pathway.stages[: self.pathway.stages.index(stage)]
        builds = [one for one in before if one.kind is StageKind.BUILD]
        return builds[-1] if builds else None

    def _build_time(self, stage: Stage) -> timedelta:
        return self.stay(BUILDS * (stage.target / DAY))

    def _wait(self, stage: Stage) -> timedelta:
        share = WAITS.get(stage.key, WAITS_ELSEWHERE)
        return self.stay(share * (stage.target / DAY) / stage.approvers)

    def _work(self, stage: Stage) -> timedelta:
        return self.stay(WORKS * (stage.target / DAY) / stage.approvers)

    def _act(
        self, after: timedelta, who: Actor, command: Command, reason: str = "", party: str = ""
    ) -> Act:
        return Act(after, who, command, reason, party)

    def _happens(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def _pick(self, among: Sequence[T]) -> T:
        return among[int(self._rng.integers(len(among)))]
