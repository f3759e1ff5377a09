"""Runs on the pages: what they found, what missed by how much, and tokens shown once."""

from service.domain.people import Role
from tests.harness.living import brings, harness
from tests.harness.samples import native
from tests.kit.browsing import guest
from tests.kit.house import House


async def test_runs_tokens_and_what_got_worse_on_pages(house: House) -> None:
    builder, greta = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    leader = await guest(house, Role.LEADER)
    asset = await harness(greta.api, title="Evaluate <i>")
    unit = f"Unit {builder.api.person.id[:8]}"
    key = await builder.api.hand_in(tier="low", business_unit=unit)
    where = f"/use-cases/{key}"

    page = await builder.sees(where)
    assert "No harness has been run on it yet" in page.text
    wrong = await builder.sends(page.form("harness-tokens"), label="", days="90", status=422)
    assert 'id="token-label-wrong"' in wrong.html
    wrong = await builder.sends(page.form("harness-tokens"), label="CI", days="999", status=422)
    assert "from 1 to 366" in wrong.text.lower()
    page = await builder.sends(page.form("harness-tokens"), label="nightly CI", days="30")
    assert "shown this once" in page.text
    secret = next(word for word in page.text.split() if word.startswith("hwh_"))
    async with house.anonymous() as ci:
        ci.headers["Authorization"] = f"Bearer {secret}"
        assert (await brings(ci, key, native(run_id="a"), asset)).status_code == 201
        await builder.api.does(key, "go_live")
        assert (await brings(ci, key, native(0.8, run_id="b"), asset)).status_code == 201

    page = await builder.sees(where)
    assert secret not in page.html
    assert "last used" in page.text
    assert "Evaluate <i>" in page.text
    assert "It got worse since it went live:" in page.text
    assert "accuracy: 0.8 is 0.05 below 0.85" in page.text
    assert "nightly CI" in page.text
    [image] = [one for one in page.attributes("img", "src") if "/harness/" in one]
    drawn = await builder.http.get(image)
    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/svg+xml")
    assert (await builder.http.get(f"{where}/harness/none.svg")).status_code == 404
    page = await builder.sends(page.form("revoke"))
    assert "Revoked: nothing more comes with it." in page.text

    page = await greta.sees(f"/library/{asset}")
    assert "accuracy at least 0.85, 100 samples" in page.text
    assert "1 use case runs it." in page.text
    assert where in page.attributes("a", "href")
    page = await leader.sees("/portfolio", gap="regressed", unit=unit)
    assert f"its evaluation got worse ({asset})" in page.text.lower()
    assert not (await leader.sees(where)).offers("harness-tokens")


async def test_tokens_of_a_business_unit_are_made_by_enablement(house: House) -> None:
    builder, greta = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    unit = f"Unit {builder.api.person.id[:8]}"
    await builder.api.hand_in(business_unit=unit)
    page = await greta.sees("/harness-tokens")
    form = page.form("/harness-tokens")
    wrong = await greta.sends(form, business_unit="Nowhere", label="CI", days="9", status=422)
    assert 'id="token-business_unit-wrong"' in wrong.html
    page = await greta.sends(form, business_unit=unit, label="the unit's CI", days="9")
    assert "hwh_" in page.text
    page = await greta.sees("/harness-tokens")
    assert f"for {unit}" in page.text
    assert "hwh_" not in page.text
    page = await greta.sends(page.form("revoke"))
    assert "Revoked" in page.text
    await builder.sees("/harness-tokens", status=403)


async def test_rules_are_proposed_a_line_each(house: House) -> None:
    greta = await guest(house, Role.ENABLER)
    asset = await harness(greta.api)
    page = await greta.sees(f"/library/{asset}/propose")
    form = page.form("propose")
    assert form.values["rules"] == "accuracy at least 0.85, 100 samples"
    lines = "accuracy at least 0.9, 200 samples, limit\nlatency at most 2"
    wrong = await greta.sends(form, changed="More.", rules="accuracy > 0.9", status=422)
    assert 'id="rules-wrong"' in wrong.html
    assert "Write a rule like: accuracy at least 0.85" in wrong.text
    await greta.sends(form, changed="More.", rules=lines)
    found = (await greta.api.sees(f"library/{asset}"))["versions"][1]["rules"]
    assert [(one["metric"], one["limit"]) for one in found] == [
        ("accuracy", True),
        ("latency", False),
    ]
