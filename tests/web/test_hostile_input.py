"""What nobody honest sends: refused in plain words, no fault of ours, nobody's data."""

import re
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts
from markupsafe import escape

from service.domain.people import Role
from tests.kit.browsing import ORIGIN, FormOnPage, Guest, Page, guest, stranger
from tests.kit.house import House
from web.kit.forms import MOST_FIELDS, TOKEN
from web.kit.page import HEADERS

WEB = Path(__file__).parents[2] / "web"
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"
OPEN_TO_STRANGERS = {"/sign-in", "/sign-in/start", "/sign-in/back", "/static"}
FORM = "application/x-www-form-urlencoded"


def routes(house: House, method: str) -> list[str]:
    """The addresses of the pages, with something in their places."""
    found = []
    for route in iter_route_contexts(house.app.routes):
        path = route.path or ""
        ours = not path.startswith(("/v1", "/openapi", "/health", "/version", "/static"))
        if ours and method in (route.methods or ()):
            path = path.replace("{key}", "UC-1").replace("{command}", "claim")
            found.append(re.sub(r"\{\w+\}", "0000", path))
    return found


async def test_strangers_get_nowhere_but_to_the_sign_in(house: House) -> None:
    somebody = stranger(house)
    pages, forms = routes(house, "GET"), routes(house, "POST")
    assert len(pages) > 10
    assert len(forms) > 10
    for path in set(pages) - OPEN_TO_STRANGERS:
        answer = await somebody.http.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/sign-in"), path
    for path in set(forms) - OPEN_TO_STRANGERS:
        answer = await somebody.post(path, [("reason", "x")])
        assert answer.status_code == 401, path


async def test_a_form_from_elsewhere_does_nothing(house: House) -> None:
    builder, enabler = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    key = await builder.api.hand_in()
    fields = (await enabler.sees(f"/use-cases/{key}")).form("claim").fields
    where = f"/use-cases/{key}/commands/claim"
    for headers in (
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://headway.test:8001"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        page = Page(await enabler.post(where, fields, headers=headers))
        assert page.status == 403, headers
        assert "not sent from a page of Headway" in page.text
    assert (await enabler.api.sees(f"use-cases/{key}"))["sequence"] == 1
    for path in set(routes(house, "POST")):
        answer = await enabler.post(path, fields, headers={"Origin": "https://a.example"})
        assert answer.status_code == 403, path


async def test_every_form_needs_the_token_of_this_very_browser_session(house: House) -> None:
    builder, enabler = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    other = await guest(house, Role.ENABLER)
    key = await builder.api.hand_in()
    form = (await enabler.sees(f"/use-cases/{key}")).form("ask")
    theirs = (await other.sees(f"/use-cases/{key}")).form("ask").values[TOKEN]
    for token in ("", "x", theirs, form.values[TOKEN] + "x", "é"):
        page = await enabler.sends(form, form_token=token, reason="Why <b>?", status=403)
        assert "Please send this again" in page.text
        assert "Why <b>?" in page.text
    for path in set(routes(house, "POST")) - OPEN_TO_STRANGERS:
        answer = await enabler.post(path, [("reason", "x")])
        assert answer.status_code == 403, path
    assert (await enabler.api.sees(f"use-cases/{key}"))["sequence"] == 1

    # What was typed goes on from there, with one more press.
    page = await enabler.sends(page.form(form.action))
    assert "Asked." in page.text
    assert "Why <b>?" in page.text


async def test_who_was_signed_out_while_writing_loses_nothing(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    key = await builder.api.hand_in()
    page = await builder.sees(f"/use-cases/{key}")
    form = page.form("withdraw")
    cookie = builder.http.cookies["headway"]
    builder.http.cookies.clear()
    page = await builder.sends(form, reason="We buy it instead.", status=401)
    assert "You have been signed out" in page.text
    assert "We buy it instead." in page.text
    builder.http.cookies.set("headway", cookie, domain="headway.test")
    page = await builder.sends(page.form(form.action), status=403)  # of an earlier sign-in
    page = await builder.sends(page.form(form.action))
    assert "It was withdrawn on " in page.text


async def test_other_peoples_use_cases_are_not_there(house: House) -> None:
    builder, other = await guest(house, Role.BUILDER), await guest(house, Role.BUILDER)
    reviewer = await guest(house, Role.REVIEWER, party="elsewhere")
    key = await builder.api.hand_in(title="Secret plan")
    mine = await other.api.hand_in()
    form = (await other.sees(f"/use-cases/{mine}")).form("withdraw")
    for somebody in (other, reviewer):
        token = (await somebody.sees("/account")).form("/sign-out").values[TOKEN]
        for path in (f"/use-cases/{key}", f"/use-cases/{key}/events"):
            page = await somebody.sees(path, status=404)
            assert "Secret plan" not in page.html
        foreign = FormOnPage(f"/use-cases/{key}/commands/withdraw", "post", form.fields)
        await somebody.sends(foreign, form_token=token, reason="mine", status=404)
        page = await somebody.sees("/use-cases", whose="all")
        assert key not in page.html


async def test_nobody_decides_on_their_own_use_case_whatever_form_they_send(house: House) -> None:
    both = await guest(house, Role.BUILDER, Role.ENABLER)
    key = await both.api.hand_in()
    page = await both.sees(f"/use-cases/{key}")
    assert not page.offers("approve")
    forged = FormOnPage(f"/use-cases/{key}/commands/approve", "post", page.form("withdraw").fields)
    page = await both.sends(forged, status=403)
    assert "You own this use case, and its owners cannot approve." in page.text


async def test_whatever_people_write_stays_words(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    enabler = await guest(house, Role.ENABLER)
    key = await builder.api.hand_in(title=EVIL, problem=EVIL, business_unit=EVIL, sponsor=EVIL)
    page = await enabler.sees(f"/use-cases/{key}")
    page = await enabler.sends(page.form("ask"), reason=EVIL)
    page = await builder.sees(f"/use-cases/{key}")
    await builder.sends(page.form("answer"), reason=EVIL)
    page = await enabler.sees(f"/use-cases/{key}")
    page = await enabler.sends(
        page.form("attach"), evidence_kind=EVIL, evidence_reference="javascript:alert(1)//" + EVIL
    )
    form = (await builder.sees("/new")).form("/new")
    typed = await builder.sends(form, title=EVIL, sponsor=EVIL, owner=EVIL, do="send", status=422)
    filtered = await enabler.sees("/use-cases", unit=EVIL)
    admin = await guest(house, Role.ADMIN)
    wrong = await admin.sends(
        (await admin.sees("/admin")).form("/admin/people"), name=EVIL, email=EVIL, status=422
    )
    later = [await enabler.sees(path) for path in ("/queue", "/board", "/use-cases")]
    for one in (page, typed, filtered, wrong, *later):
        assert EVIL not in one.html
        assert "<img" not in one.html
        assert not any(value.startswith("javascript:") for value in one.attributes("a", "href"))
        assert not any(name.startswith("on") for _, given in one.tags for name in given)
    assert str(escape(EVIL)) in page.html
    assert typed.form("/new").values["title"] == EVIL


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 422),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 422),
        (b"", "", 422),
        (b"\xff\xfe", FORM, 422),
        (b"&".join([b"a=1"] * (MOST_FIELDS + 1)), FORM, 422),
        (b"reason=" + b"%00" * 10, FORM, 403),
        (b"reason=%ff%ed%a0%80", FORM, 403),
        (b"reason=" + b"x" * 300_000, FORM, 413),
    ],
)
async def test_what_is_no_form_is_turned_away(
    house: House, body: bytes, kind: str, status: int
) -> None:
    enabler = await guest(house, Role.ENABLER)
    for path in ("/queue", "/use-cases/UC-1/commands/claim"):
        answer = await enabler.http.post(
            path, content=body, headers={"Content-Type": kind, "Origin": ORIGIN}
        )
        assert answer.status_code == status, path
        assert "<!doctype html>" in answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": "x"},
        {"sequence": ""},
        {"sequence": "9" * 5000},
        {"idempotency_key": ""},
        {"idempotency_key": "é"},
        {"idempotency_key": "a\nb"},
    ],
)
async def test_a_form_that_was_tampered_with_is_refused(
    house: House, changes: dict[str, str]
) -> None:
    builder, enabler = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    key = await builder.api.hand_in()
    form = (await enabler.sees(f"/use-cases/{key}")).form("claim")
    fields = [pair for pair in form.fields if pair[0] not in changes]
    answer = await enabler.post(form.action, [*fields, *changes.items()])
    assert answer.status_code in {409, 422}
    assert (await enabler.api.sees(f"use-cases/{key}"))["sequence"] == 1


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        ("ask", {"reason": "x" * 2001}),
        ("ask", {"reason": ""}),
        ("assign", {"assignee": "nobody"}),
        ("assign", {"assignee": "x" * 5000}),
        ("refer", {"party": "nobody", "reason": "x"}),
        ("refer", {"party": "builder", "reason": "x"}),
        ("change_tier", {"tier": "extreme", "reason": "x"}),
        ("change_tier", {"tier": "medium", "reason": "x"}),
        ("attach", {"evidence_kind": "", "evidence_reference": ""}),
        ("attach", {"evidence_kind": "x" * 201, "evidence_reference": "x"}),
    ],
)
async def test_a_wrong_detail_stands_next_to_its_field_and_the_words_are_kept(
    house: House, command: str, typed: dict[str, str]
) -> None:
    builder, enabler = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    key = await builder.api.hand_in()
    form = (await enabler.sees(f"/use-cases/{key}")).form(command)
    fields = [pair for pair in form.fields if pair[0] not in typed]
    page = Page(await enabler.post(form.action, [*fields, *typed.items()]))
    assert page.status == 422
    assert any(given.get("class") == "wrong" for _, given in page.tags), page.text
    kept = page.form(command).values
    for name in ("reason", "evidence_kind", "evidence_reference"):
        if name in typed:
            assert kept[name] == typed[name]
    assert (await enabler.api.sees(f"use-cases/{key}"))["sequence"] == 1


@pytest.mark.parametrize(
    "path",
    [
        "/use-cases?limit=100000",
        "/use-cases?limit=0",
        "/use-cases?cursor=%00",
        "/use-cases?cursor=abc",
        "/use-cases?sort=worst",
        "/queue?start=-1",
        "/queue?start=99999999999999999999",
        "/queue?by=weight",
        "/use-cases/" + "x" * 70,
        "/use-cases/UC-1/commands",
        "/use-cases/%F0%9F%92%A9",
        "/use-cases/UC-99999999999999",
        "/new?draft=../../x",
        "/new?draft=%00",
        "/no-such-page",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2f..%2fpyproject.toml",
        "//elsewhere.example/",
    ],
)
async def test_addresses_that_make_no_sense_are_pages_in_plain_words(
    house: House, path: str
) -> None:
    both = await guest(house, Role.ENABLER, Role.BUILDER)
    page = Page(await both.http.get("http://headway.test" + path))
    assert page.status in {404, 422}
    assert "Traceback" not in page.text
    if not path.startswith("/static"):
        assert "To my work" in page.text


async def every_page(house: House, somebody: Guest) -> list[Page]:
    """One of each kind, errors as well."""
    key = await somebody.api.hand_in()
    paths = ("/use-cases", "/new", f"/use-cases/{key}", "/queue", "/board", "/admin", "/account")
    found = [await somebody.sees(path) for path in paths]
    found.append(await somebody.sees(f"/admin/people/{somebody.person.id}"))
    found.append(await somebody.sees("/nothing", status=404))
    found.append(await stranger(house).sees("/sign-in"))
    return found


async def test_every_page_has_the_policy_and_nothing_that_the_policy_forbids(house: House) -> None:
    somebody = await guest(house, Role.ENABLER, Role.BUILDER, Role.ADMIN)
    for page in await every_page(house, somebody):
        for name, value in HEADERS.items():
            assert page.answer.headers[name] == value, page.path
        for tag, given in page.tags:
            assert "style" not in given, page.path
            assert tag != "style", page.path
            assert tag != "script" or given.get("src", "").startswith("/static/"), page.path
            for name in ("src", "href", "action"):
                address = given.get(name, "")
                assert not address.startswith(("http:", "https:", "//", "javascript:")), address
        ids = [given["id"] for _, given in page.tags if "id" in given]
        assert len(ids) == len(set(ids)), page.path
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy


def test_no_template_marks_anything_as_safe() -> None:
    for template in WEB.rglob("*.html"):
        text = template.read_text()
        assert not re.search(r"\|\s*safe|autoescape|Markup", text), template.name
        assert not re.search(r"\sstyle=|\son\w+=", text), template.name


async def test_the_api_keeps_tokens_and_does_not_know_cookies(house: House) -> None:
    somebody = await guest(house, Role.BUILDER)
    for path in ("/v1/me", "/v1/use-cases"):
        answer = await somebody.http.get(path)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
    with_token = stranger(house)
    with_token.http.headers["Authorization"] = f"Bearer {somebody.api.token}"
    assert (await with_token.sees("/use-cases")).path == "/sign-in"


async def test_files_of_ours_may_be_kept_for_a_year_and_have_no_secrets(house: House) -> None:
    page = await stranger(house).sees("/sign-in")
    (sheet,) = [
        one for one in page.attributes("link", "href") if one.endswith(".css") or ".css?" in one
    ]
    answer = await stranger(house).http.get(sheet)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"url\((?!#)|@import|https?:", answer.text)
