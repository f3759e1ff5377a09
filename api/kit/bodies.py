"""What the bodies of all words share: requests are strict, and each has an example to paste."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

Model = TypeVar("Model", bound=type[BaseModel])
EXAMPLES: dict[type[BaseModel], Mapping[str, Any]] = {}
"""What `shows` was told: the OpenAPI document shows it."""


class Input(BaseModel):
    """A request's body: unknown fields are mistakes, not decoration."""

    model_config = ConfigDict(extra="forbid")


def shows(example: Mapping[str, Any]) -> Callable[[Model], Model]:
    """Show this example with a body or an answer, for readers of the OpenAPI document to paste."""

    # Not in the model's own configuration: FastAPI drops every null from what it finds there.
    def keep(model: Model) -> Model:
        EXAMPLES[model] = example
        return model

    return keep
