"""The forms about the value of a use case: from what was typed to what is written, or what is
wrong with it."""

from collections.abc import Mapping
from math import floor, log10
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from api.value.bodies import CaseVersionBody, EffectRead, MeasurementBody
from service.value.measurements import Kept
from service.value.terms import Counted, Terms
from web.kit.forms import Form
from web.kit.not_written import NotWritten, Section
from web.kit.strings import t
from web.kit.typed import in_words, number

Body = TypeVar("Body", bound=BaseModel)

PLAN = ("plan_method", "plan_how", "plan_by", "plan_starts")
CASE = (
    *("kpi_name", "kpi_unit", "kpi_baseline", "kpi_target", "direction", "observations"),
    *("expected_yearly_value", "one_off_cost", "yearly_run_cost", "money_per_unit"),
    *("benefit", "time_used_for", "ramp_months", *PLAN, "milestones", "reason"),
)
"""The fields of an investment case, in the order of the form."""
MEASUREMENT = (
    *("starts", "ends", "quantity", "value", "standard_error", "attribution"),
    *("method", "source", "hours", "note"),
)
"""The fields of a measurement, in the order of the form."""
COUNTED = {
    **{one.value: one for one in Counted},
    "user": Counted.USERS,
    "unit": Counted.UNITS,
    "country": Counted.COUNTRIES,
}
"""What a milestone counts, as it may be typed."""
NUMBERS = frozenset(
    {
        *("kpi_baseline", "kpi_target", "expected_yearly_value", "one_off_cost"),
        *("yearly_run_cost", "money_per_unit", "ramp_months"),
        *("value", "standard_error", "attribution", "hours"),
    }
)
OPTIONAL = frozenset(
    {"money_per_unit", "benefit", "time_used_for", "observations", "milestones", *PLAN}
    | {"standard_error", "hours", "note"}
)


def typed_of(form: Form, names: tuple[str, ...]) -> dict[str, str]:
    """The fields as they were typed."""
    return {name: form.text(name) for name in names}


def case_of(form: Form) -> CaseVersionBody | NotWritten:
    """The version that a form asks for."""
    typed = typed_of(form, CASE)
    wrong: dict[str, str] = {}
    given = _given(typed, wrong)
    data = {name: given.get(name) for name in CASE if not name.startswith(("kpi_", "plan_"))}
    kpi = ("name", "unit", "baseline", "target")
    data["kpi"] = {name: given.get(f"kpi_{name}") for name in kpi}
    data["observations"] = _observations(typed["observations"], wrong)
    data["milestones"] = _milestones(typed["milestones"], wrong)
    data["time_used_for"] = typed["time_used_for"]
    data["expected_version"] = _whole(form.text("version"))
    if any(typed[name] for name in PLAN):
        data["plan"] = {
            name: given.get(f"plan_{name}") for name in ("method", "how", "by", "starts")
        }
        wrong |= {name: t("new.missing") for name in PLAN if not typed[name]}
    return _checked("case", CaseVersionBody, data, typed, wrong)


def measurement_of(form: Form, *, replaces: int | None = None) -> MeasurementBody | NotWritten:
    """The measurement that a form holds."""
    typed = typed_of(form, MEASUREMENT)
    wrong: dict[str, str] = {}
    data: dict[str, Any] = {**_given(typed, wrong), "replaces": replaces}
    data.setdefault("note", "")
    percent = data.pop("attribution", None)
    data["attribution"] = percent / 100 if isinstance(percent, float) else None
    if isinstance(percent, float) and percent > 100:
        wrong["attribution"] = t("new.too_large", most="100")
    name = "measure" if replaces is None else f"correct-{replaces}"
    return _checked(name, MeasurementBody, data, typed, wrong)


def _given(typed: Mapping[str, str], wrong: dict[str, str]) -> dict[str, Any]:
    """What is filled in, numbers as numbers; what has to be and is not goes to `wrong`."""
    given: dict[str, Any] = {}
    for name, text in typed.items():
        if not text:
            if name not in OPTIONAL:
                wrong[name] = t("new.missing")
        elif name in NUMBERS:
            given[name] = number(text)
            if given[name] is None:
                wrong[name] = t("new.number")
        else:
            given[name] = text
    return given


def _observations(text: str, wrong: dict[str, str]) -> list[dict[str, Any]]:
    """Lines like `2026-01-01,18.5,40`: a day, a value, and perhaps how many values it is of."""
    found = []
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if not line.strip():
            continue
        value = number(parts[1]) if len(parts) in {2, 3} else None
        if value is None:
            wrong["observations"] = t("value.observations_line", line=line.strip()[:60])
            return []
        count = {"n": _whole(parts[2])} if len(parts) == 3 else {}
        found.append({"day": parts[0], "value": value, **count})
    return found


def _milestones(text: str, wrong: dict[str, str]) -> list[dict[str, Any]]:
    """Lines like `500 users 2027-12-31` or `2 units`: how many of what, and perhaps by when."""
    found = []
    for line in filter(str.strip, text.splitlines()):
        at_least, what, *by = [*line.split(), ""][:4]
        least, counted = _whole(at_least.replace(",", "")), COUNTED.get(what.lower())
        if least is None or counted is None or len(line.split()) > 3:
            wrong["milestones"] = t("value.milestones_line", line=line.strip()[:60])
            return []
        found.append({"counted": counted, "at_least": least, "by": by[0] or None})
    return found


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _checked(
    form: str,
    body: type[Body],
    data: Mapping[str, Any],
    typed: Mapping[str, str],
    wrong: dict[str, str],
) -> Body | NotWritten:
    try:
        made = body.model_validate(dict(data))
    except ValidationError as error:
        for one in error.errors():
            words = in_words(one["type"], one.get("ctx", {}))
            wrong.setdefault(_field(one["loc"]), words or t("new.wrong"))
        made = None
    if made is None or wrong:
        return NotWritten(Section.VALUE, form, typed, wrong)
    return made


def _field(location: tuple[int | str, ...]) -> str:
    first = str(location[0])
    return f"{first}_{location[-1]}" if first in {"kpi", "plan"} else first


def filled_case(terms: Terms) -> dict[str, str]:
    """The form of an investment case as it is now."""
    plan = terms.plan
    return {
        "kpi_name": terms.kpi.name,
        "kpi_unit": terms.kpi.unit,
        "kpi_baseline": _plain(terms.kpi.baseline),
        "kpi_target": _plain(terms.kpi.target),
        "direction": terms.direction.value,
        "observations": "\n".join(
            f"{one.day.isoformat()},{_plain(one.value)},{one.n}" for one in terms.observations
        ),
        "expected_yearly_value": _plain(terms.expected_yearly_value),
        "one_off_cost": _plain(terms.one_off_cost),
        "yearly_run_cost": _plain(terms.yearly_run_cost),
        "money_per_unit": _plain(terms.money_per_unit),
        "benefit": terms.benefit.value if terms.benefit else "",
        "time_used_for": terms.time_used_for,
        "ramp_months": _plain(terms.ramp_months),
        "plan_method": plan.method.value if plan else "",
        "plan_how": plan.how if plan else "",
        "plan_by": plan.by if plan else "",
        "plan_starts": plan.starts.isoformat() if plan else "",
        "milestones": "\n".join(
            f"{one.at_least} {one.counted} {one.by or ''}".strip() for one in terms.milestones
        ),
        "reason": "",
    }


def filled_measurement(kept: Kept) -> dict[str, str]:
    """The form of a measurement as it was entered, to correct it."""
    found = kept.found
    return {
        "starts": found.starts.isoformat(),
        "ends": found.ends.isoformat(),
        "quantity": found.quantity.value,
        "value": _plain(found.value),
        "standard_error": _plain(found.standard_error),
        "attribution": _plain(100 * found.attribution),
        "method": found.method.value,
        "source": found.source,
        "hours": _plain(found.hours),
        "note": "",
    }


def filled_effect(effect: EffectRead) -> dict[str, str]:
    """The form of a measurement with what a series shows."""
    return {
        **EMPTY,
        "starts": effect.starts.isoformat(),
        "ends": effect.ends.isoformat(),
        "quantity": effect.quantity.value,
        "value": digits(effect.value, 6).replace(",", ""),
        "standard_error": digits(effect.standard_error, 6).replace(",", ""),
        "method": effect.method.value,
        "source": effect.source,
    }


def digits(value: float, significant: int = 4) -> str:
    """A number with so many significant digits, and all that stand before the point."""
    magnitude = floor(log10(abs(value))) if value else 0
    text = f"{value:,.{min(max(significant - 1 - magnitude, 0), 12)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if text not in {"", "-0"} else "0"


EMPTY = {**dict.fromkeys(MEASUREMENT, ""), "attribution": "100"}
"""The form of a new measurement."""


def _plain(value: float | None) -> str:
    """A number as `number` reads it."""
    if value is None:
        return ""
    text = f"{value:.12f}".rstrip("0").rstrip(".")
    return text if text not in {"", "-0"} else "0"
