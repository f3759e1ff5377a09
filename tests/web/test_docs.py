"""docs/pages.md and docs/sign-in.md say what there is."""

import re
from collections.abc import Iterator
from inspect import isasyncgenfunction, iscoroutinefunction, isroutine
from pathlib import Path

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from service.intake.drafts import MOST_DRAFTS
from service.people.browser_sessions import LONGEST_IDLE, LONGEST_SESSION, NEW_COOKIE_AFTER
from service.people.sign_in import (
    LINK_LIFE,
    MOST_FAILED_PER_ADDRESS,
    MOST_FAILED_PER_PERSON,
    WATCHED,
)
from service.settings import Settings
from tests.kit.house import House
from web.intake.live import MOST_WATCHERS
from web.people.sign_in import BACK

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (DOCS / "pages.md").read_text()
SIGN_IN = (DOCS / "sign-in.md").read_text()


def test_every_page_of_the_bar_and_of_the_routes_is_in_the_table() -> None:
    table = PAGES.partition("| Page |")[2].partition("\n\n")[0]
    named = set(re.findall(r"^\| `(/[^`]*)` \|", table, re.MULTILINE))
    assert named == {
        *("/", "/new", "/use-cases", "/use-cases/UC-42"),
        *("/queue", "/board", "/reports", "/reports/{name}", "/compare", "/admin", "/account"),
        *("/portfolio", "/portfolio/sheet", "/notices"),
        *("/reviews", "/reviews/{quarter}", "/reviews/{quarter}/decide"),
        "/reviews/{quarter}/paper",
        *("/lighthouses", "/lighthouses/{programme_id}", "/library", "/library/{asset}"),
        *("/library/checks", "/offers", "/harness-tokens"),
        *("/process", "/admin/currency-rates"),
        *("/certification", "/admin/certification", "/admin/certification/people"),
    }


async def test_nothing_that_a_route_depends_on_waits_for_a_thread(house: House) -> None:
    def threaded(dependant: Dependant) -> Iterator[object]:
        for inner in dependant.dependencies:
            called = inner.call if isroutine(inner.call) else type(inner.call).__call__
            if not (iscoroutinefunction(called) or isasyncgenfunction(called)):
                yield inner.call
            yield from threaded(inner)

    contexts = iter_route_contexts(house.app.routes)
    looked_at = [route.dependant for route in contexts if hasattr(route, "dependant")]
    assert len(looked_at) > 100
    assert [one for dependant in looked_at for one in threaded(dependant)] == []


async def test_no_page_is_left_out(house: House) -> None:
    ours = {
        (route.path or "").replace("{key}", "UC-42")
        for route in iter_route_contexts(house.app.routes)
        if "GET" in (route.methods or ())
    }
    pages = {
        path
        for path in ours
        if not path.startswith(("/v1", "/openapi", "/health", "/version", "/sign-in"))
    }
    parts = {
        *("/reports/{name}/table.csv", "/reports/{name}/{which}.{kind}"),
        *("/portfolio/table.csv", "/portfolio/{which}.{kind}"),
        *("/compare/{file}", "/compare/{file}/survival.{kind}"),
        *("/compare/{file}/table.csv", "/compare/{file}/rejects.csv"),
        *("/new/ahead", "/new/similar", "/library/propose", "/library/{asset}/propose"),
        *("/use-cases/UC-42/events", "/process/process.toml"),
        "/use-cases/UC-42/harness/{asset}.{kind}",
        "/notices/count",
        "/admin/people/{person_id}",
    }
    assert {path for path in pages - parts if f"`{path}`" not in PAGES} == set()


def test_the_numbers_are_the_real_ones() -> None:
    assert f"the last {MOST_DRAFTS} of each person" in PAGES
    assert f"{MOST_WATCHERS} a process" in PAGES
    minutes = round(WATCHED.total_seconds() / 60)
    failed = (
        f"{MOST_FAILED_PER_ADDRESS} from one address, or {MOST_FAILED_PER_PERSON} for one person, "
        f"within {minutes} minutes"
    )
    assert failed in SIGN_IN
    assert LINK_LIFE.days == 1
    assert "within a day" in SIGN_IN
    hours = LONGEST_IDLE.total_seconds() / 3600
    assert f"after {hours:g} hours without a request, after {LONGEST_SESSION.days} days" in SIGN_IN
    assert NEW_COOKIE_AFTER.total_seconds() == 3600


def test_the_settings_on_the_page_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in re.findall(r"^(HEADWAY_\w+)=(.+)$", SIGN_IN, re.MULTILINE):
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.oidc_roles is not None
    assert settings.oidc_roles["legal-ai"] == "reviewer:legal"
    assert f"`{settings.public_url}{BACK}`" in SIGN_IN
