"""A form that brings a file: streamed to disk, with a limit, only from our own pages."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from service.errors import BadInput, FileTooLarge, SignInNeeded
from web.kit.context import Pages
from web.kit.forms import MULTIPART, Form, FromElsewhere, check_token, own_origin, read
from web.kit.signed_in import SignedIn

LONGEST_NAME = 120
FRAME = 64 * 1024
"""Bytes of a form around its file."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is being brought, open for as long as its request."""

    name: str
    file: UploadFile

    async def save(self, path: Path) -> int:
        """Write it there; how many bytes it has."""
        return await asyncio.to_thread(_save, self.file, path)


def _save(upload: UploadFile, path: Path) -> int:
    upload.file.seek(0)
    with path.open("wb") as out:
        shutil.copyfileobj(upload.file, out, 1024 * 1024)
        return out.tell()


@asynccontextmanager
async def upload_of(
    request: Request, signed_in: SignedIn | None, pages: Pages, *, field: str, largest: int
) -> AsyncIterator[Upload]:
    """The file in a form that somebody signed in has sent from one of our pages.

    Raises `FileTooLarge`, and `BadInput` where there is no file.
    """
    if not own_origin(request, pages):
        raise FromElsewhere
    if signed_in is None:
        raise SignInNeeded
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != MULTIPART:
        check_token(await read(request), signed_in)
        raise BadInput(field, "this form brings no file")
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said[:20]) > largest + FRAME:
        raise FileTooLarge
    parser = MultiPartParser(
        request.headers, _limited(request, largest + FRAME), max_files=1, max_fields=10
    )
    try:
        data = await parser.parse()
    except (MultiPartException, ClientDisconnect, UnicodeError):
        raise BadInput(field, "this form cannot be read") from None
    try:
        check_token(Form([(k, v) for k, v in data.multi_items() if isinstance(v, str)]), signed_in)
        found = data.get(field)
        if not isinstance(found, UploadFile) or not found.size:
            raise BadInput(field, "choose a file that is not empty")
        if found.size > largest:
            raise FileTooLarge
        yield Upload(_plain_name(found.filename or ""), found)
    finally:
        await data.close()


async def _limited(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    read_so_far = 0
    async for piece in request.stream():
        read_so_far += len(piece)
        if read_so_far > most:
            raise FileTooLarge
        yield piece


def _plain_name(given: str) -> str:
    """The last part of a file's name as a browser gives it, printable and short."""
    name = PurePath(given.replace("\\", "/")).name
    plain = "".join(one for one in name if one.isprintable()).strip()
    return plain[-LONGEST_NAME:] or "file.csv"
