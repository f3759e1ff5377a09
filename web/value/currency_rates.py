"""`/admin/currency-rates`: dated rates into the reporting currency, and a form to write some."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from api.kit.context import Context, TheContext
from api.value.currency_rates import RatesBody
from service.database import reading
from service.domain.permissions import Right, may
from service.errors import BadInput, NotAllowed
from service.value.currencies import (
    HEADER,
    list_rates,
    record_rates,
    reporting_currency,
)
from web.kit.formatting import sentence
from web.kit.forms import TheForm
from web.kit.page import go, page
from web.kit.signed_in import Reader, SignedIn
from web.kit.strings import t
from web.kit.typed import in_words

router = APIRouter()

PATH = "/admin/currency-rates"
LINE = ",".join(HEADER)
MOST_SHOWN = 100
Counted = Annotated[int | None, Query(ge=0, le=10_000)]


async def writer(reader: Reader) -> SignedIn:
    """Somebody who writes rates."""
    if not may(reader.person.actor, Right.WRITE_CURRENCY_RATES):
        raise NotAllowed("only administrators write currency rates")
    return reader


Writer = Annotated[SignedIn, Depends(writer)]


@router.get(PATH)
async def currency_rates(
    request: Request, _: Writer, given: TheContext, *, new: Counted = None, known: Counted = None
) -> Response:
    """The rates that there are, and a form for more."""
    done = "" if new is None else t("rates.done", written=new, known=known or 0)
    return await _list(request, given, done=done)


@router.post(PATH)
async def write(request: Request, form: TheForm, reader: Writer, given: TheContext) -> Response:
    """Write what was pasted, or a file."""
    written = form.text("file") or form.text("csv")
    if written and not written.lower().startswith(HEADER[0]):
        written = f"{LINE}\n{written}"
    typed = {"source": form.text("source"), "csv": written}
    try:
        body = RatesBody.model_validate(typed)
        found = body.found()
        async with given.sessions.begin() as session:
            new = await record_rates(
                session, found, source=body.source, by=reader.person.id, at=given.now()
            )
    except ValidationError as error:
        wrong = {
            str(one["loc"][0]): in_words(one["type"], one.get("ctx", {})) or t("new.wrong")
            for one in error.errors()
        }
        return await _list(request, given, typed=typed, wrong=wrong)
    except BadInput as error:
        field = "source" if error.field == "source" else "csv"
        return await _list(request, given, typed=typed, wrong={field: sentence(error.detail)})
    return go(request, PATH, new=str(new), known=str(len(found) - new))


async def _list(
    request: Request,
    given: Context,
    *,
    done: str = "",
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    async with reading(given.sessions) as session:
        kept = await list_rates(session, given.now(), most=MOST_SHOWN)
    return page(
        request,
        "currency_rates.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        kept=kept,
        full=len(kept) >= MOST_SHOWN,
        most=MOST_SHOWN,
        reporting=reporting_currency(),
        done=done,
        typed=typed or {},
        wrong=wrong or {},
    )
