"""The library on pages: proposed, published, taken, behind, withdrawn; without any script."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.domain.people import Role
from tests.kit.browsing import Guest, Page, guest
from tests.kit.house import House
from tests.library.test_api import proposed, published, revised

EVIL = (
    "Use it.\n\n<script>alert(1)</script> [click](javascript:alert(1)) [safe](https://example.com)"
)


def fresh() -> str:
    return f"asset-{uuid.uuid4().hex[:10]}"


async def writes(somebody: Guest, key: str, **changes: str) -> Page:
    page = await somebody.sees("/library/propose")
    fields: dict[str, Any] = {
        "kind": "pattern",
        "key": key,
        "title": "Sort <i>",
        "text": EVIL,
        "tiers": "medium",
    }
    fields |= {"links": "https://example.com/x Its code", "tags": "Triage, text"}
    return await somebody.sends(page.form("/library/propose"), **{**fields, **changes})


async def test_the_whole_way_on_pages(house: House) -> None:
    builder, greta = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    key, use_case = fresh(), await builder.api.hand_in()
    page = await writes(builder, key)
    assert page.path == f"/library/{key}"
    assert "Proposed. It is a draft" in page.text
    assert "Sort <i>" in page.text
    assert "<script>alert" not in page.html
    assert "javascript:alert" not in [*page.attributes("a", "href")]
    assert {"https://example.com", "https://example.com/x"} <= set(page.attributes("a", "href"))
    assert not page.offers("versions/1/published")

    page = await greta.sees(f"/library/{key}")
    why = await greta.sends(page.form("versions/1/published"), reason=" ", status=422)
    assert "Say why" in why.text
    page = await greta.sends(page.form("versions/1/published"), reason="Used by three.")
    assert "Published." in page.text
    found = await builder.sees("/library", q="sort", tag="triage", kind="pattern")
    assert f"/library/{key}" in found.attributes("a", "href")

    where = f"/use-cases/{use_case}"
    page = await builder.sees(where)
    assert key in page.attributes("option", "value")
    wrong = await builder.sends(page.form("adoptions"), asset="nothing", status=422)
    assert 'id="take-asset-wrong"' in wrong.html
    page = await builder.sends(page.form("adoptions"), asset=key)
    assert "the gate that asks for one needs nobody any more" in page.text
    assert "Sort <i>" in page.text
    assert (await builder.api.sees(f"use-cases/{use_case}"))["stage"] == "shape"

    page = await builder.sees(f"/library/{key}/propose")
    form = page.form(f"/library/{key}/propose")
    assert (form.values["owner"], form.values["tags"]) == (builder.api.person.email, "triage, text")
    wrong = await builder.sends(form, changed=" ", status=422)
    assert 'id="changed-wrong"' in wrong.html
    await builder.sends(form, changed="Also for photographs.")
    page = await greta.sees(f"/library/{key}")
    await greta.sends(page.form("versions/2/published"), reason="Good.")
    page = await builder.sees(where)
    assert "Version 2 is newer: Also for photographs." in page.text
    form = next(one for one in page.forms if one.values.get("asset") == key)
    page = await builder.sends(form)
    assert "is newer" not in page.text

    page = await greta.sees(f"/library/{key}")
    assert use_case in page.text
    again = await greta.sends(page.form("versions/2/withdrawn"), reason="It leaks.")
    assert "Withdrawn. Those who use it see that" in again.text
    twice = await greta.sends(page.form("versions/2/withdrawn"), reason="It leaks.", status=409)
    assert "cannot become withdrawn" in twice.text
    for path in ("/use-cases", where):
        page = await builder.sees(path)
        assert "It uses version 2 of Sort <i>, withdrawn on" in page.text
        assert "It leaks." in page.text
    [told] = (await builder.api.sees(f"use-cases/{use_case}"))["told"]
    assert (told["what"], told["number"], told["why"]) == ("withdrawn", 2, "It leaks.")
    assert any(one.values.get("asset") == key for one in page.forms), "version 1 can be taken again"


async def test_what_cannot_be_proposed_is_said_beside_its_field(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    page = await builder.sees("/library/propose")
    form = page.form("/library/propose")
    good: dict[str, Any] = {"kind": "standard", "key": fresh(), "title": "Kept", "text": "Text."}
    for name, value in (
        ("kind", ""),
        ("key", "No Key"),
        ("key", "propose"),
        ("title", " "),
        ("text", "a" * 20_001),
        ("owner", "nobody@example.com"),
        ("links", "javascript:alert(1)"),
        ("tags", "x" * 41),
        ("stages", "nowhere"),
        ("tiers", "huge"),
    ):
        wrong = await builder.sends(form, status=422, **{**good, name: value})
        assert f'id="{name}-wrong"' in wrong.html, name
        if name != "title":
            assert wrong.form("/library/propose").values["title"] == "Kept"
    await builder.sends(form, **good)
    taken = await builder.sends(form, status=409, **good)
    assert "already: propose a version of it" in taken.text


async def test_an_exemption_on_the_page(house: House) -> None:
    builder, greta = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    standard, use_case = await published(greta.api, kind="standard"), await builder.api.hand_in()
    page = await greta.sees(f"/use-cases/{use_case}")
    form = page.form("exemptions")
    wrong = await greta.sends(form, asset=standard, reason="So.", until="soon", status=422)
    assert 'id="exempt-until-wrong"' in wrong.html
    assert wrong.form("exemptions").values["asset"] == standard
    day = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    page = await greta.sends(form, asset=standard, reason="It answers nobody.", until=day)
    assert "It answers nobody." in page.text
    page = await builder.sees(f"/use-cases/{use_case}")
    assert "Exempted from" in page.text
    assert not page.offers("exemptions")


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_reads_and_forms_are_there_for_those_who_may(
    house: House, role: Role
) -> None:
    greta = await house.visitor(Role.ENABLER)
    key = await published(greta)
    await revised(greta, key, "More.")
    await proposed(greta)
    somebody = await guest(house, role, party="risk" if role is Role.REVIEWER else None)
    page = await somebody.sees(f"/library/{key}")
    assert page.offers("versions/2/withdrawn") == (role is Role.ENABLER)
    assert "/library" in page.attributes("a", "href")
    form = (await somebody.sees("/library/propose")).form("/library/propose")
    posted = [("form_token", form.values["form_token"]), ("reason", "So.")]
    answer = await somebody.post(f"/library/{key}/versions/1/withdrawn", posted)
    assert answer.status_code == (303 if role is Role.ENABLER else 403)
    odd = await somebody.sees("/library", kind="magic", tier="huge", q="'", page=2)
    assert "Nothing in the library fits." in odd.text
    await somebody.sees("/library/none", status=404)


async def test_an_empty_library_says_what_to_do(quiet_house: House) -> None:
    page = await (await guest(quiet_house, Role.BUILDER)).sees("/library")
    assert "Propose the first asset" in page.text
