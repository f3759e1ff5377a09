"""The process in force: which tiers and pathways there are, and what decides them."""

from typing import Any

from fastapi import APIRouter
from pydantic import RootModel

from api.kit.bodies import shows
from api.kit.context import Caller
from api.kit.problems import responses
from service.process.document import Process, schema
from service.process.in_force import process

router = APIRouter(prefix="/v1/process", tags=["Everybody"])

shows(process().as_json())(Process)


@shows(schema())
class ProcessSchema(RootModel[dict[str, Any]]):
    """A JSON Schema (draft 2020-12)."""


@router.get(
    "",
    summary="The process in force",
    responses=responses(401, 503),
    response_model_exclude_defaults=True,
)
async def in_force(_: Caller) -> Process:
    """Tiers, questions, rules and pathways, as `headway process export` writes them into a file.
    What is left out has its default."""
    return process()


@router.get("/schema", summary="The JSON Schema of a process", responses=responses(401, 503))
async def its_schema(_: Caller) -> ProcessSchema:
    """For editors that check a file while it is written."""
    return ProcessSchema(schema())
