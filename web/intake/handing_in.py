"""The form of a new use case: from what was typed to what is handed in, or to what is wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args

from pydantic import ValidationError

from api.intake.bodies import UseCaseBody
from service.domain.certification import NOBODY, Certified
from service.domain.passing import Missing, way_ahead
from service.domain.pathway import Pathway
from service.domain.tiering import Autonomy, RiskAnswers, Tiering
from service.intake.fields import InvestmentCase, Kpi, UseCaseFields
from service.intake.pathways import pathways, tier_of
from service.process.in_force import process
from web.kit.strings import t
from web.kit.typed import in_words, number

QUESTIONS = process().yes_no_questions
"""The risk questions that are answered with yes or no."""
KPI = tuple(f"kpi_{name}" for name in Kpi.model_fields)
DECLARED = {
    **UseCaseFields.model_fields,
    **dict(zip(KPI, Kpi.model_fields.values(), strict=True)),
    **InvestmentCase.model_fields,
}
"""What the page has a field for, beside people and risks."""
IDEA = tuple(name for name, field in UseCaseFields.model_fields.items() if field.annotation is str)
FIELDS = (
    *IDEA,
    *("owner", "co_owners"),
    *KPI,
    *InvestmentCase.model_fields,
    *QUESTIONS,
    "autonomy",
    *(name for name in UseCaseFields.model_fields if name not in IDEA),
)
"""All of them, in the order of the page."""
PATTERN = "pattern"
"""The key of the pattern that it starts from, which the form carries along."""
LONGEST_KEPT = 20_000
"""Characters of a field in a draft: more than the form takes, so that too much can be shortened."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the risk answers lead to, as far as they are given."""

    tiering: Tiering
    pathway: Pathway
    open_questions: int
    missing: tuple[Missing, ...] = ()
    """What the stages will ask for and what is not there on the first day."""

    @property
    def answered(self) -> bool:
        """Whether any question is answered yet."""
        return self.open_questions <= len(QUESTIONS)

    def stage_title(self, key: str) -> str:
        """What a stage is called."""
        return self.pathway.stage(key).title

    @property
    def sum(self) -> timedelta:
        """All the stages' targets together."""
        return sum((stage.target for stage in self.pathway.stages), timedelta(0))


def ahead(
    typed: Mapping[str, str], certified: Certified = NOBODY, owners: tuple[str, ...] = ("",)
) -> Ahead:
    """Tier, reasons and stages for these answers. What is not answered yet counts as no: more
    answers can only lift the tier. The first of the owners is accountable."""
    autonomy = typed.get("autonomy", "")
    answers = RiskAnswers(
        **{question: typed.get(question) == "yes" for question in QUESTIONS},
        autonomy=Autonomy(autonomy) if autonomy in list(Autonomy) else Autonomy.SUGGESTS,
    )
    answered = sum(typed.get(question) in {"yes", "no"} for question in QUESTIONS)
    answered += autonomy in list(Autonomy)
    tiering = tier_of(answers)
    pathway = pathways()[tiering.tier]
    left = len(QUESTIONS) + 1 - answered
    return Ahead(tiering, pathway, left, way_ahead(pathway, certified, owners))


def typed_of(form: Mapping[str, str]) -> dict[str, str]:
    """The form's fields as they were typed, and no others."""
    return {name: form[name][:LONGEST_KEPT] for name in (*FIELDS, PATTERN) if form.get(name)}


@dataclass(frozen=True, slots=True)
class Checked:
    """What can be handed in; or what is wrong, by field."""

    body: UseCaseBody | None
    wrong: Mapping[str, str]


def check(typed: Mapping[str, str]) -> Checked:
    """Everything that can be said about the fields without asking anybody."""
    wrong: dict[str, str] = {}
    given = {name: _given(name, typed.get(name, ""), wrong) for name in DECLARED}
    for question in (*QUESTIONS, "autonomy"):
        if not typed.get(question):
            wrong[question] = t("new.answer")
    data: dict[str, Any] = {
        **{name: given[name] for name in UseCaseFields.model_fields},
        "owner": typed.get("owner", "").strip() or None,
        "co_owners": re.split(r"[\s,;]+", typed.get("co_owners", "").strip(" ,;\n\t")),
        "kpi": {name: given[f"kpi_{name}"] for name in Kpi.model_fields},
        "investment": {name: given[name] for name in InvestmentCase.model_fields},
        "risk": {
            **{question: typed.get(question) == "yes" for question in QUESTIONS},
            "autonomy": typed.get("autonomy", ""),
        },
    }
    data["investment"]["currency"] = typed.get("currency", "").strip().upper()
    data["co_owners"] = [email for email in data["co_owners"] if email]
    try:
        body = UseCaseBody.model_validate(data)
    except ValidationError as error:
        for one in error.errors():
            name = _field(one["loc"])
            wrong.setdefault(name, _in_words(name, one["type"], one.get("ctx", {})))
        body = None
    return Checked(None if wrong else body, {name: wrong[name] for name in FIELDS if name in wrong})


def _given(name: str, text: str, wrong: dict[str, str]) -> object:
    """A field's value as its declaration wants it; a number that is none is `wrong`."""
    declared = DECLARED[name].annotation
    if declared is str:
        return text
    if declared is bool:
        return text == "yes"
    if not text.strip():
        if DECLARED[name].is_required():
            wrong[name] = t("new.missing")
        return None
    return _number(text.strip(), name, wrong) if _is_number(declared) else text.strip()


def _is_number(declared: object) -> bool:
    return declared is float or any(_is_number(one) for one in get_args(declared))


def _number(text: str, name: str, wrong: dict[str, str]) -> float | None:
    value = number(text)
    if value is None:
        wrong[name] = t("new.number")
    return value


def _field(location: tuple[int | str, ...]) -> str:
    first = str(location[0])
    if first == "kpi":
        return f"kpi_{location[-1]}"
    return str(location[-1]) if first in {"investment", "risk"} else first


def _in_words(name: str, kind: str, context: Mapping[str, Any]) -> str:
    words = in_words(kind, context)
    if words is not None:
        return words
    special = {"currency": "new.currency", "owner": "new.email", "co_owners": "new.email"}
    return t({**special, "wished_for": "new.date"}.get(name, "new.wrong"))
