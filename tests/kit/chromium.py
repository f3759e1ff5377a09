"""Chromium, where there is one."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, Request, async_playwright

from service.people.browser_sessions import begin_browser_session
from tests.kit.house import House, Visitor

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """Where Chromium is; None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser for as long as the block runs."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


class Window:
    """A browser of one person's own, which notes whom it talks to and what it complains of."""

    def __init__(self, context: BrowserContext, page: Page, address: str) -> None:
        self.context = context
        self.page = page
        self.address = address
        self.elsewhere: list[str] = []
        self.complaints: list[str] = []
        page.on("request", self._requested)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._said)

    def _requested(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and not request.url.startswith(
            self.address
        ):
            self.elsewhere.append(request.url)

    def _said(self, message: Any) -> None:
        # That a page answers 404 or 409 is said as well; everything else is a fault of ours.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    async def goes(self, path: str) -> None:
        """Open a page."""
        await self.page.goto(self.address + path)


@asynccontextmanager
async def window(
    browser: Browser, house: House, address: str, visitor: Visitor | None = None, **looks: Any
) -> AsyncIterator[Window]:
    """A window, signed in as somebody."""
    context = await browser.new_context(**looks)
    if visitor is not None:
        at = house.app.state.context.now()
        async with house.sessions.begin() as session:
            secret = await begin_browser_session(session, visitor.person.id, at=at)
        await context.add_cookies([{"name": "headway", "value": secret, "url": address}])
    page = await context.new_page()
    try:
        yield Window(context, page, address)
    finally:
        await context.close()
