"""A decision that is sent again with its key is made once and answered the same."""

import asyncio

from service.domain.people import Role
from tests.kit.house import House


async def test_the_same_answer_after_later_transitions_and_after_the_end(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    first = await enabler.give(key, "ask", reason="Which data?", idempotency_key="k1")
    await builder.does(key, "answer", reason="Orders.")
    again = await enabler.give(key, "ask", reason="Which data?", idempotency_key="k1")
    end = await enabler.give(key, "decline", reason="No.", idempotency_key="k2")
    at_last = await enabler.give(key, "ask", reason="Which data?", idempotency_key="k1")
    end_again = await enabler.give(key, "decline", reason="No.", idempotency_key="k2")
    assert first.status_code == 200
    assert (first.text, first.text) == (again.text, at_last.text)
    assert end_again.text == end.text
    steps = (await builder.sees(f"use-cases/{key}/transitions"))["items"]
    assert [step["command"] for step in steps] == ["submit", "ask", "answer", "decline"]


async def test_the_same_key_with_another_body_is_409_before_and_after_the_end(
    house: House,
) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    await enabler.give(key, "claim", idempotency_key="k")
    for _ in range(2):
        for command, reason in (("claim", "now"), ("release", ""), ("ask", "why?")):
            reused = await enabler.give(key, command, reason=reason, idempotency_key="k")
            assert reused.status_code == 409, command
            assert reused.json()["type"] == "urn:headway:problem:key-reused"
        await builder.give(key, "withdraw", reason="No.", idempotency_key="end")
    assert (await builder.sees(f"use-cases/{key}"))["sequence"] == 3


async def test_a_key_belongs_to_one_person_and_one_use_case(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    ada, bob = await house.visitor(Role.ENABLER), await house.visitor(Role.ENABLER)
    one, other = await builder.hand_in(), await builder.hand_in()
    assert (await ada.give(one, "claim", idempotency_key="k")).status_code == 200
    assert (await bob.give(one, "claim", idempotency_key="k")).status_code == 409
    elsewhere = await ada.give(other, "claim", idempotency_key="k")
    assert elsewhere.json()["key"] == other


async def test_the_same_key_many_times_at_once_is_one_transition(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    answers = await asyncio.gather(
        *(
            enabler.give(
                key, "attach", evidence_kind="a", evidence_reference="b", idempotency_key="k"
            )
            for _ in range(8)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert (await builder.sees(f"use-cases/{key}"))["sequence"] == 2


async def test_a_refusal_uses_no_key_up(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    early = await enabler.give(key, "hand_over", idempotency_key="k")
    await enabler.does(key, "approve")
    in_time = await enabler.give(key, "hand_over", idempotency_key="k")
    assert (early.status_code, in_time.status_code) == (409, 200)


async def test_a_decision_is_looked_up_by_its_id(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    stranger = await house.visitor(Role.BUILDER)
    key = await builder.hand_in()
    harness = {"evidence_kind": "approved-pattern", "evidence_reference": "wiki/pattern"}
    decided = await enabler.does(key, "attach", **harness)
    assert [step["command"] for step in decided["transitions"]] == ["attach", "pass"]
    await enabler.does(key, "hand_over")
    where = f"/v1/use-cases/{key}/decisions/{decided['decision_id']}"
    for visitor in (builder, enabler):
        assert (await visitor.http.get(where)).json() == decided
    assert (await stranger.http.get(where)).status_code == 404
    other = await builder.hand_in()
    elsewhere = await builder.sees(f"use-cases/{other}/decisions/{decided['decision_id']}")
    assert (elsewhere["status"], elsewhere["key"]) == ("pending", other)


async def test_unknown_decisions_are_pending_as_nobody_can_know_better(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    key = await builder.hand_in()
    unknown = await builder.sees(f"use-cases/{key}/decisions/{'0' * 32}")
    assert unknown["status"] == "pending"
    assert unknown["look_at"] == f"/v1/use-cases/{key}/decisions/{'0' * 32}"
    for bad in ("a%00b", "%20", "x" * 65, "%ff", "a.b"):
        answer = await builder.http.get(f"/v1/use-cases/{key}/decisions/{bad}")
        assert answer.status_code == 422, bad
