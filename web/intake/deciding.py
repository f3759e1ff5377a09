"""Giving a command from a page: once, however often the form is sent."""

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from api.intake.bodies import CommandBody
from api.kit.context import Context
from service.database import reading
from service.domain.commands import Command
from service.domain.lifecycle import TAKES
from service.domain.people import Actor
from service.domain.refusals import Because, Refusal
from service.errors import (
    BadInput,
    DecisionPending,
    EngineUnreachable,
    KeyReused,
    WorkflowMissing,
)
from service.intake.deciding import Wanted, decide
from service.intake.use_cases import find, transitions
from web.kit.formatting import sentence
from web.kit.forms import Form
from web.kit.strings import t

UNNOTICED = {Command.REMIND, Command.ESCALATE}
"""What may happen between a look and a decision without changing what was looked at."""
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class NotDone:
    """A command that was not carried out, or is not known to have been; with what was typed."""

    command: Command
    typed: dict[str, str]
    idempotency_key: str
    status: HTTPStatus
    message: str
    field: str = ""
    meanwhile: bool = False
    """Something else has happened since the page was made."""

    @property
    def words(self) -> tuple[str, ...]:
        """What was typed, for a place where its form is not there any more."""
        return tuple(value for value in self.typed.values() if value)


async def give(
    given: Context, actor: Actor, key: str, command: Command, form: Form
) -> NotDone | None:
    """Carry out a command as a form gives it; None when it is done.

    The form's own key makes it once. It is refused when something has happened that the form's
    page did not show, reminders aside. Raises `NotFound`.
    """
    fields = ("reason", *sorted(TAKES[command]))
    typed = {name: form.text(name) for name in fields}
    sent = form.text("idempotency_key")[:LONGEST_KEY]

    def not_done(
        status: HTTPStatus, message: str, field: str = "", *, meanwhile: bool = False
    ) -> NotDone:
        return NotDone(command, typed, sent, status, message, field, meanwhile)

    try:
        body = CommandBody.model_validate(
            {name: value for name, value in typed.items() if value or name != "tier"}
        )
        looked_at = int(form.text("sequence"))
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        words = t("new.too_long", most=first.get("ctx", {}).get("max_length", ""))
        too_long = first["type"] == "string_too_long"
        return not_done(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            words if too_long else t("act.bad_value"),
            field,
        )
    except ValueError:
        raise BadInput("sequence", "this form is not whole") from None
    if not sent.isascii() or not sent.isprintable() or not sent:
        raise BadInput("idempotency_key", "this form is not whole")
    expected, _ = await _seen(given, actor, key, looked_at)
    wanted = Wanted(command=command, actor=actor, expected_sequence=expected, **_details(body))
    digest = hashlib.sha256(f"{key}/{command} {looked_at} {body.model_dump_json()}".encode())
    decision = hashlib.sha256(f"page {actor.person_id} {sent} {key}".encode())
    try:
        await decide(
            given.sessions,
            given.engine,
            key,
            wanted,
            decision_id=decision.hexdigest()[:32],
            request_digest=digest.hexdigest(),
            at=given.now(),
        )
    except Refusal as refusal:
        if refusal.because is Because.NOT_POSSIBLE:
            _, meanwhile = await _seen(given, actor, key, looked_at)  # also a moment ago
            if meanwhile:
                return not_done(HTTPStatus.CONFLICT, t("act.meanwhile"), meanwhile=True)
        field = refusal.about if refusal.because is Because.BAD_INPUT else ""
        return not_done(refusal.because.status, sentence(refusal.detail), field)
    except BadInput as error:
        return not_done(HTTPStatus.UNPROCESSABLE_ENTITY, sentence(error.detail), error.field)
    except KeyReused:
        return not_done(HTTPStatus.CONFLICT, t("act.sent_already"), meanwhile=True)
    except DecisionPending:
        return not_done(HTTPStatus.SERVICE_UNAVAILABLE, t("act.pending"))
    except (EngineUnreachable, WorkflowMissing):
        return not_done(HTTPStatus.SERVICE_UNAVAILABLE, t("act.engine_away"))
    return None


async def _seen(given: Context, actor: Actor, key: str, looked_at: int) -> tuple[int, bool]:
    """The sequence to expect, and whether more has happened than the page showed."""
    async with reading(given.sessions) as session:
        row = await find(session, key, actor)
        if row.sequence <= looked_at:
            return looked_at, False
        since = [step for step in await transitions(session, row.id) if step.sequence > looked_at]
    if all(step.command in UNNOTICED for step in since):
        return row.sequence, False
    return looked_at, True


def _details(body: CommandBody) -> dict[str, Any]:
    return body.model_dump(exclude={"expected_sequence"})
