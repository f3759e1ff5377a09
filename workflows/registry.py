"""What the worker runs: a line for each workflow, each activity and each schedule."""

from collections.abc import Callable, Mapping
from typing import Any

from temporalio.client import Client, ScheduleCalendarSpec

from service.database import Sessions
from workflows.intake.activities import Activities as IntakeActivities
from workflows.intake.workflow import UseCaseWorkflow
from workflows.names import Name
from workflows.reports.activities import Activities as ReportActivities
from workflows.reports.schedule import QUARTERS
from workflows.reports.workflow import LockQuartersWorkflow
from workflows.reviews.activities import Activities as ReviewActivities
from workflows.reviews.schedule import OPENS
from workflows.reviews.workflow import OpenReviewWorkflow, ReviewWorkflow

WORKFLOWS: tuple[type, ...] = (
    UseCaseWorkflow,
    LockQuartersWorkflow,
    ReviewWorkflow,
    OpenReviewWorkflow,
)
SCHEDULES: Mapping[Name, ScheduleCalendarSpec] = {
    Name.LOCK_QUARTERS: QUARTERS,
    Name.OPEN_REVIEW: OPENS,
}
"""By the name of the workflow that is started then."""


def activities(sessions: Sessions, client: Client) -> list[Callable[..., Any]]:
    """The activities, with what they need."""
    return [
        IntakeActivities(sessions, client).record_transitions,
        ReportActivities(sessions).lock_quarters,
        ReviewActivities(sessions, client).record_review,
        ReviewActivities(sessions, client).open_review,
    ]
