"""What the pages were made with, beside the API's own context."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from service.settings import Settings
from web.history.files import Files
from web.intake.live import Watch
from web.kit.parties import Parties
from web.people.provider import Provider
from web.reports.recent import Shelf


@dataclass(frozen=True, slots=True)
class Pages:
    """How the pages are reached, who signs people in, who watches use cases for them,
    and which files they have brought.

    `public_url` is the address that people type, when the server cannot see it by itself because
    something in front of it speaks TLS. `provider` is None in local mode.
    """

    public_url: str | None = None
    provider: Provider | None = None
    parties: Parties = field(default_factory=Parties)
    watch: Watch = field(default_factory=Watch)
    files: Files = field(default_factory=Files)
    shelf: Shelf = field(default_factory=Shelf)


def configured_pages(settings: Settings) -> Pages:
    """As the settings ask for it."""
    provider = None
    if settings.oidc_issuer is not None:
        provider = Provider(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id or "",
            client_secret=settings.oidc_client_secret,
            roles_claim=settings.oidc_roles_claim,
            roles=settings.oidc_roles or {},
        )
    return Pages(public_url=settings.public_url, provider=provider)


def pages(request: Request) -> Pages:
    """The app's pages."""
    made: Pages = request.app.state.pages
    return made


ThePages = Annotated[Pages, Depends(pages)]
