"""A form that could not be taken: it is shown again with what was typed and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from service.domain.refusals import Because, Refusal
from service.errors import (
    BadInput,
    Conflict,
    DecisionPending,
    EngineUnreachable,
    KeyReused,
    NotAllowed,
    WorkflowMissing,
)
from web.kit.formatting import sentence
from web.kit.forms import Form
from web.kit.strings import t

REASONS = (
    *(BadInput, Conflict, KeyReused, NotAllowed, Refusal),
    *(DecisionPending, EngineUnreachable, WorkflowMissing),
)
"""Why a form is not taken, and can be sent again when it is mended."""


@dataclass(frozen=True, slots=True)
class NotDone:
    """Which form of the page, what was typed, and what is wrong with which field (empty where it is
    about no field)."""

    form: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    field: str = ""
    words: str = ""
    status: HTTPStatus = HTTPStatus.OK

    @classmethod
    def because(cls, name: str, form: Form, error: Exception) -> "NotDone":
        """What a form of this name is shown again with, for one of the `REASONS`."""
        typed = dict(form)
        match error:
            case BadInput():
                status = HTTPStatus.UNPROCESSABLE_ENTITY
                return cls(name, typed, error.field, sentence(error.detail), status)
            case Refusal():
                about = error.about if error.because is Because.BAD_INPUT else ""
                return cls(name, typed, about, sentence(error.detail), error.because.status)
            case NotAllowed():
                return cls(name, typed, "", sentence(str(error)), HTTPStatus.FORBIDDEN)
            case DecisionPending():
                return cls(name, typed, "", t("act.pending"), HTTPStatus.SERVICE_UNAVAILABLE)
            case EngineUnreachable() | WorkflowMissing():
                return cls(name, typed, "", t("act.engine_away"), HTTPStatus.SERVICE_UNAVAILABLE)
            case _:
                return cls(name, typed, "", sentence(str(error)), HTTPStatus.CONFLICT)


NOTHING = NotDone()
