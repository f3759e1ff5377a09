"""A file as the body of a request, whatever the request says that it is."""

from fastapi import Request
from starlette.requests import ClientDisconnect

from service.errors import BadInput, FileTooLarge


async def whole_file(request: Request, largest: int) -> bytes:
    """What is sent, all of it. `FileTooLarge` as soon as it is more than may be brought."""
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said[:20]) > largest:
        raise FileTooLarge
    read = bytearray()
    try:
        async for piece in request.stream():
            read += piece
            if len(read) > largest:
                raise FileTooLarge
    except ClientDisconnect:
        raise BadInput("file", "it did not come to its end") from None
    return bytes(read)
