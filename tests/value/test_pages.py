"""What a use case promised and delivered, on its page: seen, measured, confirmed, corrected."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.domain.people import Role
from service.value.haircut import haircut
from tests.kit.browsing import FormOnPage, Guest, Page, browsing, guest
from tests.kit.house import House
from tests.kit.stories import act, staged
from tests.kit.submission import submission
from tests.value.test_api import LIVE, Live, in_production

FOUND: dict[str, Any] = {
    "starts": LIVE.isoformat(),
    "ends": (LIVE + timedelta(days=89)).isoformat(),
    "quantity": "kpi",
    "value": "12",
    "standard_error": "0.5",
    "attribution": "100",
    "method": "before_after",
    "source": "the ticket system",
    "hours": "2",
    "note": "Two plants only.",
}

SERIES = "measurements/series#from-series"


@pytest.fixture
async def live(house: House) -> Live:
    return await in_production(house)


async def looks(house: House, live: Live, who: str) -> tuple[Guest, Page]:
    """Somebody with a browser, and the page as they see it."""
    somebody = await browsing(house, getattr(live, who))
    return somebody, await somebody.sees(f"/use-cases/{live.key}")


def offered(page: Page) -> set[str]:
    """Which forms about its value there are."""
    found = {one.action.rpartition("/")[2].partition("#")[0] for one in page.forms}
    return found & {"investment-case", "measurements", "series", "correct", "confirm"}


async def test_measured_confirmed_and_corrected_over_the_page(house: House, live: Live) -> None:
    owner, page = await looks(house, live, "owner")
    assert "was due by now, and nobody has measured: that is unproven" in page.text
    page = await owner.sends(page.form("measurements"), **FOUND)
    assert "Entered. It counts as a report until somebody else confirms it." in page.text
    assert "counts as E (D once confirmed)" in page.text
    assert f"measured by {live.owner.person.name}" in page.text
    assert "Two plants only." in page.text
    assert not page.offers("confirm")

    finance, page = await looks(house, live, "finance")
    assert offered(page) == {"measurements", "series", "correct", "confirm"}
    page = await finance.sends(page.form("confirm"), note="Agrees with the ledger.")
    assert "Confirmed. It counts with the grade of its method" in page.text
    assert "counts as D " in page.text
    assert f"confirmed by {live.finance.person.name}" in page.text
    assert "Agrees with the ledger." in page.text
    assert not page.offers("confirm")

    page = await owner.sees(f"/use-cases/{live.key}")
    correction = page.form("1/correct")
    assert correction.values["value"] == "12"
    page = await owner.sends(correction, value="9")
    assert "Corrected. It counts as a report" in page.text
    assert "corrected by 2" in page.text
    assert "equals its plan to the digit" in page.text
    assert [one["number"] for one in (await live.value(live.owner))["items"]] == [1, 2]


async def test_another_version_shows_beside_the_first(house: House, live: Live) -> None:
    owner, page = await looks(house, live, "owner")
    form = page.form("investment-case")
    assert form.values["kpi_target"] == "9"
    page = await owner.sends(
        form,
        kpi_target="11",
        expected_yearly_value="140 000",
        observations="2026-01-01,18.5,40\n\n2026-02-01, 17.5",
        benefit="time_reused",
        time_used_for="visits to suppliers",
        ramp_months="3",
        plan_method="interrupted_series",
        plan_how="From tickets.",
        plan_by="Bea",
        plan_starts="2027-05-01",
        milestones="1,500 users 2027-12-31\n2 Units",
        reason="Two plants only.",
    )
    assert "The new version is written. The first one stays." in page.text
    assert "18 → 9 minutes" in page.text
    assert "18 → 11 minutes" in page.text
    assert "2 observations" in page.text
    assert "Time for something else: visits to suppliers" in page.text
    assert "Interrupted series, by Bea, from 1 May 2027. From tickets." in page.text
    assert "1,500 users by 31 Dec 2027; 2 business units" in page.text
    assert page.form("investment-case").values["milestones"] == "1500 users 2027-12-31\n2 units"
    latest = (await live.owner.sees(f"use-cases/{live.key}/investment-case"))["versions"][-1]
    assert latest["milestones"][1] == {"counted": "units", "at_least": 2, "by": None}
    assert (latest["version"], latest["expected_yearly_value"]) == (2, 140_000)
    assert [one["n"] for one in latest["observations"]] == [40, 1]
    # The same form again: somebody has been there before, and nothing is doubled.
    again = await owner.sends(form, status=409, reason="Once more.", ramp_months="4")
    assert "There is a version 2 meanwhile: look at it first." in again.text
    assert again.form("investment-case").values["reason"] == "Once more."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": ""}, "Please fill this in."),
        ({"value": "twelve"}, "Write a number"),
        ({"attribution": "0"}, "It has to be more than 0."),
        ({"attribution": "101"}, "It cannot be more than 100."),
        ({"ends": "2999-01-01"}, "The window is not over yet."),
        ({"starts": "2020-01-01"}, "It has been in production since"),
        ({"method": "guessing"}, "This cannot be used."),
        ({"source": "x" * 300}, "Keep it under 200 characters."),
    ],
)
async def test_what_is_wrong_stands_next_to_its_field_and_nothing_is_lost(
    house: House, live: Live, changes: dict[str, str], words: str
) -> None:
    owner, page = await looks(house, live, "owner")
    page = await owner.sends(page.form("measurements"), status=422, **{**FOUND, **changes})
    assert words in page.text
    assert page.form("measurements").values["note"] == "Two plants only."
    assert (await live.value(live.owner))["items"] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": ""}, "Please fill this in."),
        ({"observations": "2026-01-01"}, "This line cannot be read: 2026-01-01."),
        ({"observations": "yesterday,18"}, "This cannot be used."),
        ({"plan_by": "Bea"}, "Please fill this in."),
        ({"milestones": "many users"}, "This line cannot be read: many users."),
        ({"milestones": "500 users soon"}, "This cannot be used."),
        ({"milestones": "0 users"}, "It cannot be less than 1"),
        ({"direction": "higher"}, "The target lies below the baseline"),
        ({"benefit": "time_reused"}, "Say what the time will be used for."),
        ({}, "Nothing is changed."),
    ],
)
async def test_a_version_that_cannot_be_is_not_written(
    house: House, live: Live, changes: dict[str, str], words: str
) -> None:
    owner, page = await looks(house, live, "owner")
    status = 422 if changes else 409
    values = {"reason": "Because.", **changes}
    page = await owner.sends(page.form("investment-case"), status=status, **values)
    assert words in page.text
    assert len((await live.owner.sees(f"use-cases/{live.key}/investment-case"))["versions"]) == 1


async def test_what_one_may_not_do_is_not_offered(house: House, live: Live) -> None:
    await live.measure(live.owner)
    everything = {"investment-case", "measurements", "series", "correct", "confirm"}
    assert offered((await looks(house, live, "owner"))[1]) == everything - {"confirm"}
    assert offered((await looks(house, live, "enabler"))[1]) == everything
    assert offered((await looks(house, live, "finance"))[1]) == everything - {"investment-case"}
    for role in (Role.LEADER, Role.ADMIN):
        somebody = await guest(house, role)
        page = await somebody.sees(f"/use-cases/{live.key}")
        assert offered(page) == set()
        assert "What it promised, what it delivered" in page.text
        for action in ("investment-case", "measurements", "measurements/1/confirm"):
            form = FormOnPage(f"/use-cases/{live.key}/{action}", "post")
            form.fields = [*page.form("/sign-out").fields]
            sent = {**FOUND, "starts": LIVE.isoformat(), "reason": "I say so."}
            refused = await somebody.sends(form, status=422 if "case" in action else 403, **sent)
            assert "Nothing was written." in refused.text


async def test_nobody_confirms_their_own_money_over_the_page(house: House) -> None:
    """Owner, co-owner, sponsor and whoever measured, each with a role that confirms others'."""
    owner, co_owner, sponsor = [await guest(house, Role.BUILDER, Role.ENABLER) for _ in range(3)]
    key = await staged(
        house.sessions,
        owner.person,
        [act(owner.person, "go_live", 24)],
        days_ago=201,
        tier="low",
        sponsor=sponsor.person.name,
        co_owners=(co_owner.person.id,),
    )
    measuring = await guest(house, Role.ENABLER)
    page = await measuring.sees(f"/use-cases/{key}")
    await measuring.sends(page.form("measurements"), **FOUND)
    for somebody, why in (
        (owner, "own this use case"),
        (co_owner, "own this use case"),
        (sponsor, "sponsor this use case"),
        (measuring, "have measured it yourself"),
    ):
        page = await somebody.sees(f"/use-cases/{key}")
        assert not page.offers("confirm")
        form = FormOnPage(f"/use-cases/{key}/measurements/1/confirm", "post")
        form.fields = [*page.form("/sign-out").fields]
        refused = await somebody.sends(form, status=403)
        assert why in refused.text
        assert "confirmed by" not in refused.text


async def test_before_production_there_is_a_case_and_nothing_to_measure(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    key = await builder.api.hand_in()
    page = await builder.sees(f"/use-cases/{key}")
    assert offered(page) == {"investment-case"}
    assert "It is not in production: nothing is due yet." in page.text


def lines(step: float, level: float = 18.0) -> str:
    """Forty days before going live and forty since, as somebody pastes them."""
    return "\n".join(
        f"{(LIVE + timedelta(days=day)).isoformat()},"
        f"{level + 0.1 * (day % 7) + (step if day >= 0 else 0)}"
        for day in range(-40, 40)
    )


async def test_a_series_shows_what_each_method_finds_and_one_of_them_is_entered(
    house: House, live: Live
) -> None:
    owner, page = await looks(house, live, "owner")
    page = await owner.sends(
        page.form(SERIES),
        series=lines(-6.0),
        comparison=lines(0.0, level=21.0),
        comparison_name="the plant in Graz",
    )
    assert "What 80 observations show" in page.text
    for method in ("Difference in differences", "Interrupted series", "Before and after"):
        assert method in page.text
    assert "A change of -6 minutes, with a standard error of" in page.text
    assert (await live.value(live.owner))["items"] == []

    entering = [one for one in page.forms if one.action.endswith("/measurements")]
    best = next(one for one in entering if "Graz" in one.values.get("source", ""))
    assert best.values["method"] == "difference_in_differences"
    page = await owner.sends(best)
    assert "Entered. It counts as a report until somebody else confirms it." in page.text
    (item,) = (await live.value(live.owner))["items"]
    assert (item["value"], item["quantity"]) == (pytest.approx(-6), "change")
    assert item["source"] == "a series of 80 observations against the plant in Graz"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"series": ""}, "Paste a series, or choose a file."),
        ({"series": "2026-01-01,many"}, "Line 2: write a day, a number and a count."),
        ({"series": "date,value\n2020-01-01,1"}, "1 observations before going live and 0 since"),
        ({"series": lines(-6.0), "comparison": "day"}, "Line 1: the columns are"),
    ],
)
async def test_a_series_that_shows_nothing_is_told_so(
    house: House, live: Live, changes: dict[str, str], words: str
) -> None:
    owner, page = await looks(house, live, "owner")
    page = await owner.sends(page.form(SERIES), status=422, **changes)
    assert words in page.text
    assert changes["series"].partition("\n")[2] in page.form(SERIES).values["series"]


async def test_a_promise_stands_beside_what_others_like_it_delivered(
    house: House, live: Live
) -> None:
    async with house.sessions() as session:
        found = await haircut(session, datetime.now(UTC), "Procurement")

    def after(promised: float) -> str:
        """What becomes of a promise, in words."""
        amount = float(f"{promised * found.rate:.3g}")
        return f"Of {promised:,} EUR a year that would be {amount:,.0f} EUR."

    _, page = await looks(house, live, "owner")
    assert found.sentence in page.text
    assert after(180_000) in page.text

    builder = await guest(house, Role.BUILDER)
    page = await builder.sees("/new")
    assert "that would be" not in page.text, "nothing is promised yet"
    typed = {"business_unit": "Procurement", "currency": "eur"}
    form = page.form("/new")
    form.fields += typed.items()
    page = await builder.sends(form, do="check", expected_yearly_value="50,000")
    assert found.sentence in page.text
    assert after(50_000) in page.text
    piece = await builder.http.get("/new/ahead", params={**typed, "expected_yearly_value": "1e9"})
    assert found.sentence in piece.text
    assert "that would be" not in piece.text, "that is no number as people write one"

    await live.measure(live.owner)
    _, page = await looks(house, live, "owner")
    assert "that would be" not in page.text, "it has a figure of its own now"


async def test_the_answer_to_a_submission_says_what_is_to_be_expected(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    headers = {"Idempotency-Key": "once"}
    body = submission(business_unit="Procurement")
    first = await builder.http.post("/v1/use-cases", json=body, headers=headers)
    again = await builder.http.post("/v1/use-cases", json=body, headers=headers)
    worth = first.json()["haircut"]
    assert worth["expected_yearly_value"] == pytest.approx(180_000 * worth["rate"], abs=10)
    assert again.json() == first.json()
