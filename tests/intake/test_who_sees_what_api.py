"""Rules per object: who sees a use case, and who decides on it."""

from service.domain.people import Role
from tests.kit.house import House, Visitor

READS = ("", "/transitions", "/clock", "/actions", "/decisions/0")


async def sees(visitor: Visitor, key: str) -> bool:
    """Whether somebody can read a use case; every way to it must say the same."""
    answers = {(await visitor.http.get(f"/v1/use-cases/{key}{path}")).status_code for path in READS}
    page = await visitor.sees("use-cases?limit=200")
    listed = key in {item["key"] for item in page["items"]}
    assert answers == ({200} if listed else {404})
    return listed


async def test_a_builder_sees_what_they_own_and_nothing_else(house: House) -> None:
    owner, co_owner = await house.visitor(Role.BUILDER), await house.visitor(Role.BUILDER)
    submitter, stranger = await house.visitor(Role.BUILDER), await house.visitor(Role.BUILDER)
    key = await submitter.hand_in(owner=owner.person.email, co_owners=[co_owner.person.email])
    for visitor in (owner, co_owner, submitter):
        assert await sees(visitor, key)
    assert not await sees(stranger, key)


async def test_what_one_may_not_see_looks_like_what_is_not_there(house: House) -> None:
    builder, stranger = await house.visitor(Role.BUILDER), await house.visitor(Role.BUILDER)
    key = await builder.hand_in()
    seen = (await builder.sees(f"use-cases/{key}"))["id"]
    for name in (key, seen):
        hidden = await stranger.http.get(f"/v1/use-cases/{name}")
        assert hidden.status_code == 404
        assert hidden.json()["detail"] == f"there is no use case {name}"
        decided = await stranger.give(name, "withdraw", reason="not mine")
        assert decided.status_code == 404


async def test_a_reviewer_sees_what_is_or_was_with_their_party(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    party = f"legal-{builder.person.id[:8]}"
    legal = await house.visitor(Role.REVIEWER, party=party)
    risk = await house.visitor(Role.REVIEWER, party=f"risk-{builder.person.id[:8]}")
    key = await builder.hand_in()
    assert not await sees(legal, key)
    await enabler.does(key, "refer", party=party, reason="Whose data is it?")
    assert await sees(legal, key)
    assert not await sees(risk, key)
    await legal.does(key, "return", reason="Ours.")
    assert await sees(legal, key)
    assert (await legal.give(key, "claim")).status_code == 403


async def test_a_referral_shows_the_party_that_use_case_and_no_other(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    parties = [f"{name}-{builder.person.id[:8]}" for name in ("legal", "security")]
    legal, security = [await house.visitor(Role.REVIEWER, party=party) for party in parties]
    keys = [await builder.hand_in() for _ in parties]
    for key, party in zip(keys, parties, strict=True):
        await enabler.does(key, "refer", party=party, reason="Your view?")
    assert [await sees(legal, key) for key in keys] == [True, False]
    assert [await sees(security, key) for key in keys] == [False, True]


async def test_leaders_and_admins_read_everything_and_decide_nothing(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    key = await builder.hand_in()
    for role in (Role.LEADER, Role.ADMIN):
        reader = await house.visitor(role)
        assert await sees(reader, key)
        items = (await reader.sees(f"use-cases/{key}/actions"))["items"]
        # An administrator can hand over what its owner has left behind, and decides nothing.
        allowed = ["transfer"] if role is Role.ADMIN else []
        assert [item["command"] for item in items] == allowed
        for command in ("claim", "approve", "withdraw", "park", "change_tier", "pass"):
            assert (await reader.give(key, command, reason="I say so")).status_code == 403, command
        handed_in = await reader.http.post("/v1/use-cases", json={})
        assert handed_in.status_code in {403, 422}
        assert (await builder.sees(f"use-cases/{key}"))["sequence"] == 1


async def test_reports_are_for_leaders_enablers_and_admins(house: House) -> None:
    for role in Role:
        visitor = await house.visitor(role, party="risk" if role is Role.REVIEWER else None)
        answer = await visitor.http.get("/v1/reports/verdict")
        allowed = role in {Role.LEADER, Role.ENABLER, Role.ADMIN}
        assert answer.status_code == (200 if allowed else 403), role


async def test_nobody_decides_on_their_own_use_case_whatever_roles_they_have(house: House) -> None:
    mighty = await house.visitor(*Role, party="risk", certified=("responsible-ai",))
    other = await house.visitor(Role.BUILDER, Role.ENABLER)
    owned = await mighty.hand_in()
    co_owned = await other.hand_in(co_owners=[mighty.person.email])
    handed_over = await mighty.hand_in(owner=other.person.email)
    for key in (owned, co_owned, handed_over):
        for command in ("claim", "approve", "decline", "refer", "ask", "change_tier", "assign"):
            answer = await mighty.give(key, command, reason="It is good.")
            assert answer.status_code == 403, command
            assert "you own this use case" in answer.json()["detail"]
        offered = {
            item["command"] for item in (await mighty.sees(f"use-cases/{key}/actions"))["items"]
        }
        assert offered == {"attach", "park", "withdraw", "transfer"}
        assert key not in {item["key"] for item in (await mighty.sees("queue"))["items"]}


async def test_a_gate_is_not_passed_by_what_its_owners_attach(house: House) -> None:
    owner = await house.visitor(Role.BUILDER, Role.ENABLER)
    enabler = await house.visitor(Role.ENABLER)
    key = await owner.hand_in()
    proof = {"evidence_kind": "approved-pattern", "evidence_reference": "wiki/pattern"}
    await owner.does(key, "attach", **proof)
    assert (await owner.sees(f"use-cases/{key}"))["stage"] == "triage"
    attested = await enabler.does(key, "attach", **proof)
    assert [step["command"] for step in attested["transitions"]] == ["attach", "pass"]
    assert attested["stage"] == "shape"
