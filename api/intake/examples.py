"""An example for every request and answer, for readers of the OpenAPI document to paste."""

from typing import Any

from api.people import ADA
from service.intake.fields import UseCaseFields

_BEA = {"id": "0b1f7a52-43a0-4bd8-8a6a-0d6a2f1f7c11", "name": "Bea Builder"}
_KPI = {"name": "Handling time", "unit": "minutes", "baseline": 18, "target": 9}
_INVESTMENT = {
    "one_off_cost": 40000,
    "yearly_run_cost": 12000,
    "expected_yearly_value": 180000,
    "currency": "EUR",
}
_RISK = {
    "personal_data": True,
    "affects_people": False,
    "safety_impact": False,
    "customer_facing": False,
    "regulated": False,
    "external_model": False,
    "autonomy": "suggests",
}
_USE_CASE = {
    **UseCaseFields.example(),
    "kpi": _KPI,
    "investment": _INVESTMENT,
    "risk": _RISK,
}


def _stage(key: str, kind: str, holder: str, days: float, **more: Any) -> dict[str, Any]:
    plain = {"approvers": 1, "evidence": [], "certification": None}
    title = key.replace("-", " ").capitalize()
    return {
        "key": key,
        "title": title,
        "kind": kind,
        "holder": holder,
        "target_days": days,
        **plain,
        **more,
    }


_STAGES = [
    _stage("triage", "gate", "enablement", 2),
    _stage("shape", "help", "enablement", 5),
    _stage("build", "build", "builder", 30),
    _stage("evaluate", "gate", "enablement", 5, evidence=["evaluation-report"]),
    _stage("launch-review", "gate", "enablement", 3),
    _stage("launch", "build", "builder", 5),
]
_SUMMARY = {
    "key": "UC-42",
    "title": "Answer supplier questions",
    "business_unit": "Procurement",
    "owner": _BEA,
    "tier": "medium",
    "pathway": "standard",
    "stage": "triage",
    "position": "claimed",
    "status": "open",
    "holder": "enablement",
    "mode": "working",
    "assignee": ADA,
    "turn_since": "2026-11-02T13:00:00Z",
    "target_used": 0.0625,
    "submitted_at": "2026-11-02T10:00:00Z",
    "ended_at": None,
    "lighthouse": False,
    "sequence": 2,
}
_SUBMITTED = {
    "sequence": 1,
    "at": "2026-11-02T10:00:00Z",
    "command": "submit",
    "actor": _BEA,
    "stage": "triage",
    "position": "queued",
    "holder": "enablement",
    "mode": "waiting",
    "assignee": None,
    "tier": "medium",
    "reason": "",
    "subject": "",
    "reference": "",
}
_CLAIMED = {
    **_SUBMITTED,
    "sequence": 2,
    "at": "2026-11-02T13:00:00Z",
    "command": "claim",
    "actor": ADA,
    "position": "claimed",
    "mode": "working",
    "assignee": ADA,
}
_MISSING = {
    "stage": "evaluate",
    "need": "evidence",
    "name": "evaluation-report",
    "number": 1,
    "by": "owners_and_enablement",
    "party": "enablement",
    "detail": "evidence is missing: evaluation-report; its owners or enablement can attach it",
}
_DECISION_ID = "9f0c5d1be2a04e5c8d6f1a2b3c4d5e6f"
_FORECAST = {
    "made_at": "2026-11-02T10:00:00Z",
    "p50_days": 41.5,
    "p85_days": 78.25,
    "p50_at": "2026-12-13T22:00:00Z",
    "p85_at": "2027-01-19T16:00:00Z",
    "reaches_production": 0.87,
    "basis": "50 cases of tier medium that were in triage, waiting for enablement; forecasts of "
    "this kind came too early: corrected, half within 42 instead of 37 days and 85% within 78 "
    "instead of 72 days",
    "p50_level": 0.56,
    "p85_level": 0.88,
}

USE_CASE: dict[str, Any] = {**_USE_CASE, "owner": None, "co_owners": []}
COMMAND: dict[str, Any] = {"reason": "Which data does it read?"}
RECEIPT: dict[str, Any] = {
    "key": "UC-42",
    "id": "1d6b6c1e-0d0b-4b57-b7e4-3b6f5a9c8d33",
    "submitted_at": "2026-11-02T10:00:00Z",
    "tier": "medium",
    "tier_reasons": ["it uses personal data"],
    "pathway": "standard",
    "pathway_version": 1,
    "stage": _STAGES[0],
    "stages_ahead": _STAGES[1:],
    "position": "queued",
    "holder": "enablement",
    "mode": "waiting",
    "forecast": _FORECAST,
    "haircut": {
        "rate": 0.55,
        "low": 0.38,
        "high": 0.8,
        "use_cases": 12,
        "source": "all",
        "sentence": "12 use cases like this, of all units, delivered 0.55 (0.38 to 0.80) of what "
        "their cases said.",
        "expected_yearly_value": 99000.0,
    },
    "missing": [_MISSING],
}
PAGE: dict[str, Any] = {"items": [_SUMMARY], "cursor": "WyJuZXdlc3QiLCA0Ml0"}
QUEUE: dict[str, Any] = {"items": [_SUMMARY], "total": 1}
WHOLE: dict[str, Any] = {
    **_SUMMARY,
    **_USE_CASE,
    "forecast": _FORECAST,
    "id": "1d6b6c1e-0d0b-4b57-b7e4-3b6f5a9c8d33",
    "owners": [_BEA],
    "lowering": None,
    "tier_reasons": ["it uses personal data"],
    "pathway_version": 1,
    "stages": _STAGES,
    "passed": [],
    "approvals": [],
    "evidence": [
        {
            "kind": "evaluation-report",
            "reference": "wiki/evaluation-1",
            "attached_by": ADA,
            "attested": True,
        }
    ],
    "evidence_missing": [],
    "missing": [],
    "missing_ahead": [_MISSING],
    "told": [
        {
            "what": "withdrawn",
            "asset": "mask-personal-data",
            "title": "Mask personal data",
            "number": 1,
            "at": "2026-11-02T09:00:00Z",
            "why": "It lets licence plates through.",
        }
    ],
}
TRANSITIONS: dict[str, Any] = {"key": "UC-42", "items": [_SUBMITTED, _CLAIMED]}
CLOCK: dict[str, Any] = {
    "key": "UC-42",
    "running": True,
    "start": "2026-11-02T10:00:00Z",
    "end": "2026-11-02T14:00:00Z",
    "microseconds": 14_400_000_000,
    "days": 1 / 6,
    "gate_tax_microseconds": 10_800_000_000,
    "shares": [
        {
            "holder": "enablement",
            "mode": "waiting",
            "microseconds": 10_800_000_000,
            "days": 0.125,
            "share": 0.75,
        },
        {
            "holder": "enablement",
            "mode": "working",
            "microseconds": 3_600_000_000,
            "days": 1 / 24,
            "share": 0.25,
        },
    ],
    "spans": [
        {
            "stage": "triage",
            "holder": "enablement",
            "mode": "waiting",
            "start": "2026-11-02T10:00:00Z",
            "end": "2026-11-02T13:00:00Z",
            "microseconds": 10_800_000_000,
        },
        {
            "stage": "triage",
            "holder": "enablement",
            "mode": "working",
            "start": "2026-11-02T13:00:00Z",
            "end": "2026-11-02T14:00:00Z",
            "microseconds": 3_600_000_000,
        },
    ],
}
ACTIONS: dict[str, Any] = {
    "key": "UC-42",
    "sequence": 1,
    "items": [
        {
            "command": "claim",
            "does": "take it up yourself",
            "reason_required": False,
            "takes": [],
            "href": "/v1/use-cases/UC-42/commands/claim",
        }
    ],
    "missing": [],
    "take_back_until": None,
}
DECISION: dict[str, Any] = {
    "status": "applied",
    "decision_id": _DECISION_ID,
    "key": "UC-42",
    "sequence": 2,
    "stage": "triage",
    "position": "claimed",
    "holder": "enablement",
    "mode": "working",
    "assignee": ADA,
    "transitions": [_CLAIMED],
}
PENDING: dict[str, Any] = {
    "status": "pending",
    "decision_id": _DECISION_ID,
    "key": "UC-42",
    "detail": "the decision has not been confirmed yet; look again, or repeat with the same key",
    "look_at": f"/v1/use-cases/UC-42/decisions/{_DECISION_ID}",
    "idempotency_key": "7c0f3f0e-5c0a-4f6e-9d53-3d1d9f3f4c55",
}

COMMANDS: dict[str, dict[str, Any]] = {
    "claim": {
        "summary": "claim, release, approve, agree, hand_over, resume, go_live, take_back",
        "value": {},
    },
    "ask": {
        "summary": "ask, answer, return, recall, park, decline, withdraw",
        "value": {"reason": "Which data does it read?"},
    },
    "assign": {"summary": "assign", "value": {"assignee": "ada@example.com"}},
    "refer": {"summary": "refer", "value": {"party": "legal", "reason": "Whose data is it?"}},
    "send_back": {
        "summary": "send_back",
        "value": {"to_stage": "build", "reason": "It fails on the second data set."},
    },
    "attach": {
        "summary": "attach",
        "value": {
            "evidence_kind": "evaluation-report",
            "evidence_reference": "wiki/evaluation-1",
        },
    },
    "refuse": {"summary": "refuse", "value": {"reason": "It decides about people."}},
    "transfer": {
        "summary": "transfer",
        "value": {"reason": "Olga has left.", "owner": "nils@bank.example"},
    },
    "change_tier": {
        "summary": "change_tier",
        "value": {"tier": "high", "reason": "It weighs in decisions about people."},
    },
    "only_if_nothing_happened": {
        "summary": "any, if nothing else has happened since",
        "value": {"expected_sequence": 7},
    },
}
"""Bodies for the commands of the lifecycle."""
