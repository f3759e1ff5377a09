"""What addresses and headers have in common: keys of use cases, keys of requests."""

from typing import Annotated

from fastapi import Header, Path

PLAIN = r"^[A-Za-z0-9-]+$"
"""What our own keys and ids are made of."""
UseCaseKey = Annotated[
    str,
    Path(
        description="The key, as people say it",
        examples=["UC-42"],
        max_length=64,
        pattern=PLAIN,
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Repeating a request with the same key and body gives the first answer again",
        max_length=200,
        min_length=1,
        pattern=r"^[\x21-\x7e]+$",
        examples=["7c0f3f0e-5c0a-4f6e-9d53-3d1d9f3f4c55"],
    ),
]
