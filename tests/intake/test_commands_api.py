"""Every command of the lifecycle: what it takes, where it leads, and why it is refused."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from service.domain.commands import Command
from service.domain.lifecycle import TAKES
from service.domain.people import Role
from tests.kit.house import House, Visitor

PARTY = "legal"
BY_THE_SYSTEM = {Command.PASS, Command.REMIND, Command.ESCALATE}


@dataclass(frozen=True)
class Team:
    """Somebody of each kind."""

    builder: Visitor
    enabler: Visitor
    colleague: Visitor
    reviewer: Visitor


@pytest.fixture
async def team(house: House) -> Team:
    """Somebody of each kind."""
    return Team(
        await house.visitor(Role.BUILDER),
        await house.visitor(Role.ENABLER),
        await house.visitor(Role.ENABLER),
        await house.visitor(Role.REVIEWER, party=PARTY),
    )


async def to_build(team: Team, key: str) -> None:
    """From triage to the builder's own stage."""
    await team.enabler.does(key, "approve")
    await team.enabler.does(key, "hand_over")


async def offered(visitor: Visitor, key: str) -> dict[str, dict[str, Any]]:
    """What is offered to somebody, by command."""
    actions = await visitor.sees(f"use-cases/{key}/actions")
    return {item["command"]: item for item in actions["items"]}


async def test_actions_are_what_this_caller_may_do_now(team: Team) -> None:
    key = await team.builder.hand_in()
    everybody = (team.builder, team.enabler, team.colleague)
    assert [set(await offered(visitor, key)) for visitor in everybody] == [
        {"attach", "park", "withdraw", "transfer"},
        *2
        * [
            {"claim", "assign", "ask", "refer", "approve", "decline", "attach", "change_tier"}
            | {"park", "transfer"}
        ],
    ]
    await team.enabler.does(key, "claim")
    mine, theirs = await offered(team.enabler, key), await offered(team.colleague, key)
    only_mine = {"release", "ask", "refer", "approve", "decline", "take_back"}
    assert set(mine) - set(theirs) == only_mine
    assert set(theirs) == {"assign", "attach", "change_tier", "park", "transfer"}
    await team.enabler.does(key, "refer", party=PARTY, reason="Whose data is it?")
    assert set(await offered(team.reviewer, key)) == {"claim", "assign", "ask", "return", "attach"}
    there = {"recall", "attach", "park", "transfer"}
    assert set(await offered(team.enabler, key)) == there | {"take_back"}, "a moment ago"


async def test_an_action_says_what_it_takes_and_where_to_send_it(team: Team) -> None:
    key = await team.builder.hand_in()
    refer = (await offered(team.enabler, key))["refer"]
    assert refer["reason_required"] is True
    assert refer["takes"] == ["party"]
    answer = await team.enabler.http.post(refer["href"], json={"party": PARTY, "reason": "Why?"})
    assert answer.status_code == 200


async def test_what_is_offered_is_taken_and_nothing_else_is(team: Team, house: House) -> None:
    details: dict[str, dict[str, Any]] = {
        "assign": {"assignee": team.colleague.person.email},
        "refer": {"party": PARTY},
        "attach": {"evidence_kind": "note", "evidence_reference": "wiki/note"},
        "change_tier": {"tier": "high"},
        "transfer": {"owner": (await house.visitor(Role.BUILDER)).person.email},
    }
    for command in sorted(set(Command)):
        key = await team.builder.hand_in()
        given = {"reason": "Because.", **details.get(command, {})}
        is_offered = command in await offered(team.enabler, key)
        answer = await team.enabler.give(key, command, **given)
        assert answer.status_code in ({200} if is_offered else {403, 409}), command


async def test_refer_review_and_return_gives_the_stage_back_to_whoever_had_it(team: Team) -> None:
    key = await team.builder.hand_in()
    await team.enabler.does(key, "claim")
    referred = await team.enabler.does(key, "refer", party=PARTY, reason="Whose data is it?")
    assert (referred["position"], referred["holder"]) == ("referred", PARTY)
    assert referred["transitions"][0]["subject"] == PARTY
    reviewing = await team.reviewer.does(key, "claim")
    assert (reviewing["position"], reviewing["mode"]) == ("reviewing", "working")
    asked = await team.reviewer.does(key, "ask", reason="Since when?")
    assert (asked["position"], asked["holder"]) == ("asked", "builder")
    answered = await team.builder.does(key, "answer", reason="Since 2019.")
    assert answered["assignee"]["name"] == team.reviewer.person.name
    back = await team.reviewer.does(key, "return", reason="It is ours.")
    assert (back["position"], back["holder"]) == ("claimed", "enablement")
    assert back["assignee"]["name"] == team.enabler.person.name


async def test_a_referral_is_recalled_by_those_who_hold_the_stage(team: Team) -> None:
    key = await team.builder.hand_in()
    await team.enabler.does(key, "refer", party=PARTY, reason="Your view?")
    refused = await team.reviewer.give(key, "recall", reason="No time.")
    assert refused.status_code == 403
    recalled = await team.colleague.does(key, "recall", reason="It has become clear.")
    assert (recalled["position"], recalled["holder"]) == ("queued", "enablement")


async def test_assign_names_a_colleague_by_email_or_id(team: Team) -> None:
    key = await team.builder.hand_in()
    given = await team.enabler.does(key, "assign", assignee=team.colleague.person.email)
    assert given["assignee"]["name"] == team.colleague.person.name
    assert given["transitions"][0]["subject"] == team.colleague.person.name
    taken = await team.enabler.does(key, "assign", assignee=team.enabler.person.id)
    assert taken["assignee"]["name"] == team.enabler.person.name
    for wrong in (team.builder, team.reviewer):
        answer = await team.enabler.give(key, "assign", assignee=wrong.person.email)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "assignee"
    assert (await team.enabler.give(key, "assign")).status_code == 422


async def test_release_puts_it_back_and_only_who_has_it_can(team: Team) -> None:
    key = await team.builder.hand_in()
    await team.enabler.does(key, "claim")
    refused = await team.colleague.give(key, "release")
    assert refused.status_code == 409
    assert refused.json()["detail"] == f"already claimed by {team.enabler.person.name}"
    released = await team.enabler.does(key, "release")
    assert (released["position"], released["assignee"]) == ("queued", None)


async def test_send_back_leads_to_what_was_built_and_its_evidence_is_stale(team: Team) -> None:
    key = await team.builder.hand_in()
    assert (await team.enabler.give(key, "send_back", reason="Bad.")).status_code == 409
    await to_build(team, key)
    await team.builder.does(key, "hand_over")
    report = {"evidence_kind": "evaluation-report", "evidence_reference": "wiki/1"}
    await team.enabler.does(key, "attach", **report)
    nowhere = await team.enabler.give(key, "send_back", reason="Bad.", to_stage="shape")
    assert nowhere.status_code == 422
    assert nowhere.json()["errors"][0]["field"] == "to_stage"
    back = await team.enabler.does(key, "send_back", reason="It fails.", to_stage="build")
    assert (back["stage"], back["position"], back["holder"]) == ("build", "building", "builder")
    await team.builder.does(key, "hand_over")
    assert (await team.builder.sees(f"use-cases/{key}"))["evidence_missing"] == [
        "evaluation-report"
    ]
    missing = await team.enabler.give(key, "approve")
    assert missing.status_code == 409
    assert missing.json()["detail"] == "evidence is missing: evaluation-report"


async def test_park_stops_every_clock_and_resume_starts_it_again(team: Team) -> None:
    key = await team.builder.hand_in()
    await team.enabler.does(key, "claim")
    parked = await team.builder.does(key, "park", reason="Budget.")
    assert (parked["position"], parked["holder"]) == ("parked", "parked")
    assert (await team.enabler.give(key, "approve")).status_code == 409
    resumed = await team.enabler.does(key, "resume")
    assert (resumed["position"], resumed["holder"]) == ("claimed", "enablement")


@pytest.mark.parametrize("end", ["decline", "withdraw"])
async def test_what_has_ended_stays_ended(team: Team, end: str) -> None:
    key = await team.builder.hand_in()
    who = team.enabler if end == "decline" else team.builder
    ended = await who.does(key, end, reason="There is one already.")
    assert (ended["holder"], ended["mode"]) == (None, None)
    there = await team.builder.sees(f"use-cases/{key}")
    assert there["status"] == ended["position"] == {"decline": "declined"}.get(end, "withdrawn")
    assert there["ended_at"] == ended["transitions"][0]["at"]
    for visitor in (team.builder, team.enabler):
        # A moment ago: whoever declined it can still take that back.
        can = {"take_back"} if end == "decline" and visitor is who else set()
        assert set(await offered(visitor, key)) == can
    for command in ("claim", "withdraw", "resume", "park"):
        answer = await team.builder.give(key, command, reason="Yet.")
        assert answer.status_code == 409, command


async def test_change_tier_changes_the_pathway_and_only_enablement_may(team: Team) -> None:
    key = await team.builder.hand_in()
    refused = await team.builder.give(key, "change_tier", tier="low", reason="It is nothing.")
    assert refused.status_code == 403
    changed = await team.enabler.does(key, "change_tier", tier="high", reason="It decides.")
    assert changed["transitions"][0]["tier"] == "high"
    there = await team.builder.sees(f"use-cases/{key}")
    assert (there["tier"], there["pathway"]) == ("high", "regulated")
    again = await team.enabler.give(key, "change_tier", tier="high", reason="It decides.")
    assert again.status_code == 422
    assert again.json()["errors"][0]["field"] == "tier"


async def test_evidence_says_who_attached_it_and_whether_they_own_the_case(team: Team) -> None:
    key = await team.builder.hand_in()
    for visitor in (team.builder, team.enabler):
        await visitor.does(key, "attach", evidence_kind="note", evidence_reference="wiki/note")
    there = await team.builder.sees(f"use-cases/{key}")
    assert [(item["attached_by"]["id"], item["attested"]) for item in there["evidence"]] == [
        (team.builder.person.id, False),
        (team.enabler.person.id, True),
    ]


@pytest.mark.parametrize(
    ("command", "given", "field"),
    [
        ("ask", {}, "reason"),
        ("ask", {"reason": "  "}, "reason"),
        ("ask", {"reason": "x" * 2001}, "reason"),
        ("decline", {}, "reason"),
        ("park", {}, "reason"),
        ("refer", {"reason": "Why?"}, "party"),
        ("refer", {"reason": "Why?", "party": "enablement"}, "party"),
        ("refer", {"reason": "Why?", "party": "builder"}, "party"),
        ("attach", {"evidence_kind": "note"}, "evidence_reference"),
        ("attach", {"evidence_reference": "note"}, "evidence_kind"),
        ("change_tier", {"reason": "Why?"}, "tier"),
        ("change_tier", {"reason": "Why?", "tier": "none"}, "tier"),
        ("claim", {"expected_sequence": 0}, "expected_sequence"),
        ("claim", {"expected_sequence": "1"}, "expected_sequence"),
        ("claim", {"expected_sequence": 2**31}, "expected_sequence"),
        ("claim", {"because": "x"}, "because"),
    ],
)
async def test_a_detail_that_is_missing_or_wrong_is_named(
    team: Team, command: str, given: dict[str, Any], field: str
) -> None:
    key = await team.builder.hand_in()
    answer = await team.enabler.give(key, command, **given)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await team.builder.sees(f"use-cases/{key}"))["sequence"] == 1


DETAILS: dict[str, Any] = {
    "assignee": "x",
    "party": "x",
    "to_stage": "x",
    "evidence_kind": "x",
    "evidence_reference": "x",
    "tier": "low",
}


@pytest.mark.parametrize("command", sorted(set(Command)))
async def test_a_detail_that_a_command_does_not_take_is_refused(
    team: Team, command: Command
) -> None:
    for name in set(DETAILS) - TAKES[command]:
        answer = await team.enabler.give("UC-1", command, **{name: DETAILS[name]})
        assert answer.status_code == 422, name
        assert answer.json()["errors"][0]["field"] == name


async def test_a_claim_needs_no_body_at_all(team: Team) -> None:
    key = await team.builder.hand_in()
    for body in (None, b"", b"null"):
        headers = {"Content-Type": "application/json"} if body else {}
        answer = await team.enabler.http.post(
            f"/v1/use-cases/{key}/commands/claim", content=body, headers=headers
        )
        assert answer.status_code == 200, answer.text
        await team.enabler.does(key, "release")


async def test_a_key_is_read_in_any_case_and_an_id_is_the_same_use_case(team: Team) -> None:
    key = await team.builder.hand_in()
    there = await team.builder.sees(f"use-cases/{key.lower()}")
    answers = [
        await team.enabler.give(name, "claim", idempotency_key="the-same")
        for name in (key, key.lower(), there["id"])
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["key"] == key


async def test_expected_sequence_refuses_what_has_been_overtaken(team: Team) -> None:
    key = await team.builder.hand_in()
    seen = (await team.enabler.sees(f"use-cases/{key}/actions"))["sequence"]
    await team.colleague.does(key, "attach", evidence_kind="note", evidence_reference="wiki")
    late = await team.enabler.give(key, "approve", expected_sequence=seen)
    assert late.status_code == 409
    assert late.json()["detail"] == "expected sequence 1, but it is at 2: look again"
    done = await team.enabler.does(key, "approve", expected_sequence=2)
    assert done["sequence"] == 3


async def test_of_many_at_once_with_the_same_expectation_one_gets_through(team: Team) -> None:
    key = await team.builder.hand_in()
    answers = await asyncio.gather(
        *(
            team.enabler.give(
                key, "attach", evidence_kind=str(n), evidence_reference="x", expected_sequence=1
            )
            for n in range(6)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5


async def test_nobody_gives_the_systems_own_commands(team: Team) -> None:
    key = await team.builder.hand_in()
    for command in BY_THE_SYSTEM:
        assert (await team.enabler.give(key, command)).status_code == 403
    assert (await team.enabler.give(key, "submit")).status_code == 409
    assert (await team.enabler.give(key, "explode")).status_code == 422


async def test_a_refusal_names_the_position_and_the_stage(team: Team) -> None:
    key = await team.builder.hand_in()
    answer = await team.builder.give(key, "go_live")
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["type"] == "urn:headway:problem:not-possible"
    assert problem["detail"] == "cannot go live while it is queued in triage"
    assert problem["instance"] == f"/v1/use-cases/{key}/commands/go_live"


async def test_a_decline_is_taken_back_within_ten_seconds_by_whoever_declined(team: Team) -> None:
    """On real engines: the workflow lingers, everything is as it was, and repeating is safe."""
    key = await team.builder.hand_in()
    before = await team.builder.sees(f"use-cases/{key}")
    await team.enabler.does(key, "decline", reason="There is one already.")
    actions = await team.enabler.sees(f"use-cases/{key}/actions")
    assert actions["take_back_until"] is not None
    assert (await team.colleague.give(key, "take_back")).status_code == 403

    back = await team.enabler.give(key, "take_back", idempotency_key="back")
    again = await team.enabler.give(key, "take_back", idempotency_key="back")

    assert back.status_code == again.status_code == 200
    assert back.json()["transitions"] == again.json()["transitions"]
    after = await team.builder.sees(f"use-cases/{key}")
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"sequence", "target_used"}
    clock = await team.builder.sees(f"use-cases/{key}/clock")
    assert [(one["holder"], one["mode"]) for one in clock["spans"]] == [("enablement", "waiting")]
    log = (await team.builder.sees(f"use-cases/{key}/transitions"))["items"]
    assert [step["command"] for step in log] == ["submit", "decline", "take_back"]
    assert (await team.enabler.give(key, "take_back")).status_code == 409
    assert (await team.enabler.does(key, "approve"))["stage"] == "shape"


async def test_a_referral_that_is_taken_back_is_read_by_that_party_no_more(team: Team) -> None:
    key = await team.builder.hand_in()
    await team.enabler.does(key, "refer", party=PARTY, reason="Whose data is it?")
    await team.reviewer.sees(f"use-cases/{key}")

    await team.enabler.does(key, "take_back")

    assert (await team.reviewer.http.get(f"/v1/use-cases/{key}")).status_code == 404


async def test_taking_up_and_undoing_leaves_the_visible_wait_as_it_was(team: Team) -> None:
    key = await team.builder.hand_in()
    before = await team.builder.sees(f"use-cases/{key}")
    for undo in ("take_back", "release"):
        await team.enabler.does(key, "claim")
        await team.enabler.does(key, undo)
        after = await team.builder.sees(f"use-cases/{key}")
        assert after["turn_since"] == before["turn_since"]
    clock = await team.builder.sees(f"use-cases/{key}/clock")
    assert [(one["holder"], one["mode"]) for one in clock["spans"]] == [("enablement", "waiting")]
