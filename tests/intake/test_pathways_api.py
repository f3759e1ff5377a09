"""The light and the regulated pathway, all the way."""

from typing import Any

from service.domain.people import Role
from tests.kit.house import House, Visitor


async def test_the_light_pathway_has_no_gate_and_nobody_to_wait_for(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in(tier="low")
    there = await builder.sees(f"use-cases/{key}")
    assert (there["pathway"], there["stage"], there["holder"]) == ("light", "build", "builder")
    assert (await enabler.give(key, "go_live")).status_code == 403
    live = await builder.does(key, "go_live")
    assert (live["position"], live["sequence"]) == ("in_production", 2)
    clock = await builder.sees(f"use-cases/{key}/clock")
    assert {share["holder"] for share in clock["shares"]} == {"builder"}
    assert clock["gate_tax_microseconds"] == 0


async def test_the_regulated_pathway_asks_risk_two_approvers_and_a_certified_owner(
    house: House,
) -> None:
    builder, admin = await house.visitor(Role.BUILDER), await house.visitor(Role.ADMIN)
    ada, bob = await house.visitor(Role.ENABLER), await house.visitor(Role.ENABLER)
    risk = await house.visitor(Role.REVIEWER, party="risk")
    legal = await house.visitor(Role.REVIEWER, party="legal")
    key = await builder.hand_in(tier="high")
    assert (await risk.http.get(f"/v1/use-cases/{key}")).status_code == 404
    ahead = [(one["stage"], one["name"]) for one in await _asked_for(builder, key)]
    assert ahead == [
        ("evaluate", "evaluation-report"),
        ("evaluate", "model-card"),
        ("launch-review", "responsible-ai"),
        ("launch-review", ""),
        ("launch", "measurement-plan"),
    ], "known from the first day"
    wordless = await ada.give(key, "approve")
    assert (wordless.status_code, wordless.json()["detail"]) == (
        422,
        "say why: in tier high, approve needs a reason",
    )
    await ada.does(key, "approve", reason="It is what it says.")
    await ada.does(key, "hand_over")

    assert (await legal.http.get(f"/v1/use-cases/{key}")).status_code == 404
    assert (await ada.give(key, "approve")).status_code == 403
    assert (await risk.sees(f"use-cases/{key}"))["holder"] == "risk"
    await risk.does(key, "claim")
    await risk.does(key, "ask", reason="Who is harmed when it fails?")
    await builder.does(key, "answer", reason="Nobody: a person reads it first.")
    assessed = await risk.does(key, "approve", reason="The risk is known.")
    assert (assessed["stage"], assessed["holder"]) == ("build", "builder")
    await builder.does(key, "hand_over")

    offered = await ada.sees(f"use-cases/{key}/actions")
    assert "approve" not in {item["command"] for item in offered["items"]}
    assert [one["name"] for one in offered["missing"]] == ["evaluation-report", "model-card"]
    nothing = await ada.give(key, "approve", reason="Ready.")
    assert nothing.json()["detail"] == "evidence is missing: evaluation-report, model-card"
    for kind in ("evaluation-report", "model-card"):
        await ada.does(key, "attach", evidence_kind=kind, evidence_reference=f"wiki/{kind}")
    shown = await ada.does(key, "approve", reason="The report holds.")
    assert shown["stage"] == "launch-review"

    offered = await ada.sees(f"use-cases/{key}/actions")
    assert "approve" not in {item["command"] for item in offered["items"]}
    needs = [(one["need"], one["number"]) for one in offered["missing"]]
    assert needs == [("certification", 1), ("approvals", 2)]
    assert (await builder.sees(f"use-cases/{key}"))["missing"] == offered["missing"]
    uncertified = await ada.give(key, "approve", reason="Ready.")
    assert uncertified.status_code == 409
    assert "not certified: responsible-ai" in uncertified.json()["detail"]
    await admin.http.patch(
        f"/v1/people/{builder.person.id}", json={"certifications": ["responsible-ai"]}
    )
    first = await ada.does(key, "approve", reason="Ready.")
    assert (first["stage"], first["position"]) == ("launch-review", "queued")
    twice = await ada.give(key, "approve", reason="Ready.")
    assert twice.status_code == 409
    assert twice.json()["detail"] == "you have approved already; 1 more must, and not you"
    offered = (await ada.sees(f"use-cases/{key}/actions"))["items"]
    assert "approve" not in {item["command"] for item in offered}
    approvals = (await builder.sees(f"use-cases/{key}"))["approvals"]
    assert [one["name"] for one in approvals] == [ada.person.name]
    assert (await bob.does(key, "approve", reason="Ready."))["stage"] == "launch"
    offered = await builder.sees(f"use-cases/{key}/actions")
    assert "go_live" not in {item["command"] for item in offered["items"]}
    assert [one["name"] for one in offered["missing"]] == ["measurement-plan"]
    await builder.plans(key)
    assert (await builder.does(key, "go_live"))["position"] == "in_production"

    clock = await builder.sees(f"use-cases/{key}/clock")
    assert sum(span["microseconds"] for span in clock["spans"]) == clock["microseconds"]
    assert {share["holder"] for share in clock["shares"]} == {"builder", "enablement", "risk"}
    ended = await builder.sees(f"use-cases/{key}")
    assert ended["passed"] == [stage["key"] for stage in ended["stages"][:-1]]


async def _asked_for(builder: Visitor, key: str) -> list[dict[str, Any]]:
    use_case: dict[str, Any] = await builder.sees(f"use-cases/{key}")
    return [*use_case["missing"], *use_case["missing_ahead"]]
