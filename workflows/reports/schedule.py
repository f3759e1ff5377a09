"""When the verdict of a quarter is locked."""

from temporalio.client import ScheduleCalendarSpec, ScheduleRange

QUARTERS = ScheduleCalendarSpec(
    comment="five minutes into a new quarter (UTC)",
    month=[ScheduleRange(month) for month in (1, 4, 7, 10)],
    day_of_month=[ScheduleRange(1)],
    hour=[ScheduleRange(0)],
    minute=[ScheduleRange(5)],
)
