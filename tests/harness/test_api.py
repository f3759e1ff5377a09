"""Runs over HTTP: a machine brings them, they are kept once, a pass opens its gate."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.domain.people import Role
from service.harness.gates import attach_waiting
from tests.harness.living import at_evaluate, brings, harness, machine, two
from tests.harness.samples import JUNIT, dot_eval, inspect, native, promptfoo
from tests.kit.contract import DOCUMENT, operations
from tests.kit.house import House, Visitor

PASSED = {"metric": "passed", "bound": "at_least", "threshold": 0.9, "limit": False}


async def evidence(by: Visitor, key: str) -> list[tuple[str, str, str]]:
    found = (await by.sees(f"use-cases/{key}"))["evidence"]
    return [(one["kind"], one["reference"], one["attached_by"]["id"]) for one in found]


async def test_a_job_brings_an_inspect_log_and_a_promptfoo_result_and_the_gate_opens(
    house: House,
) -> None:
    """Within a second (0.15 s on two quiet cores; a busy machine gets three); said again, nothing
    changes."""
    builder, greta = await two(house)
    answers = await harness(greta)
    suppliers = await harness(greta, rules=[{**PASSED, "threshold": 0.99}])
    key = await at_evaluate(builder, greta)
    async with await machine(house, builder, key) as ci:
        failed = await brings(ci, key, promptfoo(), suppliers)
        assert failed.status_code == 201, failed.text
        said = failed.json()
        assert (said["verdict"], said["gate"]) == ("failed", "none")
        [rule] = said["rules"]
        assert (rule["missed"], round(rule["missed_by"], 3)) == ("score", 0.05)
        assert rule["said"] == "passed: 0.94 is 0.05 below 0.99"
        assert (await builder.sees(f"use-cases/{key}"))["stage"] == "evaluate"

        began = datetime.now(UTC)
        passed = await brings(ci, key, inspect(), answers)
        assert datetime.now(UTC) - began < timedelta(seconds=3)
        assert passed.status_code == 201, passed.text
        run = passed.json()
        assert (run["verdict"], run["gate"], run["by"]) == ("passed", "opened", "nightly CI")
        found = await builder.sees(f"use-cases/{key}")
        assert found["stage"] == "launch-review", "passed without a human"
        reference = f"harness: {answers}, version 1, run {run['id']}"
        assert await evidence(builder, key) == [
            ("evaluation-report", reference, greta.person.id),
            ("harness-pass", reference, greta.person.id),
        ]
        history = await builder.sees(f"use-cases/{key}/transitions")

        for content in (inspect(), dot_eval()):
            again = await brings(ci, key, content, answers)
            assert (again.status_code, again.json()) == (200, run)
        other = await brings(ci, key, inspect(score=0.99), answers)
        assert (other.status_code, "found something else" in other.text) == (409, True)
        fresh = await brings(ci, key, inspect(eval_id="kX3"), answers)
        assert (fresh.status_code, fresh.json()["gate"]) == (201, "none"), "it has passed already"
    assert await builder.sees(f"use-cases/{key}/transitions") == history
    runs = await builder.sees(f"use-cases/{key}/harness-runs")
    assert [one["harness"] for one in runs["items"]].count(answers) == 2
    assert next(one for one in runs["items"] if one["id"] == run["id"]) == run


@pytest.mark.parametrize(
    ("content", "rules", "format_"),
    [
        (native(), [{**PASSED, "metric": "accuracy"}], "native"),
        (inspect(), [{**PASSED, "metric": "match/accuracy"}], "inspect"),
        (dot_eval(), [{**PASSED, "metric": "accuracy"}], "inspect"),
        (promptfoo(), [PASSED], "promptfoo"),
        (JUNIT, [{**PASSED, "threshold": 0.5}], "junit"),
    ],
)
async def test_every_format_can_pass_ahead_of_its_gate(
    house: House, content: bytes, rules: list[dict[str, Any]], format_: str
) -> None:
    builder, greta = await two(house)
    asset, key = await harness(greta, rules=rules), await builder.hand_in()
    answer = await brings(builder, key, content, asset)
    said = answer.json()
    assert (answer.status_code, said["verdict"], said["gate"]) == (201, "passed", "attached")
    assert said["format"] == format_
    assert [kind for kind, *_ in await evidence(builder, key)] == [
        "evaluation-report",
        "harness-pass",
    ]
    again = await brings(builder, key, content, asset)
    assert (again.status_code, again.json()) == (200, said)


@pytest.mark.parametrize(
    ("changes", "handed_in", "why"),
    [
        ({"tiers": []}, {}, "names no tier"),
        ({"tiers": ["high"]}, {}, "another tier"),
        ({"stages": ["triage"]}, {}, "another stage"),
        ({"rules": []}, {}, "no rules"),
        ({}, {"tier": "low"}, "no gate names it"),
    ],
)
async def test_what_does_not_serve_it_is_kept_and_opens_nothing(
    house: House, changes: dict[str, Any], handed_in: dict[str, Any], why: str
) -> None:
    builder, greta = await two(house)
    asset, key = await harness(greta, **changes), await builder.hand_in(**handed_in)
    answer = await brings(builder, key, native(), asset)
    assert (answer.status_code, answer.json()["gate"]) == (201, "none"), why
    assert await evidence(builder, key) == []


async def test_whoever_published_it_opens_no_gate_of_their_own(house: House) -> None:
    both = await house.visitor(Role.BUILDER, Role.ENABLER)
    asset, key = await harness(both), await both.hand_in()
    answer = await brings(both, key, native(), asset)
    assert (answer.json()["verdict"], answer.json()["gate"]) == ("passed", "none")
    assert await evidence(both, key) == []


async def test_what_was_sent_back_needs_a_new_run(house: House) -> None:
    builder, greta = await two(house)
    asset, key = await harness(greta), await at_evaluate(builder, greta)
    assert (await brings(builder, key, native(run_id="a"), asset)).json()["gate"] == "opened"
    await greta.does(key, "send_back", reason="The prompt has changed.")
    await builder.does(key, "hand_over")
    assert (await brings(builder, key, native(run_id="a"), asset)).status_code == 200
    assert (await builder.sees(f"use-cases/{key}"))["stage"] == "evaluate"
    assert (await brings(builder, key, native(run_id="b"), asset)).json()["gate"] == "opened"


async def test_a_parked_use_case_gets_it_when_it_goes_on(house: House) -> None:
    builder, greta = await two(house)
    asset, key = await harness(greta), await at_evaluate(builder, greta)
    await builder.does(key, "park", reason="Holidays.")
    assert (await brings(builder, key, native(), asset)).json()["gate"] == "waiting"
    soon = datetime.now(UTC) + timedelta(seconds=9)
    await attach_waiting(house.sessions, house.engine, at=soon)
    assert (await builder.sees(f"use-cases/{key}"))["position"] == "parked"
    await builder.does(key, "resume")
    await attach_waiting(house.sessions, house.engine, at=soon + timedelta(seconds=9))
    assert (await builder.sees(f"use-cases/{key}"))["stage"] == "launch-review"
    [run] = (await builder.sees(f"use-cases/{key}/harness-runs"))["items"]
    assert run["gate"] == "opened"


async def test_the_same_run_many_times_at_once_is_one_and_two_runs_attach_once(
    house: House,
) -> None:
    builder, greta = await two(house)
    asset, key = await harness(greta), await at_evaluate(builder, greta)
    contents = [native(run_id=name) for name in "aaaabbbb"]
    answers = await asyncio.gather(*(brings(builder, key, one, asset) for one in contents))
    assert sorted(one.status_code for one in answers) == [200] * 6 + [201] * 2
    soon = datetime.now(UTC) + timedelta(seconds=9)
    await attach_waiting(house.sessions, house.engine, at=soon)
    kinds = [kind for kind, *_ in await evidence(builder, key)]
    assert kinds == ["evaluation-report", "harness-pass"]


async def test_what_makes_no_sense_is_said(house: House) -> None:
    builder, greta = await two(house)
    asset, key = await harness(greta), await builder.hand_in()
    pattern = await harness(greta, kind="pattern", rules=[])
    for content, query, status, said in (
        (native(), {}, 422, "say which one: ?harness=KEY"),
        (native(), {"harness": "none"}, 422, "no such one in the library"),
        (native(), {"harness": pattern}, 422, "is a pattern"),
        (native(harness="other"), {"harness": asset}, 422, "the file says 'other'"),
        (native(version=1), {"harness": asset, "version": 2}, 422, "the file says 1"),
        (native(), {"harness": asset, "version": 9}, 422, "has no version 9"),
        (native(), {"harness": asset, "version": 0}, 422, "version"),
        (native(finished_at="2999-01-01T00:00:00Z"), {"harness": asset}, 422, "still to come"),
        (native(finished_at="0001-01-01T00:00:00+14:00"), {"harness": asset}, 422, "2000"),
        (b"accuracy: 0.9", {"harness": asset}, 422, "JUnit XML"),
        (b"\xff\xfe\x00", {"harness": asset}, 422, "XML"),
        (b"{" + b" " * 10_500_000, {"harness": asset}, 413, "too large"),
    ):
        answer = await brings(builder, key, content, **query)
        assert (answer.status_code, said in answer.text) == (status, True), answer.text
    named = await brings(builder, key, native(harness=asset))
    assert named.status_code == 201, "the file may name it"
    await greta.http.post(f"/v1/library/{asset}/versions/1/withdraw", json={"reason": "Old."})
    assert (await brings(builder, key, native(harness=asset))).status_code == 200
    assert (await brings(builder, key, native(run_id="new"), asset)).status_code == 409
    gone = await builder.hand_in()
    await builder.does(gone, "withdraw", reason="No.")
    kept = await harness(greta)
    assert (await brings(builder, gone, native(), kept)).status_code == 409


async def test_rules_are_for_harnesses_and_are_shown(house: House) -> None:
    _, greta = await two(house)
    asset = await harness(greta)
    found = await greta.sees(f"library/{asset}")
    assert found["versions"][0]["rules"] == [
        {
            "metric": "accuracy",
            "bound": "at_least",
            "threshold": 0.85,
            "least_samples": 100,
            "limit": False,
        }
    ]
    body = {"kind": "pattern", "title": "T", "text": "T", "key": "of-rules", "rules": [PASSED]}
    answer = await greta.http.post("/v1/library", json=body)
    assert (answer.status_code, "rules are for a harness" in answer.text) == (422, True)
    for wrong in ({"threshold": "0.9"}, {"bound": "over"}, {"metric": " "}, {"more": 1}):
        body |= {"kind": "harness", "rules": [{**PASSED, **wrong}]}
        assert (await greta.http.post("/v1/library", json=body)).status_code == 422, wrong


async def test_a_run_that_fails_after_going_live_is_worse_than_before(house: House) -> None:
    builder, greta = await two(house)
    leader = await house.visitor(Role.LEADER)
    asset, key = await harness(greta), await builder.hand_in(tier="low")
    await brings(builder, key, native(run_id="a"), asset)
    await builder.does(key, "go_live")

    async def worse() -> tuple[list[str], bool]:
        runs = await leader.sees(f"use-cases/{key}/harness-runs")
        page = await leader.sees("portfolio?gap=regressed&limit=200")
        lines = [line for line in page["items"] if line["key"] == key]
        assert all(line["regressions"] == [asset] for line in lines)
        return [one["harness"] for one in runs["regressions"]], bool(lines)

    assert await worse() == ([], False)
    moment = datetime.now(UTC).isoformat()
    answer = await brings(builder, key, native(0.8, run_id="b"), asset)
    assert (answer.status_code, answer.json()["verdict"]) == (201, "failed")
    assert await worse() == ([asset], True)
    then = await leader.http.get(f"/v1/use-cases/{key}/harness-runs", params={"as_of": moment})
    assert (then.json()["regressions"], len(then.json()["items"])) == ([], 1)
    await brings(builder, key, native(run_id="c"), asset)
    assert await worse() == ([], False)


async def test_nothing_of_a_run_can_be_changed(house: House) -> None:
    builder, greta = await two(house)
    asset, key = await harness(greta), await builder.hand_in()
    run = (await brings(builder, key, native(0.1), asset)).json()["id"]
    for change in ("UPDATE harness_run SET verdict = 'passed'", "DELETE FROM harness_run"):
        with pytest.raises(DBAPIError, match="never changed or deleted"):
            async with house.sessions.begin() as session:
                await session.execute(text(f"{change} WHERE id = {run}"))


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_and_every_command(house: House, role: Role) -> None:
    builder, greta = await two(house)
    visitor = await house.visitor(role, party="risk" if role is Role.REVIEWER else None)
    unit = f"Unit {visitor.person.id[:8]}"
    asset, key = await harness(greta), await builder.hand_in(business_unit=unit)
    http, path = visitor.http, f"/v1/use-cases/{key}"
    sees = {Role.ENABLER, Role.LEADER, Role.ADMIN}
    units = {Role.ENABLER, Role.ADMIN}
    body: dict[str, Any] = {"label": "CI"}
    made = await builder.http.post(f"{path}/harness-tokens", json=body)
    own = made.json()["id"]
    of_unit = await greta.http.post("/v1/harness-tokens", json={**body, "business_unit": unit})
    for command, answer, may, status in (
        ("bring", await brings(visitor, key, native(), asset), {Role.ENABLER}, 201),
        ("read", await http.get(f"{path}/harness-runs"), sees, 200),
        ("list", await http.get(f"{path}/harness-tokens"), units, 200),
        ("make", await http.post(f"{path}/harness-tokens", json=body), set(), 201),
        ("revoke", await http.delete(f"{path}/harness-tokens/{own}"), units, 204),
    ):
        refused = 403 if role in sees else 404
        assert answer.status_code == (status if role in may else refused), (command, answer.text)
    for command, answer, status in (
        ("list", await http.get("/v1/harness-tokens"), 200),
        ("make", await http.post("/v1/harness-tokens", json={**body, "business_unit": unit}), 201),
        ("revoke", await http.delete(f"/v1/harness-tokens/{of_unit.json()['id']}"), 204),
    ):
        assert answer.status_code == (status if role in units else 403), (command, answer.text)


async def test_a_harness_token_can_do_nothing_else_whatever_is_asked(house: House) -> None:
    """Every operation of the document, with the token of a use case and with that of a unit."""
    builder, greta = await two(house)
    asset = await harness(greta)
    unit = f"Unit {builder.person.id[:8]}"
    key = await builder.hand_in(business_unit=unit)
    other = await builder.hand_in()
    made = await greta.http.post("/v1/harness-tokens", json={"label": "CI", "business_unit": unit})
    of_unit = house.anonymous()
    of_unit.headers["Authorization"] = f"Bearer {made.json()['token']}"
    async with await machine(house, builder, key) as of_one, of_unit:
        for number, http in enumerate((of_one, of_unit)):
            answered = {}
            for operation in operations(DOCUMENT):
                path = operation.path.replace("{key}", key).replace("{command}", "claim")
                path = re.sub(r"\{\w+\}", "x-1", path)
                answer = await http.request(operation.method, path)
                answered[str(operation)] = answer.status_code
            one = "POST /v1/use-cases/{key}/harness-runs"
            assert answered.pop(one) == 422, "an empty file"
            open_to_all = {name for name, status in answered.items() if status != 401}
            assert open_to_all == {"GET /health", "GET /version"}
            run = native(run_id=str(number))
            assert (await brings(http, key, run, asset)).status_code == 201
            assert (await brings(http, other, run, asset)).status_code == 404
            assert (await brings(http, "UC-999999999", run, asset)).status_code == 404
            page = await http.get("/library", follow_redirects=False)
            assert page.status_code in {303, 401}


async def test_a_token_is_shown_once_listed_with_its_last_use_and_ends(house: House) -> None:
    builder, greta = await two(house)
    admin = await house.visitor(Role.ADMIN)
    asset, key = await harness(greta), await builder.hand_in()
    path = f"/v1/use-cases/{key}/harness-tokens"
    made = (await builder.http.post(path, json={"label": "CI", "days": 1})).json()
    assert made["token"].startswith(f"hwh_{made['id']}_")
    [listed] = (await builder.sees(path.removeprefix("/v1/")))["items"]
    assert (listed["label"], listed["by"], listed["used_at"]) == ("CI", builder.person.name, None)
    assert "token" not in listed
    async with house.sessions() as session:
        kept = await session.execute(
            text("SELECT digest, label FROM harness_token WHERE id = :id"), {"id": made["id"]}
        )
        assert made["token"].encode() not in kept.one().digest

    async def posts(token: str) -> int:
        async with house.anonymous() as http:
            http.headers["Authorization"] = f"Bearer {token}"
            return (await brings(http, key, native(), asset)).status_code

    assert await posts(made["token"]) == 201
    [listed] = (await builder.sees(path.removeprefix("/v1/")))["items"]
    assert listed["used_at"] is not None
    wrong = made["token"][:-1] + ("A" if made["token"][-1] != "A" else "B")
    for token in (wrong, "hwh_x", f"hwh_{'0' * 16}_{'a' * 43}", made["token"][1:], ""):
        assert await posts(token or "hwh_") == 401, token
    assert (await builder.http.delete(f"{path}/{made['id']}")).status_code == 204
    assert (await builder.http.delete(f"{path}/{made['id']}")).status_code == 404
    assert await posts(made["token"]) == 401, "revoked"
    late = (await builder.http.post(path, json={"label": "CI", "days": 1})).json()
    async with house.sessions.begin() as session:
        await session.execute(
            text("UPDATE harness_token SET expires_at = now() WHERE id = :id"), {"id": late["id"]}
        )
    assert await posts(late["token"]) == 401, "expired"
    for body in ({"label": " "}, {"label": "CI", "days": 0}, {"label": "CI", "days": 999}, {}):
        assert (await builder.http.post(path, json=body)).status_code == 422, body
    unit: dict[str, Any] = {"label": "CI", "business_unit": "Nowhere at all"}
    assert (await greta.http.post("/v1/harness-tokens", json=unit)).status_code == 422
    last = (await builder.http.post(path, json={"label": "CI"})).json()
    other = await house.visitor(Role.BUILDER)
    given = await builder.hand_in()
    theirs = f"/v1/use-cases/{given}/harness-tokens"
    kept = (await builder.http.post(theirs, json={"label": "CI"})).json()["token"]
    await builder.does(given, "transfer", owner=other.person.email, reason="It is yours.")
    async with house.anonymous() as http:
        http.headers["Authorization"] = f"Bearer {kept}"
        assert (await brings(http, given, native(), asset)).status_code == 401, "given away"
    await builder.does(key, "withdraw", reason="No.")
    left = await admin.http.patch(f"/v1/people/{builder.person.id}", json={"active": False})
    assert left.status_code == 200, left.text
    assert await posts(last["token"]) == 401, "its maker has left"


async def test_a_token_without_the_right_to_know_says_nothing(house: House) -> None:
    async with house.anonymous() as http:
        answer: httpx.Response = await brings(http, "UC-1", native())
        assert answer.status_code == 401
        stranger = await house.visitor(Role.BUILDER)
        builder = await house.visitor(Role.BUILDER)
        key = await builder.hand_in()
        assert (await brings(stranger, key, native())).status_code == 404
