"""The library over HTTP: anybody proposes, enablement publishes, use cases take, a gate opens."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service.domain.people import Role
from tests.kit.browsing import guest
from tests.kit.house import House, Visitor

WHY = {"reason": "Three teams have used it."}
PATTERN = {
    "kind": "pattern",
    "title": "Sort what comes in by urgency",
    "text": "Use it **where nobody decides by it alone**.",
    "tags": ["Triage"],
    "tiers": ["medium"],
    "stages": ["triage"],
}


async def proposed(by: Visitor, **changes: Any) -> str:
    key = f"asset-{uuid.uuid4().hex[:10]}"
    answer = await by.http.post("/v1/library", json={"key": key, **PATTERN, **changes})
    assert answer.status_code == 201, answer.text
    return key


async def decided(by: Visitor, key: str, verb: str, number: int = 1) -> httpx.Response:
    return await by.http.post(f"/v1/library/{key}/versions/{number}/{verb}", json=WHY)


async def published(by: Visitor, **changes: Any) -> str:
    key = await proposed(by, **changes)
    answer = await decided(by, key, "publish")
    assert answer.status_code == 200, answer.text
    return key


async def revised(by: Visitor, key: str, changed: str, **changes: Any) -> None:
    """Another version, published."""
    body = {**PATTERN, "changed": changed, **changes}
    body.pop("kind")
    answer = await by.http.post(f"/v1/library/{key}/versions", json=body)
    assert answer.status_code == 201, answer.text
    number = answer.json()["versions"][-1]["number"]
    assert (await decided(by, key, "publish", number)).status_code == 200


async def taken(by: Visitor, use_case: str, asset: str, **more: Any) -> httpx.Response:
    body = {"asset": asset, **more}
    return await by.http.post(f"/v1/use-cases/{use_case}/adoptions", json=body)


async def brought_in(by: Visitor, *rows: str, **more: Any) -> httpx.Response:
    text = "\n".join(["use_case,asset,adopted_at", *rows])
    return await by.http.post("/v1/library/adoptions", json={"csv": text, **more})


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_and_every_command(house: House, role: Role) -> None:
    greta, builder = await house.visitor(Role.ENABLER), await house.visitor(Role.BUILDER)
    visitor = await house.visitor(role, party="risk" if role is Role.REVIEWER else None)
    key, draft = await published(greta), await proposed(builder)
    standard = await published(greta, kind="standard")
    use_case, http = await builder.hand_in(), visitor.http
    everybody, enablement = set(Role), {Role.ENABLER}
    sees = {Role.ENABLER, Role.LEADER, Role.ADMIN}
    until = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    exemption = {"asset": standard, "until": until, **WHY}
    version = {name: value for name, value in PATTERN.items() if name != "kind"}

    asked = {
        "search": (await http.get("/v1/library"), everybody, 200),
        "read": (await http.get(f"/v1/library/{draft}"), everybody, 200),
        "propose": (
            await http.post("/v1/library", json={"key": f"by-{role}-{key}", **PATTERN}),
            everybody,
            201,
        ),
        "propose a version": (
            await http.post(f"/v1/library/{key}/versions", json={**version, "changed": "More."}),
            everybody,
            201,
        ),
        "publish": (await decided(visitor, draft, "publish"), enablement, 200),
        "deprecate": (await decided(visitor, draft, "deprecate"), enablement, 200),
        "withdraw": (await decided(visitor, draft, "withdraw"), enablement, 200),
        "bring in": (await brought_in(visitor, f"{use_case},{key},2026-01-05"), enablement, 200),
    }
    for command, (answer, may, status) in asked.items():
        assert answer.status_code == (status if role in may else 403), (command, answer.text)
    for command, answer, may, status in (
        ("take", await taken(visitor, use_case, key), enablement, 201),
        (
            "exempt",
            await http.post(f"/v1/use-cases/{use_case}/exemptions", json=exemption),
            enablement,
            201,
        ),
        ("list", await http.get(f"/v1/use-cases/{use_case}/adoptions"), sees, 200),
    ):
        refused = 403 if role in sees else 404
        assert answer.status_code == (status if role in may else refused), (command, answer.text)


async def test_nobody_without_a_token_reads_it(house: House) -> None:
    async with house.anonymous() as http:
        assert (await http.get("/v1/library")).status_code == 401


async def test_a_published_pattern_opens_the_gate_through_the_workflow_once(house: House) -> None:
    builder, greta = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key, use_case = await published(greta), await builder.hand_in()
    assert (await builder.sees(f"use-cases/{use_case}"))["stage"] == "triage"

    answer = await taken(builder, use_case, key)
    assert (answer.status_code, answer.json()["opened"]) == (201, True)
    found = await builder.sees(f"use-cases/{use_case}")
    assert found["stage"] == "shape", "passed without a human"
    [item] = found["evidence"]
    assert (item["kind"], item["reference"]) == ("approved-pattern", f"library: {key}, version 1")
    assert item["attached_by"]["id"] == greta.person.id
    again = await taken(builder, use_case, key)
    assert (again.status_code, again.json()["opened"]) == (201, False)
    assert len(again.json()["adoptions"]) == 1
    assert len((await builder.sees(f"use-cases/{use_case}"))["evidence"]) == 1


async def test_adoptions_of_the_past_are_brought_in_once_and_open_nothing(house: House) -> None:
    builder, greta = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key, use_case = await published(greta), await builder.hand_in()
    row = f"{use_case},{key},2026-01-05T10:00:00Z"
    early = await brought_in(greta, row)
    assert early.status_code == 200, early.text
    assert early.json()["rejects"] == [
        {"line": 2, "reason": f"no version of {key} was published by 2026-01-05 10:00 UTC"}
    ]
    for new, known in ((1, 0), (0, 1)):
        answer = (await brought_in(greta, row, before_published=True)).json()
        assert answer == {
            **{"read": 1, "accepted": 1, "new": new, "known": known},
            **{"rejected": 0, "rejects": []},
        }
    found = await builder.sees(f"use-cases/{use_case}")
    assert (found["stage"], found["evidence"]) == ("triage", [])
    [used] = (await builder.sees(f"use-cases/{use_case}/adoptions"))["items"]
    [one] = used["adoptions"]
    assert (one["number"], one["at"], one["by"]) == (1, "2026-01-05T10:00:00Z", greta.person.name)
    assert one["imported_at"] is not None
    page = await (await guest(house, Role.ENABLER)).sees(f"/use-cases/{use_case}")
    assert f"brought in afterwards by {greta.person.name}" in page.text
    assert (await brought_in(greta, "x,y", before_published=True)).json()["rejected"] == 1
    assert (await brought_in(greta)).status_code == 422


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "standard"}, "no pattern"),
        ({"tiers": []}, "names no tier"),
        ({"tiers": ["low", "high"]}, "another tier"),
        ({"stages": ["evaluate"]}, "another stage"),
    ],
)
async def test_what_does_not_serve_it_is_taken_and_opens_nothing(
    house: House, changes: dict[str, Any], why: str
) -> None:
    builder, greta = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key, use_case = await published(greta, **changes), await builder.hand_in()
    answer = await taken(builder, use_case, key)
    assert (answer.status_code, answer.json()["opened"]) == (201, False), why
    found = await builder.sees(f"use-cases/{use_case}")
    assert (found["stage"], found["evidence"]) == ("triage", [])


async def test_whoever_published_it_opens_no_gate_of_their_own(house: House) -> None:
    both = await house.visitor(Role.BUILDER, Role.ENABLER)
    key, use_case = await published(both), await both.hand_in()
    assert (await taken(both, use_case, key)).json()["opened"] is False
    assert (await both.sees(f"use-cases/{use_case}"))["stage"] == "triage"
    colleague = await house.visitor(Role.ENABLER)
    assert (await taken(colleague, use_case, key)).json()["opened"] is True
    [item] = (await both.sees(f"use-cases/{use_case}"))["evidence"]
    assert item["attached_by"]["id"] == colleague.person.id


async def test_whoever_has_left_vouches_for_nothing(house: House) -> None:
    builder, greta = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    admin = await house.visitor(Role.ADMIN)
    key, use_case = await published(greta), await builder.hand_in()
    left = await admin.http.patch(f"/v1/people/{greta.person.id}", json={"active": False})
    assert left.status_code == 200, left.text
    assert (await taken(builder, use_case, key)).json()["opened"] is False


async def test_while_it_is_parked_the_adoption_is_written_and_nothing_opens(house: House) -> None:
    builder, greta = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key, use_case = await published(greta), await builder.hand_in()
    await builder.does(use_case, "park", reason="Later.")
    answer = await taken(builder, use_case, key)
    assert (answer.status_code, answer.json()["opened"]) == (201, False)
    await builder.does(use_case, "resume")
    assert (await taken(builder, use_case, key)).json()["opened"] is True


async def test_versions_adoptions_and_drift_are_on_record(house: House) -> None:
    builder, greta = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    stranger = await house.visitor(Role.BUILDER)
    key, use_case = await proposed(builder), await builder.hand_in()
    assert (await taken(builder, use_case, key)).status_code == 409, "a draft is not taken"
    assert (await decided(greta, key, "deprecate")).status_code == 409
    assert (await decided(greta, key, "publish")).status_code == 200
    assert (await decided(greta, key, "publish")).status_code == 409
    assert (await taken(builder, use_case, key)).status_code == 201
    await revised(greta, key, "Also for photographs.", title="Sort photographs, too")

    [used] = (await builder.sees(f"use-cases/{use_case}/adoptions"))["items"]
    assert (used["number"], used["status"]) == (1, "published")
    assert used["behind"] == [{"number": 2, "changed": "Also for photographs."}]
    found = await builder.sees(f"library/{key}")
    assert found["users"]["by_version"] == [{"number": 1, "cases": 1}]
    [user] = found["users"]["listed"]
    assert (user["key"], user["behind"]) == (use_case, [2])
    theirs = (await stranger.sees(f"library/{key}"))["users"]
    assert (theirs["count"], theirs["listed"]) == (1, []), "counted, and not told of"

    assert (await taken(builder, use_case, key)).json()["number"] == 2
    assert (await decided(greta, key, "withdraw", 2)).status_code == 200
    [used] = (await builder.sees(f"use-cases/{use_case}/adoptions"))["items"]
    assert (used["number"], used["status"], used["behind"]) == (2, "withdrawn", [])
    assert [one["number"] for one in used["adoptions"]] == [1, 2]
    assert (await taken(builder, use_case, key)).json()["number"] == 1, "back to what is published"
    assert (await taken(builder, use_case, key, number=2)).status_code == 409
    assert (await taken(builder, use_case, key, number=9)).status_code == 404
    versions = (await builder.sees(f"library/{key}"))["versions"]
    assert [one["status"] for one in versions] == ["published", "withdrawn"]
    assert versions[1]["decided"][1]["reason"] == WHY["reason"]


async def test_what_has_ended_without_going_live_takes_nothing(house: House) -> None:
    builder, greta = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key, use_case = await published(greta), await builder.hand_in()
    await builder.does(use_case, "withdraw", reason="No.")
    assert (await taken(builder, use_case, key)).status_code == 409


async def test_it_is_found_by_words_and_by_what_it_serves(house: House) -> None:
    greta = await house.visitor(Role.ENABLER)
    mark = f"zq{uuid.uuid4().hex[:8]}"
    one = await published(greta, title=f"Invoices {mark}", text="Nothing.", tiers=[], stages=[])
    two = await published(
        greta, kind="standard", title="Other", text=f"Speaks of {mark}, logging", tags=[mark[::-1]]
    )
    three = await proposed(greta, title=f"Draft {mark}", tiers=["high"], tags=[])

    async def keys(**asked: Any) -> list[str]:
        answer = await greta.http.get("/v1/library", params={"q": mark, **asked})
        assert answer.status_code == 200, answer.text
        return [item["key"] for item in answer.json()["items"]]

    assert set(await keys()) == {one, two, three}
    assert (await keys())[-1] == two, "the title counts for more than the text"
    assert await keys(q=f"{mark} log") == [two], "words are stemmed"
    assert await keys(kind="standard") == [two]
    assert await keys(tag=mark[::-1].upper()) == [two]
    assert set(await keys(tier="high")) == {one, three}
    assert set(await keys(stage="triage")) == {one, two, three}
    assert set(await keys(stage="launch")) == {one}
    assert await keys(status="draft") == [three]
    first = (await greta.http.get(f"/v1/library?q={mark}&limit=2")).json()
    rest = (await greta.http.get(f"/v1/library?q={mark}&limit=2&page=2")).json()
    assert (len(first["items"]), first["more"]) == (2, True)
    assert (len(rest["items"]), rest["more"]) == (1, False)
    await decided(greta, three, "withdraw")
    assert three not in await keys()
    assert await keys(status="withdrawn") == [three]
    for hostile in ("'", "& | !", "(", ":*", "%_\\"):
        assert (await greta.http.get("/v1/library", params={"q": hostile})).status_code == 200


async def test_an_exemption_has_a_reason_and_an_end(house: House) -> None:
    builder, greta = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    both = await house.visitor(Role.BUILDER, Role.ENABLER)
    standard, pattern = await published(greta, kind="standard"), await published(greta)
    use_case, path = await builder.hand_in(), "/v1/use-cases/{}/exemptions"
    day = datetime.now(UTC).date()
    body = {"asset": standard, "until": (day + timedelta(days=9)).isoformat(), **WHY}
    made = await greta.http.post(path.format(use_case), json=body)
    assert (made.status_code, made.json()["holds"]) == (201, True)
    found = (await builder.sees(f"use-cases/{use_case}/adoptions"))["exemptions"]
    assert [(one["asset"], one["by"]) for one in found] == [(standard, greta.person.name)]
    for changes, status in (
        ({"until": (day - timedelta(days=1)).isoformat()}, 422),
        ({"until": (day + timedelta(days=999)).isoformat()}, 422),
        ({"reason": " "}, 422),
        ({"asset": pattern}, 409),
        ({"asset": "none"}, 404),
    ):
        answer = await greta.http.post(path.format(use_case), json={**body, **changes})
        assert answer.status_code == status, changes
    own = await both.http.post(path.format(await both.hand_in()), json=body)
    assert own.status_code == 403


async def test_what_makes_no_sense_is_said(house: House) -> None:
    greta = await house.visitor(Role.ENABLER)
    key = await proposed(greta)
    for changes, field in (
        ({"key": "No spaces"}, "key"),
        ({"key": "-"}, "key"),
        ({"key": "a" * 61}, "key"),
        ({"title": " "}, "title"),
        ({"text": " "}, "text"),
        ({"text": "a" * 20_001}, "text"),
        ({"kind": "magic"}, "kind"),
        ({"owner": "nobody@example.com"}, "owner"),
        ({"tiers": ["huge"]}, "tiers"),
        ({"stages": ["nowhere"]}, "stages"),
        ({"tags": ["a" * 41]}, "tags"),
        ({"links": [{"address": "javascript:alert(1)"}]}, "links"),
        ({"text": "nul \x00"}, "text"),
        ({"more": 1}, "more"),
    ):
        body = {"key": f"x-{uuid.uuid4().hex[:8]}", **PATTERN, **changes}
        answer = await greta.http.post("/v1/library", json=body)
        assert answer.status_code == 422, (changes, answer.text)
        assert field in answer.text
    again = await greta.http.post("/v1/library", json={**PATTERN, "key": key})
    assert (again.status_code, "propose a version" in again.text) == (409, True)
    assert (await greta.http.get("/v1/library/none")).status_code == 404
    assert (await decided(greta, key, "publish", 9)).status_code == 404
    assert (await decided(greta, "none", "publish")).status_code == 404
