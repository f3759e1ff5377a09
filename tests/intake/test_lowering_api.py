"""A lower tier and a new owner over HTTP: who must agree, and no gate is passed by the side."""

from typing import Any

from service.domain.people import Role
from tests.kit.house import House


async def test_the_side_door_is_shut(house: House) -> None:
    """One enabler lowers a high case; its owner cannot go live until everybody has agreed."""
    builder = await house.visitor(Role.BUILDER)
    ada, ben = await house.visitor(Role.ENABLER), await house.visitor(Role.ENABLER)
    risk = await house.visitor(Role.REVIEWER, party="risk")
    key = await builder.hand_in(tier="high")
    proposed = await ada.does(key, "change_tier", tier="low", reason="Nobody is harmed.")
    assert (proposed["position"], proposed["holder"]) == ("lowering", "enablement")

    case = await builder.sees(f"use-cases/{key}")
    assert case["tier"] == "high"
    assert case["lowering"]["tier"] == "low"
    assert case["lowering"]["waiting_for"] == ["enablement", "risk"]
    assert case["lowering"]["proposed_by"]["name"] == ada.person.name
    assert (await builder.give(key, "go_live")).status_code == 409
    assert (await ada.give(key, "agree")).status_code == 403
    assert (await risk.http.get(f"/v1/use-cases/{key}")).status_code == 404, "not its turn yet"

    def keys(queue: dict[str, Any]) -> set[str]:
        return {item["key"] for item in queue["items"]}

    assert key not in keys(await ada.sees("queue?limit=200")), "she has had her say"
    assert key in keys(await ben.sees("queue?limit=200"))
    await ben.does(key, "agree")
    assert key not in keys(await ben.sees("queue?limit=200"))
    assert key in keys(await risk.sees("queue?limit=200"))
    assert (await builder.sees(f"use-cases/{key}"))["holder"] == "risk"
    assert (await ben.give(key, "agree")).status_code == 403
    agreed = await risk.does(key, "agree")
    assert (agreed["stage"], agreed["holder"]) == ("triage", "enablement"), "where it was"
    case = await builder.sees(f"use-cases/{key}")
    assert (case["tier"], case["lowering"]) == ("low", None)
    clock = await builder.sees(f"use-cases/{key}/clock")
    parts = {span["holder"] for span in clock["spans"]}
    assert {"enablement", "risk"} <= parts
    assert sum(span["microseconds"] for span in clock["spans"]) == clock["microseconds"]


async def test_a_refusal_and_a_proposal_taken_back_leave_it_as_it_was(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    ada, ben = await house.visitor(Role.ENABLER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in(tier="high")
    await ada.does(key, "claim")
    for who, command in ((ben, "refuse"), (ada, "recall")):
        await ada.does(key, "change_tier", tier="medium", reason="It is small.")
        assert (await who.give(key, command)).status_code == 422, "with a reason"
        back = await who.does(key, command, reason="It decides about people.")
        assert (back["position"], back["assignee"]["name"]) == ("claimed", ada.person.name)
        assert (await builder.sees(f"use-cases/{key}"))["tier"] == "high"


async def test_ownership_goes_to_somebody_who_has_not_decided(house: House) -> None:
    builder, other = await house.visitor(Role.BUILDER), await house.visitor(Role.BUILDER)
    both = await house.visitor(Role.BUILDER, Role.ENABLER)
    admin = await house.visitor(Role.ADMIN)
    key = await builder.hand_in()
    await both.does(key, "approve")
    refused = await admin.give(key, "transfer", owner=both.person.email, reason="She knows it.")
    assert refused.status_code == 422
    assert "has decided on it" in refused.json()["detail"]
    nobody = await admin.give(key, "transfer", owner="nobody@x.example", reason="Why not?")
    assert nobody.status_code == 422
    await admin.does(key, "transfer", owner=other.person.email, reason="Bea has left.")
    case = await other.sees(f"use-cases/{key}")
    assert case["owner"]["name"] == other.person.name
    assert (await builder.http.get(f"/v1/use-cases/{key}")).status_code == 404
    log = await other.sees(f"use-cases/{key}/transitions")
    assert log["items"][-1]["command"] == "transfer"
    assert log["items"][-1]["reason"] == "Bea has left."


async def test_whoever_leaves_hands_over_what_they_own(house: House) -> None:
    builder, other = await house.visitor(Role.BUILDER), await house.visitor(Role.BUILDER)
    admin = await house.visitor(Role.ADMIN)
    keys = [await builder.hand_in(), await builder.hand_in()]
    path = f"/v1/people/{builder.person.id}"
    asked = await admin.http.patch(path, json={"active": False})
    assert asked.status_code == 409
    assert all(key in asked.json()["detail"] for key in keys)
    assert (await builder.http.get(f"/v1/use-cases/{keys[0]}")).status_code == 200, "still in"
    wrong = await admin.http.patch(path, json={"active": False, "successor": admin.person.email})
    assert wrong.status_code == 422, "an administrator is no builder"
    gone = await admin.http.patch(path, json={"active": False, "successor": other.person.email})
    assert gone.status_code == 200
    assert gone.json()["active"] is False
    for key in keys:
        assert (await other.sees(f"use-cases/{key}"))["owner"]["name"] == other.person.name
