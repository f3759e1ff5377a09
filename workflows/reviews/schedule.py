"""When the review of a quarter is opened."""

from temporalio.client import ScheduleCalendarSpec, ScheduleRange

OPENS = ScheduleCalendarSpec(
    comment="an hour into a new quarter (UTC), when the verdict of the last one is locked",
    month=[ScheduleRange(month) for month in (1, 4, 7, 10)],
    day_of_month=[ScheduleRange(1)],
    hour=[ScheduleRange(1)],
    minute=[ScheduleRange(5)],
)
