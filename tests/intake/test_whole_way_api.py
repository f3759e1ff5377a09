"""A use case goes all the way, on real engines, as people decide."""

import asyncio

from service.domain.people import Role
from tests.kit.house import House


async def test_standard_pathway_to_production_and_a_clock_that_adds_up(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    enabler = await house.visitor(Role.ENABLER)
    key = await builder.hand_in()

    await enabler.does(key, "claim")
    await enabler.does(key, "ask", reason="Which data does it read?")
    await builder.does(key, "answer", reason="Purchase orders of the last two years.")
    await enabler.does(key, "approve")
    await enabler.does(key, "hand_over")
    await builder.does(key, "hand_over")
    await enabler.does(
        key, "attach", evidence_kind="evaluation-report", evidence_reference="wiki/eval-1"
    )
    await enabler.does(key, "approve")
    await enabler.does(key, "approve")
    await builder.plans(key)
    live = await builder.does(key, "go_live")

    assert live["position"] == "in_production"
    steps = (await builder.sees(f"use-cases/{key}/transitions"))["items"]
    assert [step["command"] for step in steps] == [
        "submit",
        "claim",
        "ask",
        "answer",
        "approve",
        "hand_over",
        "hand_over",
        "attach",
        "approve",
        "approve",
        "attach",
        "go_live",
    ]
    assert [step["sequence"] for step in steps] == list(range(1, 13))
    clock = await builder.sees(f"use-cases/{key}/clock")
    assert sum(span["microseconds"] for span in clock["spans"]) == clock["microseconds"]
    assert sum(share["microseconds"] for share in clock["shares"]) == clock["microseconds"]
    assert not clock["running"]


async def test_two_people_claim_at_once_one_gets_it_and_the_other_is_told_who(
    house: House,
) -> None:
    builder = await house.visitor(Role.BUILDER)
    ada, bob = await house.visitor(Role.ENABLER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in()

    answers = await asyncio.gather(ada.give(key, "claim"), bob.give(key, "claim"))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    winner = ada if answers[0].status_code == 200 else bob
    loser = next(answer for answer in answers if answer.status_code == 409)
    assert loser.json()["detail"] == f"already claimed by {winner.person.name}"
