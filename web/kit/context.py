"""What the pages were made with, beside the API's own context."""

from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from web.kit.parties import Parties

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Pages:
    """How the pages are reached, and what each word keeps for them while the server runs.

    `public_url` is the address that people type, when the server cannot see it by itself because
    something in front of it speaks TLS.
    """

    public_url: str | None = None
    parties: Parties = field(default_factory=Parties)
    kept: dict[type, Any] = field(default_factory=dict)

    def the(self, kind: type[P]) -> P:
        """The one of this kind, made when it is first asked for."""
        if kind not in self.kept:
            self.kept[kind] = kind()
        found: P = self.kept[kind]
        return found


async def pages(request: Request) -> Pages:
    """The app's pages."""
    made: Pages = request.app.state.pages
    return made


ThePages = Annotated[Pages, Depends(pages)]
