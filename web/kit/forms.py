"""What a form brings: read with limits, and only from our own pages."""

import hmac
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from service.errors import BadInput, Fault, SignInNeeded
from web.kit.context import Pages, ThePages
from web.kit.signed_in import MaybeSignedIn, SignedIn

TOKEN = "form_token"  # noqa: S105 - a field's name
MOST_FIELDS = 500
"""The largest honest form is a queue with all of its rows."""
MOST_FILES = 5
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
CONTROL = {code: None for code in range(32) if code not in (9, 10)}


class FromElsewhere(Fault):
    """Another site's page sent this form. Nothing was done."""

    status = HTTPStatus.FORBIDDEN

    def __str__(self) -> str:
        return "this form was not sent from a page of Headway; nothing was done"


class TokenOld(Fault):
    """The form is from an earlier sign-in. Nothing was done, and nothing that it holds is lost."""

    status = HTTPStatus.FORBIDDEN
    words = "token_old"

    def __init__(self, form: "Form") -> None:
        super().__init__()
        self.form = form

    def __str__(self) -> str:
        return "this form is from an earlier sign-in"


class SignedOut(SignInNeeded):
    """The session ended while the form was filled in. Nothing that it holds is lost."""

    def __init__(self, form: "Form") -> None:
        super().__init__()
        self.form = form


class Form(Mapping[str, str]):
    """A form's fields. A field that came several times has its last value here."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs
        self._last = dict(pairs)

    def __getitem__(self, name: str) -> str:
        return self._last[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)

    def all(self, name: str) -> list[str]:
        """Every value of a field, as of ticked boxes."""
        return [value for key, value in self.pairs if key == name]

    def text(self, name: str) -> str:
        """A field without the blanks around it; empty when it is not there."""
        return self.get(name, "").strip()


def own_origin(request: Request, pages: Pages) -> bool:
    """Whether a browser says that one of our own pages sends this."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True  # no browser that sends forms leaves it out; the token is asked for anyway
    if pages.public_url is not None and origin == pages.public_url:
        return True
    host: str = request.headers.get("host", "")
    return origin.lower() in {f"{scheme}://{host.lower()}" for scheme in ("http", "https")}


async def read(request: Request) -> Form:
    """The form's fields; a small file in it is a field with its text. `BadInput` for what is no
    form, or has too many."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == MULTIPART:
        return await _with_files(request)
    if kind != FORM:
        raise BadInput("form", "this is not a form that a page of Headway sends")
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
            errors="replace",
        )
    except ValueError:
        raise BadInput("form", "this form cannot be read") from None
    return Form([(_clean(name), _clean(value)) for name, value in pairs])


async def _with_files(request: Request) -> Form:
    try:
        async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS) as data:
            pairs = [
                (name, (await given.read()).decode("utf-8-sig"))
                if isinstance(given, UploadFile)
                else (name, given)
                for name, given in data.multi_items()
            ]
    except UnicodeDecodeError:
        raise BadInput("form", "its file is no text in UTF-8") from None
    except (MultiPartException, HTTPException, UnicodeError):
        raise BadInput("form", "this form cannot be read") from None
    return Form([(_clean(name), _clean(value)) for name, value in pairs])


def _clean(text: str) -> str:
    # Browsers write line ends as CRLF; other control characters cannot be typed, nor stored.
    return text.replace("\r\n", "\n").translate(CONTROL)


async def form_of(request: Request, signed_in: MaybeSignedIn, pages: ThePages) -> Form:
    """The form that somebody signed in has sent from one of our pages, and from nowhere else."""
    if not own_origin(request, pages):
        raise FromElsewhere
    form = await read(request)
    if signed_in is None:
        raise SignedOut(form)
    check_token(form, signed_in)
    return form


def check_token(form: Form, signed_in: SignedIn) -> None:
    """`TokenOld` when the form does not carry the token of this session."""
    if not hmac.compare_digest(
        form.get(TOKEN, "").encode(), signed_in.browser_session.form_token.encode()
    ):
        raise TokenOld(form)


TheForm = Annotated[Form, Depends(form_of)]
