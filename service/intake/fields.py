"""The fields of a use case, declared once: request, table, answer and form take them from here."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, StrictBool
from pydantic import Field as Limits
from sqlalchemy import Date, Text
from sqlmodel import Field, SQLModel

from service.domain.tiering import RiskAnswers
from service.kinds import Day, Name, Note, Prose

Money = Annotated[FiniteFloat, Limits(strict=True, ge=0, le=1e15)]
Number = Annotated[FiniteFloat, Limits(strict=True, ge=-1e15, le=1e15)]


class Kpi(BaseModel):
    """The number that should move: from `baseline` to `target`, in `unit`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name = Limits(examples=["Handling time"])
    unit: Name = Limits(examples=["minutes"])
    baseline: Number = Limits(examples=[18])
    target: Number = Limits(examples=[9])


class InvestmentCase(BaseModel):
    """What it costs and what it is expected to bring, in whole units of one ISO 4217 currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    one_off_cost: Money = Limits(examples=[40000])
    yearly_run_cost: Money = Limits(examples=[12000])
    expected_yearly_value: Money = Limits(examples=[180000])
    currency: Annotated[str, Limits(pattern=r"^[A-Z]{3}$", examples=["EUR"])]


class UseCaseFields(SQLModel):
    """What a request, the table and the answer have in common.

    The limits hold for what is read as well: those of a field that is in use can be widened, never
    narrowed. A new field is optional, or what was handed in before it cannot be read.
    """

    title: Name = Field(sa_type=Text, schema_extra={"examples": ["Answer supplier questions"]})
    problem: Prose = Field(
        sa_type=Text,
        schema_extra={"examples": ["Buyers answer the same forty questions every day."]},
    )
    data_sources: Note = Field(
        default="",
        sa_type=Text,
        sa_column_kwargs={"server_default": ""},
        description="What data it reads, in words",
        schema_extra={"examples": ["The archive of answered questions, the catalogue of parts."]},
    )
    business_unit: Name = Field(sa_type=Text, schema_extra={"examples": ["Procurement"]})
    sponsor: Name = Field(sa_type=Text, schema_extra={"examples": ["Chief procurement officer"]})
    wished_for: Day | None = Field(
        default=None, sa_type=Date, schema_extra={"examples": ["2027-03-31"]}
    )
    estimate_days: Annotated[FiniteFloat, Limits(strict=True, gt=0, le=3650)] = Field(
        description="Your own estimate of the days to production without this intake",
        schema_extra={"examples": [60]},
    )
    lighthouse: StrictBool = False

    @classmethod
    def example(cls) -> dict[str, Any]:
        """An example of each; the default, where a field has none."""
        declared = UseCaseFields.model_fields.items()
        return {
            name: field.examples[0] if field.examples else field.default for name, field in declared
        }

    def fields(self) -> dict[str, Any]:
        """These fields alone, by name."""
        return {name: getattr(self, name) for name in UseCaseFields.model_fields}

    def more(self) -> dict[str, str]:
        """What was said in optional fields of text, by name."""
        optional = {
            name: getattr(self, name)
            for name, field in UseCaseFields.model_fields.items()
            if field.annotation is str and not field.is_required()
        }
        return {name: said for name, said in optional.items() if said}


class UseCase(UseCaseFields):
    """An idea for using AI, with somebody who answers for it.

    `owner` and `co_owners` are person ids; the owner is accountable. `estimate_days` is the
    builder's own guess of the days to production without this intake, given before it starts.
    """

    model_config = {"frozen": True}

    owner: str
    co_owners: tuple[str, ...] = ()
    kpi: Kpi
    investment: InvestmentCase
    risk: RiskAnswers
