"""Sampled checks: who is drawn can be worked out again, and what is found is told."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from service.domain.cohort import INTAKE
from service.domain.people import Role
from service.facts.as_of import Moment
from service.library.checks import Tally, tallies
from service.library.drawing import Draw
from service.reports.library import library
from service.reports.question import cohort_named
from tests.kit.browsing import browsing
from tests.kit.house import House, Visitor
from tests.library.test_api import published, taken

AT = datetime(2026, 10, 5, 8, 0, 0, 123_456, tzinfo=UTC)
WORDS = "It decides by itself on half of what comes in."


def test_a_draw_is_made_again_by_hand() -> None:
    """`sha256sum` of the five lines begins with de34b31d: 0.86799 of what fits into 64 bits."""
    one = ("sort-by-urgency", 1, "case-1", AT)
    assert Draw(0.868, "headway").takes(*one)
    assert not Draw(0.8679, "headway").takes(*one)


def test_about_the_stated_share_is_drawn_and_a_larger_one_keeps_all_of_a_smaller() -> None:
    adoptions = [("a", 1 + n % 3, f"case-{n}", AT + timedelta(seconds=n)) for n in range(4_000)]
    drawn = {
        share: {one for one in adoptions if Draw(share, "s").takes(*one)}
        for share in (0.0, 0.1, 0.3, 1.0)
    }
    assert (len(drawn[0.0]), len(drawn[1.0])) == (0, 4_000)
    assert drawn[0.1] < drawn[0.3]
    for share in (0.1, 0.3):
        # Five standard errors: the seed is fixed, so this holds or it does not.
        assert abs(len(drawn[share]) - 4_000 * share) < 5 * (4_000 * share * (1 - share)) ** 0.5
    assert {one for one in adoptions if Draw(0.1, "other").takes(*one)} != drawn[0.1]


@pytest.fixture
def every(monkeypatch: pytest.MonkeyPatch) -> None:
    """All adoptions that open a gate are drawn."""
    monkeypatch.setenv("HEADWAY_CHECK_SHARE", "1")


async def opened(house: House, greta: Visitor, builder: Visitor) -> tuple[str, str, int]:
    """A use case whose gate a pattern opened: the asset's key, its own, and the check's id."""
    asset, use_case = await published(greta), await builder.hand_in()
    assert (await taken(builder, use_case, asset)).json()["opened"]
    [check] = (await builder.sees(f"use-cases/{use_case}/adoptions"))["checks"]
    return asset, use_case, check["id"]


@pytest.mark.usefixtures("every")
async def test_a_finding_is_told_counted_and_kept(house: House) -> None:
    greta, colleague = await house.visitor(Role.ENABLER), await house.visitor(Role.ENABLER)
    builder = await house.visitor(Role.BUILDER)
    asset, use_case, check = await opened(house, greta, builder)
    due = (await greta.sees("library/checks"))["items"]
    mine = next(one for one in due if one["id"] == check)
    assert (mine["key"], mine["asset"], mine["number"]) == (use_case, asset, 1)
    assert "nobody decides by it alone" in mine["asks"]
    assert (mine["share"], mine["findings"]) == (1.0, [])
    assert (await greta.sees(f"library/{asset}"))["checks"] == {
        "opened": 1, "drawn": 1, "checked": 0, "unfit": 0, "share": None, "ci": None,
    }  # fmt: skip

    path = f"/v1/library/checks/{check}"
    before = datetime.now(UTC)
    made = await colleague.http.post(path, json={"fits": False, "words": WORDS})
    assert made.status_code == 201, made.text
    assert check not in [one["id"] for one in (await greta.sees("library/checks"))["items"]]
    [told] = (await builder.sees(f"use-cases/{use_case}"))["told"]
    assert (told["what"], told["asset"], told["why"]) == ("unfit", asset, WORDS)
    tally = (await greta.sees(f"library/{asset}"))["checks"]
    assert (tally["checked"], tally["unfit"], tally["share"]) == (1, 1, 1.0)
    assert tally["ci"] == pytest.approx([0.2065, 1.0], abs=1e-4), "Wilson's, of 1 in 1"
    found = await builder.sees(f"use-cases/{use_case}")
    assert found["stage"] == "shape", "nothing goes back by itself"

    await greta.http.post(path, json={"fits": True, "words": "They changed it."})
    assert (await builder.sees(f"use-cases/{use_case}"))["told"] == []
    done = (await greta.sees("library/checks?done=true"))["items"]
    assert done[0]["id"] == check
    assert [one["fits"] for one in done[0]["findings"]] == [False, True], "nothing is replaced"
    async with house.sessions() as session:
        assert (await tallies(session, before))[asset] == Tally(1, 1, 0, 0), "as it was known"
        report = await library(
            session, Moment(datetime.now(UTC), asked=True), cohort_named("cohort", INTAKE)
        )
    one = next(one for one in report.assets if one.asset == asset)
    assert (one.checks.checked, one.checks.unfit) == (1, 0)


@pytest.mark.usefixtures("every")
async def test_whoever_took_or_owns_it_does_not_check_it(house: House) -> None:
    greta, taker = await house.visitor(Role.ENABLER), await house.visitor(Role.ENABLER)
    both = await house.visitor(Role.BUILDER, Role.ENABLER)
    asset, use_case = await published(greta), await both.hand_in()
    assert (await taken(taker, use_case, asset)).json()["opened"]
    [check] = (await both.sees(f"use-cases/{use_case}/adoptions"))["checks"]
    for somebody, status in ((both, 403), (taker, 403), (greta, 201)):
        answer = await somebody.http.post(
            f"/v1/library/checks/{check['id']}", json={"fits": True, "words": WORDS}
        )
        assert answer.status_code == status, answer.text


@pytest.mark.usefixtures("every")
@pytest.mark.parametrize("role", list(Role))
async def test_every_role_and_every_command(house: House, role: Role) -> None:
    greta, builder = await house.visitor(Role.ENABLER), await house.visitor(Role.BUILDER)
    visitor = await house.visitor(role, party="risk" if role is Role.REVIEWER else None)
    _, _, check = await opened(house, greta, builder)
    for answer, status in (
        (await visitor.http.get("/v1/library/checks"), 200),
        (
            await visitor.http.post(
                f"/v1/library/checks/{check}", json={"fits": True, "words": WORDS}
            ),
            201,
        ),
    ):
        assert answer.status_code == (status if role is Role.ENABLER else 403), answer.text
    for body in ({"fits": True, "words": " "}, {"fits": "yes", "words": "x"}, {"words": "x"}):
        answer = await greta.http.post(f"/v1/library/checks/{check}", json=body)
        assert answer.status_code == 422
    nowhere = {"fits": True, "words": WORDS}
    assert (await greta.http.post("/v1/library/checks/999999", json=nowhere)).status_code == 404


async def test_what_opens_no_gate_is_not_drawn_and_a_draw_is_as_its_row_says(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_CHECK_SHARE", "0.5")
    greta, builder = await house.visitor(Role.ENABLER), await house.visitor(Role.BUILDER)
    asset, standard = await published(greta), await published(greta, kind="standard")
    for _ in range(6):
        use_case = await builder.hand_in()
        await taken(builder, use_case, standard)
        await taken(builder, use_case, asset)
    async with house.sessions() as session:
        rows = (
            await session.execute(
                text(
                    "SELECT opening.*, number, case_id, adopted_at, key FROM library_opening"
                    " AS opening JOIN library_adoption AS adopted ON adopted.id = adoption_id"
                    " JOIN library_asset AS asset ON asset.id = asset_id"
                    " WHERE key IN (:one, :two)"
                ),
                {"one": asset, "two": standard},
            )
        ).all()
    assert {row.key for row in rows} == {asset}
    assert len(rows) == 6
    for row in rows:
        draw = Draw(row.share, row.seed)
        assert row.drawn == draw.takes(row.key, row.number, row.case_id, row.adopted_at)


async def test_nothing_that_was_drawn_or_found_is_changed(house: House) -> None:
    for table in ("library_opening", "library_finding", "offer", "offer_change", "offer_answer"):
        async with house.sessions() as session:
            with pytest.raises(Exception, match="never changed or deleted"):
                await session.execute(text(f"TRUNCATE {table} CASCADE"))


@pytest.mark.usefixtures("every")
async def test_a_check_on_pages(house: House) -> None:
    greta = await browsing(house, await house.visitor(Role.ENABLER))
    builder = await browsing(house, await house.visitor(Role.BUILDER))
    asset, use_case, check = await opened(house, greta.api, builder.api)
    colleague = await browsing(house, await house.visitor(Role.ENABLER))
    assert re.search(r"Adoptions to check: [1-9]", (await colleague.sees("/queue")).text)
    assert "/library/checks" in (await colleague.sees("/library")).attributes("a", "href")
    assert "drawn for a check" in (await builder.sees(f"/use-cases/{use_case}")).text

    page = await colleague.sees("/library/checks")
    form = page.form(f"/library/checks/{check}")
    wrong = await colleague.sends(form, words=WORDS, status=422)
    assert f'id="check-{check}-fits-wrong"' in wrong.html
    assert WORDS in wrong.form(f"/library/checks/{check}").values["words"]
    page = await colleague.sends(form, fits="no", words=WORDS)
    assert "Written down." in page.text
    page = await builder.sees(f"/use-cases/{use_case}")
    assert "found unfit" in page.text
    assert WORDS in page.text
    assert WORDS in (await builder.sees("/use-cases")).text
    assert "of these 1 do not fit" in (await builder.sees(f"/library/{asset}")).text
    await builder.sees("/library/checks", status=403)
