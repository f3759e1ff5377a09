"""What is wrong with a file, in words that whoever looks after the CI job can act on."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from service.errors import BadInput

M = TypeVar("M", bound=BaseModel)
LONGEST_WHERE = 100
FILE = "file"


def refused(why: str) -> BadInput:
    """What is wrong with the file as a whole."""
    return BadInput(FILE, why)


def validated(model: type[M], read: Mapping[str, Any], called: str) -> M:
    """JSON that has been read, as a model. `BadInput` names the first field that does not fit."""
    try:
        return model.model_validate(read)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:LONGEST_WHERE]
        named = where.encode(errors="replace").decode()
        raise refused(f"{called}: {named or 'it'}: {first['msg']}") from None
