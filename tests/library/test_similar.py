"""While one hands in: who built something like it, which patterns fit, and starting from one."""

import uuid
from typing import Any

from sqlalchemy import text

from service.domain.people import Role
from service.intake.similar import similar
from service.library.fitting import fitting_patterns
from tests.kit.browsing import Guest, guest
from tests.kit.desk import Desk
from tests.kit.house import House
from tests.kit.submission import submission
from tests.library.test_api import decided, published


async def near(somebody: Guest, title: str, problem: str = "") -> dict[str, Any]:
    given = {"title": title, "problem": problem}
    answer = await somebody.api.http.get("/v1/library/similar", params=given)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_what_is_like_it_is_found_among_what_one_may_see(house: House) -> None:
    builder, other = await guest(house, Role.BUILDER), await guest(house, Role.BUILDER)
    greta = await guest(house, Role.ENABLER)
    one, two = (f"zq{uuid.uuid4().hex[:8]}" for _ in range(2))
    key = await builder.api.hand_in(title=f"Sorting {one} by {two}")
    worse = await builder.api.hand_in(title=f"Only {one}")
    pattern = await published(greta.api, title=f"Sort {one}", text=f"For each {two}.")
    draft = await published(greta.api, title=f"{one} {two}")
    await decided(greta.api, draft, "withdraw")

    found = await near(builder, f"We sort {one}s", f"And {two}, it's \\ 'odd' & !|")
    assert [each["key"] for each in found["use_cases"]] == [key]
    assert found["use_cases"][0]["owner"] == builder.api.person.name
    assert [each["key"] for each in found["patterns"]] == [pattern]
    assert worse not in str(found), "one word alone says little"
    theirs = await near(other, f"sort {one}", two)
    assert theirs["use_cases"] == []
    assert [each["key"] for each in theirs["patterns"]] == [pattern]
    for nothing in ("", "the of and", one):
        assert await near(builder, nothing) == {"use_cases": [], "patterns": []}


async def test_handing_in_from_a_pattern_takes_it_and_passes_the_gate(house: House) -> None:
    builder, greta = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    one, two = (f"zq{uuid.uuid4().hex[:8]}" for _ in range(2))
    before = await builder.api.hand_in(title=f"{one} {two}")
    pattern = await published(greta.api, title=f"Sort {one} {two}")
    page = await builder.sees(f"/library/{pattern}")
    assert f"/new?pattern={pattern}" in page.attributes("a", "href")
    page = await builder.sees("/new", pattern=pattern)
    form = page.form("/new")
    assert (form.values["title"], form.values["pattern"]) == (f"Sort {one} {two}", pattern)
    assert f"/use-cases/{before}" in page.attributes("a", "href")
    assert "opens no gate" in page.text

    given = submission(title=f"Sort {one} {two}")
    typed: dict[str, Any] = {
        **{name: str(value) for name, value in given.items() if isinstance(value, str | int)},
        **{f"kpi_{name}": str(value) for name, value in given["kpi"].items()},
        **{name: str(value) for name, value in given["investment"].items()},
        **{
            name: value if isinstance(value, str) else "yes" if value else "no"
            for name, value in given["risk"].items()
        },
        "estimate_days": str(given["estimate_days"]),
    }
    looked = await builder.sends(form, do="check", **typed)
    assert "nobody has to decide at: Triage." in looked.text
    sent = await builder.sends(looked.form("/new"), do="send")
    key = sent.path.rpartition("/")[2]
    found = await builder.api.sees(f"use-cases/{key}")
    assert found["stage"] == "shape"
    [used] = (await builder.api.sees(f"use-cases/{key}/adoptions"))["items"]
    assert used["asset"] == pattern
    await builder.sees("/new", pattern="none", status=404)


async def test_the_piece_for_the_script_reads_the_draft(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    one, two = (f"zq{uuid.uuid4().hex[:8]}" for _ in range(2))
    key = await builder.api.hand_in(title=f"{one} {two}")
    form = (await builder.sees("/new")).form("/new")
    await builder.sends(form, do="keep", title=f"{one} and {two}")
    piece = await builder.sees("/new/similar", draft=form.values["draft"])
    assert f"/use-cases/{key}" in piece.attributes("a", "href")
    other = await guest(house, Role.BUILDER)
    nothing = await other.sees("/new/similar", draft=form.values["draft"])
    assert nothing.attributes("a", "href") == []


async def test_a_misspelt_title_still_finds_what_is_like_it(house: House) -> None:
    builder, greta = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    title = "Forecast the harvest of hops by satellite"
    key = await builder.api.hand_in(title=title)
    pattern = await published(greta.api, title=title, text="Nothing.")
    found = await near(builder, "Forcast teh harvst of hopps by satelite")
    assert [one["key"] for one in found["use_cases"]] == [key]
    assert [one["key"] for one in found["patterns"]] == [pattern]


async def test_without_trigrams_words_are_found_and_misspellings_are_not(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    await desk.hand_in(owner)
    right, wrong = "Answer supplier questions", "Anser suplier qestions"
    async with desk.sessions() as session:  # rolled back: others share the database
        assert len(await similar(session, owner.actor, wrong, "")) == 1
        await session.execute(text("DROP EXTENSION pg_trgm"))
        assert len(await similar(session, owner.actor, right, "")) == 1
        assert await similar(session, owner.actor, wrong, "") == []
        assert await fitting_patterns(session, wrong, "") == []
