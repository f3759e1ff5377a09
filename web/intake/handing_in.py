"""The form of a new use case: from what was typed to what is handed in, or to what is wrong."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from api.intake.bodies import UseCaseBody
from service.domain.passing import Missing, way_ahead
from service.domain.pathway import Pathway
from service.domain.tiering import Autonomy, RiskAnswers, Tiering, tier_of
from service.intake.pathways import pathways, tier_rules
from web.kit.strings import t
from web.kit.typed import in_words, number

QUESTIONS = (
    "personal_data",
    "affects_people",
    "safety_impact",
    "customer_facing",
    "regulated",
    "external_model",
)
"""The risk questions that are answered with yes or no."""
FIELDS = (
    *("title", "problem", "business_unit", "sponsor", "owner", "co_owners"),
    *("kpi_name", "kpi_unit", "kpi_baseline", "kpi_target"),
    *("one_off_cost", "yearly_run_cost", "expected_yearly_value", "currency"),
    *QUESTIONS,
    *("autonomy", "wished_for", "estimate_days", "lighthouse"),
)
NUMBERS = (
    *("kpi_baseline", "kpi_target", "one_off_cost", "yearly_run_cost"),
    *("expected_yearly_value", "estimate_days"),
)
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


def ahead(typed: Mapping[str, str], certifications: Collection[str] = ()) -> Ahead:
    """Tier, reasons and stages for these answers. What is not answered yet counts as no: more
    answers can only lift the tier."""
    autonomy = typed.get("autonomy", "")
    answers = RiskAnswers(
        **{question: typed.get(question) == "yes" for question in QUESTIONS},
        autonomy=Autonomy(autonomy) if autonomy in list(Autonomy) else Autonomy.SUGGESTS,
    )
    answered = sum(typed.get(question) in {"yes", "no"} for question in QUESTIONS)
    answered += autonomy in list(Autonomy)
    tiering = tier_of(answers, tier_rules())
    pathway = pathways()[tiering.tier]
    left = len(QUESTIONS) + 1 - answered
    return Ahead(tiering, pathway, left, way_ahead(pathway, certifications))


def typed_of(form: Mapping[str, str]) -> dict[str, str]:
    """The form's fields as they were typed, and no others."""
    return {name: form[name][:LONGEST_KEPT] for name in FIELDS if form.get(name)}


@dataclass(frozen=True, slots=True)
class Checked:
    """What can be handed in; or what is wrong, by field."""

    body: UseCaseBody | None
    wrong: Mapping[str, str]


def check(typed: Mapping[str, str]) -> Checked:
    """Everything that can be said about the fields without asking anybody."""
    wrong: dict[str, str] = {}
    numbers = {name: _number(typed.get(name, "").strip(), name, wrong) for name in NUMBERS}
    for question in (*QUESTIONS, "autonomy"):
        if not typed.get(question):
            wrong[question] = t("new.answer")
    data: dict[str, Any] = {
        **{name: typed.get(name, "") for name in ("title", "problem", "business_unit", "sponsor")},
        "owner": typed.get("owner", "").strip() or None,
        "co_owners": re.split(r"[\s,;]+", typed.get("co_owners", "").strip(" ,;\n\t")),
        "kpi": {
            "name": typed.get("kpi_name", ""),
            "unit": typed.get("kpi_unit", ""),
            "baseline": numbers["kpi_baseline"],
            "target": numbers["kpi_target"],
        },
        "investment": {
            "one_off_cost": numbers["one_off_cost"],
            "yearly_run_cost": numbers["yearly_run_cost"],
            "expected_yearly_value": numbers["expected_yearly_value"],
            "currency": typed.get("currency", "").strip().upper(),
        },
        "risk": {
            **{question: typed.get(question) == "yes" for question in QUESTIONS},
            "autonomy": typed.get("autonomy", ""),
        },
        "wished_for": typed.get("wished_for", "").strip() or None,
        "estimate_days": numbers["estimate_days"],
        "lighthouse": typed.get("lighthouse") == "yes",
    }
    data["co_owners"] = [email for email in data["co_owners"] if email]
    try:
        body = UseCaseBody.model_validate(data)
    except ValidationError as error:
        for one in error.errors():
            name = _field(one["loc"])
            wrong.setdefault(name, _in_words(name, one["type"], one.get("ctx", {})))
        body = None
    return Checked(None if wrong else body, {name: wrong[name] for name in FIELDS if name in wrong})


def _number(text: str, name: str, wrong: dict[str, str]) -> float | None:
    if not text:
        wrong[name] = t("new.missing")
        return None
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
