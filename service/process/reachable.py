"""Whether any answers at all lead into a tier, and meet conditions on the way."""

from collections.abc import Iterable, Mapping

from service.process.document import Answer, Answers, Process, Question, holds

MOST_STEPS = 50_000
"""Answers that are tried for one process. What is not found out by then is not known, and nothing
is said about it: there is no quick way for every set of rules."""


class Answerable:
    """What can be answered under a process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._questions = {question.key: question for question in process.questions}
        self._left = MOST_STEPS

    def tier(self, key: str, only_if: Answers | None = None) -> bool | None:
        """Whether some answers lead to this tier and meet these conditions; None: not known."""
        process = self._process
        ranks = {tier.key: rank for rank, tier in enumerate(process.tiers)}
        higher = [rule.when for rule in process.rules if ranks[rule.tier] > ranks[key]]
        own: list[Answers] = [rule.when for rule in process.rules if rule.tier == key]
        if ranks[key] == 0:
            own = [{}]
        found = [self._there_are({**(only_if or {})}, when, higher) for when in own]
        if any(found):
            return True
        return None if None in found else False

    def _there_are(
        self, first: dict[str, Answer], second: Answers, never: Iterable[Answers]
    ) -> bool | None:
        """Whether some answers meet both conditions and none of those in `never`."""
        if any(first.get(key, value) != value for key, value in second.items()):
            return False
        wanted = {**first, **second}
        forbidden = [when for when in never if when]
        asked = set(wanted).union(*forbidden)
        while more := {
            key for one in asked for key in self._questions[one].only_if if key not in asked
        }:
            asked |= more
        order = [question for question in self._process.questions if question.key in asked]
        return self._search(order, 0, {}, wanted, forbidden)

    def _search(
        self,
        order: list[Question],
        place: int,
        given: dict[str, Answer],
        wanted: Mapping[str, Answer],
        forbidden: list[Answers],
    ) -> bool | None:
        self._left -= 1
        if self._left < 0:
            return None
        if any(holds(when, given) for when in forbidden):
            return False
        if place == len(order):
            return holds(wanted, given)
        question = order[place]
        if not holds(question.only_if, given):
            if question.key in wanted:
                return False
            return self._search(order, place + 1, given, wanted, forbidden)
        possible = (
            (wanted[question.key],) if question.key in wanted else self._likely(question, forbidden)
        )
        unknown = False
        for answer in possible:
            found = self._search(
                order, place + 1, {**given, question.key: answer}, wanted, forbidden
            )
            if found:
                return True
            unknown |= found is None
        return None if unknown else False

    def _likely(self, question: Question, forbidden: list[Answers]) -> list[Answer]:
        """Its answers, first those that fewest conditions ask for."""
        asked = [when[question.key] for when in forbidden if question.key in when]
        return sorted(question.answers, key=lambda answer: (asked.count(answer), str(answer)))
