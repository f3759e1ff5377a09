"""Facts that stop a request: what happened, in words that a person can act on."""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import ClassVar


class Fault(Exception):  # noqa: N818
    """The base of everything that a face turns into an answer for people.

    `status` is what it is over HTTP. `words` names its page in the catalogue of strings
    (`error.<words>_title`); empty where the page of its status says it all.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    words: ClassVar[str] = ""


@dataclass
class NotFound(Fault):
    """There is no such thing, or not for this person."""

    status = HTTPStatus.NOT_FOUND

    what: str

    def __str__(self) -> str:
        return f"there is no {self.what}"


@dataclass
class NotAllowed(Fault):
    """The person's roles do not allow it."""

    status = HTTPStatus.FORBIDDEN

    detail: str

    def __str__(self) -> str:
        return self.detail


@dataclass
class Conflict(Fault):
    """Something that is there already stands in the way."""

    status = HTTPStatus.CONFLICT

    detail: str

    def __str__(self) -> str:
        return self.detail


@dataclass
class KeyReused(Fault):
    """An Idempotency-Key came again with other content."""

    status = HTTPStatus.CONFLICT

    key: str

    def __str__(self) -> str:
        return "this Idempotency-Key was used for a different request; take a new one"


@dataclass
class BadInput(Fault):
    """A field is missing or wrong."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    field: str
    detail: str

    @property
    def errors(self) -> tuple[tuple[str, str], ...]:
        """All that is wrong: which field, and what."""
        return ((self.field, self.detail),)

    def __str__(self) -> str:
        return f"{self.field}: {self.detail}"


class FileTooLarge(Fault):
    """The file is larger than may be brought. It was not read to its end."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def __str__(self) -> str:
        return "the file is too large"


class SignInNeeded(Fault):
    """No token, or one that is unknown, expired or revoked; which of these is not said."""

    status = HTTPStatus.UNAUTHORIZED
    words = "signed_out"

    def __str__(self) -> str:
        return "sign in with a valid token: Authorization: Bearer ..."


@dataclass
class TooManyAttempts(Fault):
    """Too many sign-ins failed lately."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    wait: timedelta

    def __str__(self) -> str:
        minutes = round(self.wait.total_seconds() / 60)
        return f"too many sign-ins have failed: try again in {minutes} minutes"


@dataclass
class EngineUnreachable(Fault):
    """Temporal does not answer. The decision may or may not have reached it: repeat it with the
    same key."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    words = "engine_away"

    decision_id: str

    def __str__(self) -> str:
        return "the engine cannot be reached just now; repeat with the same Idempotency-Key"


@dataclass
class DecisionPending(Fault):
    """The decision was handed to the engine and has not come back in time. It may still apply."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    words = "pending"

    decision_id: str

    def __str__(self) -> str:
        return "the decision has not been confirmed yet; look again, or repeat with the same key"


@dataclass
class DecisionFailed(Fault):
    """The engine took the decision and could not record it. Nothing has moved."""

    decision_id: str

    def __str__(self) -> str:
        return "the decision could not be recorded and has not been made; tell an administrator"


@dataclass
class WorkflowMissing(Fault):
    """The engine has no running workflow for this use case."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    words = "engine_away"

    use_case_id: str

    def __str__(self) -> str:
        return "the engine does not know this use case yet; try again shortly"


@dataclass
class TransitionsDisagree(Fault):
    """The database holds another transition under the same sequence. Nothing was overwritten."""

    use_case_id: str
    sequence: int

    def __str__(self) -> str:
        return (
            f"use case {self.use_case_id}: the recorded transition {self.sequence} differs from "
            "the engine's; run `headway reconcile`"
        )


@dataclass
class TransitionsMissing(Fault):
    """The database lacks the transition before this one, as after a restore. Nothing was written:
    what is missing comes first, out of the engine."""

    use_case_id: str
    sequence: int

    def __str__(self) -> str:
        return (
            f"use case {self.use_case_id}: transition {self.sequence} cannot be recorded before "
            f"{self.sequence - 1}, which is missing; run `headway reconcile`"
        )


class NotConfigured(Fault):
    """There is no database to talk to."""

    def __str__(self) -> str:
        return (
            "no database: run `headway up` first, or set HEADWAY_DATABASE_URL to a PostgreSQL "
            "server (docs/settings.md)"
        )
