"""An example for every request and answer, for readers of the OpenAPI document to paste."""

from typing import Any

_BEA = {"id": "0b1f7a52-43a0-4bd8-8a6a-0d6a2f1f7c11", "name": "Bea Builder"}
_FINN = {"id": "9a7c2f10-6d1e-4c5b-8f3a-2b4d6e8f0a33", "name": "Finn Finance"}
_CASE = {
    "kpi": {"name": "Handling time", "unit": "minutes", "baseline": 18.0, "target": 9.0},
    "observations": [
        {"day": "2026-09-01", "value": 18.4, "n": 412},
        {"day": "2026-10-01", "value": 17.6, "n": 398},
    ],
    "money_per_unit": 20000.0,
    "benefit": "time_reused",
    "time_used_for": "visits to suppliers",
    "ramp_months": 3.0,
    "plan": {
        "method": "interrupted_series",
        "how": "Handling time from the ticket system, week by week.",
        "by": "Bea Builder",
        "starts": "2027-05-01",
    },
    "milestones": [
        {"counted": "users", "at_least": 500, "by": "2027-12-31"},
        {"counted": "units", "at_least": 2, "by": None},
    ],
}
_FIRST = {
    "version": 1,
    "kpi": _CASE["kpi"],
    "direction": "lower",
    "observations": [],
    "money_per_unit": None,
    "benefit": None,
    "time_used_for": "",
    "one_off_cost": 40000.0,
    "yearly_run_cost": 12000.0,
    "expected_yearly_value": 180000.0,
    "currency": "EUR",
    "ramp_months": 0.0,
    "plan": None,
    "milestones": [],
    "reason": "",
    "by": _BEA,
    "at": "2026-11-02T10:00:00Z",
}
_SECOND = {
    **_FIRST,
    **_CASE,
    "version": 2,
    "reason": "How we shall measure it, before it goes live.",
    "at": "2027-01-20T08:30:00Z",
}
_MEASUREMENT = {
    "number": 1,
    "starts": "2027-05-01",
    "ends": "2027-07-31",
    "quantity": "kpi",
    "value": 11.5,
    "standard_error": 0.6,
    "attribution": 1.0,
    "method": "interrupted_series",
    "source": "the ticket system",
    "hours": 3.0,
    "note": "",
    "case_version": 2,
    "delivered": 32744.7,
    "grade": "C",
    "counts_as": "C",
    "equals_plan": False,
    "replaces": None,
    "replaced_by": None,
    "by": _BEA,
    "at": "2027-08-03T09:12:00Z",
    "confirmation": {
        "by": _FINN,
        "at": "2027-08-05T14:00:00Z",
        "note": "Agrees with the ledger.",
    },
}
_AGAINST_LATEST = {
    "state": "measured",
    "due": 41396.3,
    "measured": 40665.98,
    "delivered": 32744.7,
    "interval": [15234.5, 50254.9],
    "rate": 0.8052,
    "unproven": 730.32,
    "errors_known": True,
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "CaseVersionBody": {"reason": "How we shall measure it, before it goes live.", **_CASE},
    "MeasurementBody": {
        "starts": "2027-05-01",
        "ends": "2027-07-31",
        "quantity": "kpi",
        "value": 11.5,
        "standard_error": 0.6,
        "method": "interrupted_series",
        "source": "the ticket system",
        "hours": 3.0,
    },
    "EffectBody": {
        "method": "difference_in_differences",
        "series": "date,value,n\n2027-04-05,18.2,96\n2027-04-12,17.9,101\n",
        "comparison": "date,value\n2027-04-05,21.0\n2027-04-12,21.4\n",
        "comparison_name": "the plant in Graz",
        "scaled": False,
    },
    "EffectRead": {
        "starts": "2027-05-03",
        "ends": "2027-07-26",
        "quantity": "change",
        "value": -6.4,
        "standard_error": 0.55,
        "interval": [-7.51, -5.29],
        "after": 11.6,
        "expected": 18.0,
        "method": "difference_in_differences",
        "source": "a series of 30 observations against the plant in Graz",
    },
    "ConfirmationBody": {"note": "Agrees with the ledger."},
    "InvestmentCaseRead": {"key": "UC-42", "versions": [_FIRST, _SECOND]},
    "CaseVersionRead": _SECOND,
    "MeasurementRead": _MEASUREMENT,
    "MeasurementsRead": {
        "key": "UC-42",
        "currency": "EUR",
        "in_production_since": "2027-04-20",
        "against_first": {
            **_AGAINST_LATEST,
            "due": 52566.74,
            "measured": 45338.81,
            "rate": 0.7222,
            "unproven": 7227.93,
        },
        "against_latest": _AGAINST_LATEST,
        "items": [_MEASUREMENT],
    },
}
