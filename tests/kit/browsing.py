"""A browser without a window: reads pages, fills in their forms and sends them as they stand."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from service.domain.people import Person, Role
from service.people.browser_sessions import begin_browser_session
from tests.kit.house import House, Visitor

ORIGIN = "http://headway.test"
VOID = {"input", "br", "img", "meta", "link", "hr"}


@dataclass
class FormOnPage:
    """A form as it stands on a page."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def values(self) -> dict[str, str]:
        """Fields by name, the last value of each."""
        return dict(self.fields)


class Page(HTMLParser):
    """What came back, taken apart."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.answer = answer
        self.status = answer.status_code
        self.html = answer.text
        self.forms: list[FormOnPage] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._form: FormOnPage | None = None
        self._area: str | None = None
        self._select: str | None = None
        self._quiet = 0
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag in {"script", "style"}:
            self._quiet += 1
        if tag == "form":
            self._form = FormOnPage(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._form)
        if self._form is None:
            return
        name = given.get("name", "")
        if tag == "input" and name:
            ticks = given.get("type") in {"checkbox", "radio"}
            if not ticks or "checked" in given:
                self._form.fields.append((name, given.get("value", "on" if ticks else "")))
        elif tag == "button":
            self._form.buttons.append((name, given.get("value", "")))
        elif tag == "textarea":
            self._area = name
            self._form.fields.append((name, ""))
        elif tag == "select":
            self._select = name
            self._form.fields.append((name, ""))
        elif tag == "option" and self._select is not None and "selected" in given:
            self._form.fields[-1] = (self._select, given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "textarea":
            self._area = None
        if tag == "select":
            self._select = None
        if tag in {"script", "style"}:
            self._quiet -= 1

    def handle_data(self, data: str) -> None:
        if self._area is not None and self._form is not None:
            name, before = self._form.fields[-1]
            self._form.fields[-1] = (name, before + data)
        if not self._quiet:
            self.words.append(data)

    @property
    def text(self) -> str:
        """All the words, one blank between them."""
        return " ".join(" ".join(self.words).split())

    @property
    def path(self) -> str:
        """Where this page is."""
        return self.answer.request.url.path

    def form(self, action: str) -> FormOnPage:
        """The form that goes to an address, or to one that ends so."""
        for one in self.forms:
            if one.action == action or one.action.endswith("/" + action):
                return one
        raise AssertionError(
            f"no form to {action} on {self.path}: {[f.action for f in self.forms]}"
        )

    def offers(self, action: str) -> bool:
        """Whether there is such a form."""
        return any(one.action.endswith("/" + action) for one in self.forms)

    def attributes(self, tag: str, name: str) -> list[str]:
        """An attribute's values on all tags of a kind."""
        return [given[name] for kind, given in self.tags if kind == tag and name in given]


@dataclass
class Guest:
    """Somebody with a browser of their own. `signed_in` and `api` are for whoever is."""

    http: httpx.AsyncClient
    visitor: Visitor | None = None

    @property
    def person(self) -> Person:
        """Who it is."""
        assert self.visitor is not None
        return self.visitor.person

    @property
    def api(self) -> Visitor:
        """The same person with a token."""
        assert self.visitor is not None
        return self.visitor

    async def sees(self, path: str, *, status: int = 200, **query: Any) -> Page:
        """A page, which must answer so."""
        answer = await self.http.get(path, params=query or None)
        while answer.is_redirect:
            answer = await self.http.get(answer.headers["location"])
        page = Page(answer)
        assert page.status == status, f"{path}: {page.status} {page.text[:600]}"
        return page

    async def sends(
        self, form: FormOnPage, *, status: int = 200, headers: Any = None, **values: Any
    ) -> Page:
        """Fill in a form and send it, as a browser does; the page that follows."""
        fields = [(name, value) for name, value in form.fields if name not in values]
        for name, value in values.items():
            several = value if isinstance(value, list) else [value]
            fields += [(name, str(one)) for one in several]
        answer = await self.post(form.action, fields, headers=headers)
        while answer.is_redirect:
            answer = await self.http.get(answer.headers["location"])
        page = Page(answer)
        assert page.status == status, f"{form.action}: {page.status} {page.text[:600]}"
        return page

    async def post(
        self, path: str, fields: list[tuple[str, str]], *, headers: Any = None
    ) -> httpx.Response:
        """Send fields to an address."""
        given = {
            "Origin": ORIGIN,
            "Content-Type": "application/x-www-form-urlencoded",
            **(headers or {}),
        }
        body = urlencode(fields)
        return await self.http.post(path, content=body, headers=given)


def stranger(house: House) -> Guest:
    """Somebody who is not signed in."""
    http = house.anonymous()
    http.headers["Accept"] = "text/html"
    return Guest(http)


async def guest(
    house: House, *roles: Role, party: str | None = None, certified: tuple[str, ...] = ()
) -> Guest:
    """Somebody new with these roles, signed in with a browser."""
    visitor = await house.visitor(*roles, party=party, certified=certified)
    return await browsing(house, visitor)


async def browsing(house: House, visitor: Visitor) -> Guest:
    """Somebody with a browser of their own, signed in."""
    made = stranger(house)
    made.visitor = visitor
    at = house.app.state.context.now()
    async with house.sessions.begin() as session:
        secret = await begin_browser_session(session, visitor.person.id, at=at)
    made.http.cookies.set("headway", secret, domain=urlsplit(ORIGIN).hostname or "")
    return made
