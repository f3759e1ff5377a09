"""What is asked of reviews over HTTP, and what they answer."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, FiniteFloat

from api.kit.bodies import Input, shows
from service.kinds import Day, Name, Prose
from service.reviews.reading import (
    CameOut,
    Decided,
    Item,
    Review,
    ReviewSummary,
)
from service.reviews.rules import Choice, Kind, Phase
from service.reviews.scores import Scores
from service.value.evidence import State
from service.value.grades import Grade

LARGEST = 1e15
Amount = Annotated[FiniteFloat, Field(ge=-LARGEST, le=LARGEST)]
_PREDICTION: dict[str, object] = {
    "at_least": 90000.0,
    "by": "2027-03-31",
    "probability": 0.7,
    "low": 60000.0,
    "high": 140000.0,
}
_DECIDED: dict[str, object] = {
    "quarter": "2026-Q3",
    "choice": "continue",
    "reason": "Two thirds of what was due are there, and it grows.",
    "prediction": _PREDICTION,
    "by": "Edith Vance",
    "at": "2026-10-24T09:00:00Z",
    "came_out": "open",
    "delivered": None,
}
_SUMMARY: dict[str, object] = {
    "quarter": "2026-Q3",
    "phase": "deciding",
    "collect_until": "2026-10-22T01:05:00Z",
    "decide_until": "2026-11-05T01:05:00Z",
    "asked": 4,
    "decided": 1,
    "to_decide": 9,
}
_SCORES: dict[str, object] = {
    "group": "all",
    "predictions": 12,
    "came_true": 7,
    "unresolved": 1,
    "intervals": 8,
    "inside": 7,
    "brier": 0.19,
    "base_rate": 0.64,
    "skill": 0.17,
    "sentence": "7 of 11 predictions came true, 1 more cannot be told: nobody measured; 7 of 8 "
    "intervals held what they were to hold. Brier score 0.19, better than always saying the base "
    "rate (0.64): skill 0.17.",
}
_REVIEW: dict[str, object] = {
    **_SUMMARY,
    "opened_at": "2026-10-01T01:05:00Z",
    "locked_at": None,
    "sequence": 5,
    "sentence": "Deciding until 2026-11-05: 1 of 9 are decided.",
    "requests": [
        {
            "key": "UC-42",
            "title": "Find duplicate invoices",
            "business_unit": "Finance",
            "owners": ["Ben Okafor"],
            "sponsor": "Head of accounting",
            "asked_at": "2026-10-01T01:05:00Z",
            "reminded_at": "2026-10-11T01:05:00Z",
            "escalated_at": None,
            "came_in_at": "2026-10-14T08:00:00Z",
            "overdue": False,
        }
    ],
    "items": [
        {
            "key": "UC-42",
            "title": "Find duplicate invoices",
            "business_unit": "Finance",
            "sponsor": "Head of accounting",
            "currency": "EUR",
            "promised_first": 120000.0,
            "promised_latest": 120000.0,
            "due": 60000.0,
            "measured": 60000.0,
            "delivered": 41000.0,
            "low": 30000.0,
            "high": 52000.0,
            "grade": "B",
            "state": "measured",
            "trend": [{"quarter": "2026-Q2", "rate": 0.62}],
            "last": None,
            "decision": _DECIDED,
            "earlier": 0,
        }
    ],
    "events": [
        {
            "sequence": 1,
            "kind": "opened",
            "at": "2026-10-01T01:05:00Z",
            "by": "",
            "reason": "",
            "key": "",
        }
    ],
    "scores": _SCORES,
    "scores_by_unit": [],
}


@shows({"quarter": "2026-Q3"})
class OpeningBody(Input):
    """Which quarter's review is opened."""

    quarter: Name = Field(pattern=r"^[0-9]{4}-Q[1-4]$", examples=["2026-Q3"])


@shows(_PREDICTION)
class PredictionBody(Input):
    """What a use case will have delivered in all by the end of a day (UTC), in the currency of its
    case; `low` and `high` are an interval that is to hold 95 times of 100."""

    at_least: Amount
    by: Day
    probability: FiniteFloat = Field(gt=0, lt=1)
    low: Amount | None = None
    high: Amount | None = None


@shows(
    {
        "use_case": "UC-42",
        "choice": "continue",
        "reason": "Two thirds of what was due are there, and it grows.",
        "prediction": _PREDICTION,
    }
)
class DecisionBody(Input):
    """What the committee decides on a use case. All but stopping needs a prediction."""

    use_case: Name = Field(description="Its key", examples=["UC-42"])
    choice: Choice
    reason: Prose
    prediction: PredictionBody | None = None


@shows(
    {
        "collect_until": "2026-10-29T17:00:00Z",
        "decide_until": "2026-11-12T17:00:00Z",
        "reason": "The half of finance is away until the end of the month.",
    }
)
class DatesBody(Input):
    """New dates, with the reason."""

    collect_until: AwareDatetime
    decide_until: AwareDatetime
    reason: Prose


@shows({"reason": "All that were asked have measured."})
class ReasonBody(Input):
    """Why now."""

    reason: Prose


@shows(_SUMMARY)
class ReviewSummaryRead(BaseModel):
    """A review in the list."""

    quarter: str
    phase: Phase
    collect_until: datetime
    decide_until: datetime
    asked: int = Field(description="Use cases whose owners were asked for a measurement")
    decided: int
    to_decide: int

    @classmethod
    def of(cls, found: ReviewSummary) -> "ReviewSummaryRead":
        """The answer for a review."""
        return cls(
            quarter=found.quarter,
            phase=found.phase,
            collect_until=found.dates.collect_until,
            decide_until=found.dates.decide_until,
            asked=found.asked,
            decided=found.decided,
            to_decide=found.to_decide,
        )


@shows({"items": [_SUMMARY]})
class ReviewsRead(BaseModel):
    """The reviews, the newest first, at most 40."""

    items: list[ReviewSummaryRead]


@shows(_PREDICTION)
class PredictionRead(BaseModel):
    """A prediction."""

    at_least: float
    by: date
    probability: float
    low: float | None
    high: float | None


@shows(_DECIDED)
class ReviewDecisionRead(BaseModel):
    """A decision; `came_out` is null without a prediction, `delivered` is what was measured until
    its day."""

    quarter: str
    choice: Choice
    reason: str
    prediction: PredictionRead | None
    by: str
    at: datetime
    came_out: CameOut | None
    delivered: float | None

    @classmethod
    def of(cls, found: Decided) -> "ReviewDecisionRead":
        """The answer for a decision."""
        return cls.model_validate(found, from_attributes=True)


class RequestRead(BaseModel):
    """What was asked of whom, and whether it came. `overdue`: not until the evidence was closed."""

    key: str
    title: str
    business_unit: str
    owners: list[str]
    sponsor: str
    asked_at: datetime
    reminded_at: datetime | None
    escalated_at: datetime | None
    came_in_at: datetime | None
    overdue: bool


class TrendRead(BaseModel):
    """The rate of an earlier review; null where nothing was measured."""

    quarter: str
    rate: float | None


class ItemRead(BaseModel):
    """A use case that is decided on, with what was known of its value when the evidence was closed
    (now, while it is collected). Amounts are in `currency`."""

    key: str
    title: str
    business_unit: str
    sponsor: str
    currency: str
    promised_first: float
    promised_latest: float
    due: float
    measured: float
    delivered: float
    low: float | None
    high: float | None
    grade: Grade | None
    state: State
    trend: list[TrendRead]
    last: ReviewDecisionRead | None = Field(description="Of the review before")
    decision: ReviewDecisionRead | None = Field(description="Of this review; the newest")
    earlier: int = Field(description="Decisions of this review that the newest one replaced")

    @classmethod
    def of(cls, found: Item) -> "ItemRead":
        """The answer for a use case."""
        figure = found.figure
        return cls(
            key=found.key,
            title=found.title,
            business_unit=found.business_unit,
            sponsor=found.sponsor,
            currency=figure.currency,
            promised_first=figure.promised_first,
            promised_latest=figure.promised_latest,
            due=figure.due,
            measured=figure.measured,
            delivered=figure.delivered,
            low=figure.low,
            high=figure.high,
            grade=figure.grade,
            state=figure.state,
            trend=[TrendRead(quarter=quarter, rate=rate) for quarter, rate in found.trend],
            last=ReviewDecisionRead.of(found.last) if found.last else None,
            decision=ReviewDecisionRead.of(found.decision) if found.decision else None,
            earlier=found.earlier,
        )


class EventRead(BaseModel):
    """Something that happened; `by` is empty for what happened by itself."""

    sequence: int
    kind: Kind
    at: datetime
    by: str
    reason: str
    key: str


@shows(_SCORES)
class ScoresRead(BaseModel):
    """How predictions came out whose day is over. `brier`, `base_rate` and `skill` are null for too
    few."""

    group: str
    predictions: int
    came_true: int
    unresolved: int = Field(description="That nobody measured: neither true nor false")
    intervals: int
    inside: int
    brier: float | None
    base_rate: float | None
    skill: float | None
    sentence: str

    @classmethod
    def of(cls, found: Scores) -> "ScoresRead":
        """The answer for scores."""
        brier = found.brier
        return cls(
            group=found.group,
            predictions=found.predictions,
            came_true=found.came_true,
            unresolved=found.unresolved,
            intervals=found.intervals,
            inside=found.inside,
            brier=brier.score if brier else None,
            base_rate=brier.base_rate if brier else None,
            skill=brier.skill if brier else None,
            sentence=found.sentence,
        )


@shows(_REVIEW)
class ReviewRead(ReviewSummaryRead):
    """The review of a quarter, with all that is asked, known, decided and predicted."""

    opened_at: datetime
    locked_at: datetime | None
    sequence: int
    sentence: str
    requests: list[RequestRead]
    items: list[ItemRead]
    events: list[EventRead]
    scores: ScoresRead = Field(description="Of predictions of the reviews before")
    scores_by_unit: list[ScoresRead]

    @classmethod
    def of_review(cls, found: Review) -> "ReviewRead":
        """The answer for a review."""
        return cls(
            quarter=found.quarter,
            phase=found.phase,
            collect_until=found.dates.collect_until,
            decide_until=found.dates.decide_until,
            asked=len(found.requests),
            decided=found.decided,
            to_decide=len(found.items),
            opened_at=found.opened_at,
            locked_at=found.locked_at,
            sequence=found.sequence,
            sentence=found.sentence,
            requests=[
                RequestRead.model_validate(one, from_attributes=True) for one in found.requests
            ],
            items=[ItemRead.of(one) for one in found.items],
            events=[EventRead.model_validate(one, from_attributes=True) for one in found.events],
            scores=ScoresRead.of(found.scores),
            scores_by_unit=[ScoresRead.of(one) for one in found.scores_by_unit],
        )
