"""What addresses, queries and headers have in common: keys, moments, keys of requests."""

from typing import Annotated

from fastapi import Header, Path, Query

from service.kinds import Words

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
AsOf = Annotated[
    Words,
    Query(
        description="As known at the end of that day, or at that moment; now, if empty",
        examples=["2026-09-30"],
    ),
]
Zone = Annotated[
    Words,
    Query(description="Where that day ends; UTC, if empty", examples=["Europe/Berlin", "+02:00"]),
]
