"""What would help most: the recorded waits played again, each cut by half in turn."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.domain.durations import duration
from service.domain.naming import plain
from service.facts.as_of import Moment
from service.facts.traces import traces_of
from service.measure.replay import Replay, Saving, what_would_help
from service.measure.verdict import interval_json, number


async def help_most(
    session: AsyncSession, moment: Moment, cohort: Cohort, *, tau_days: float | None = None
) -> dict[str, object]:
    """The waits of a cohort's cases, ranked by what half of each would have saved, as JSON."""
    sample = await traces_of(session, cohort, moment)
    replay = await asyncio.to_thread(what_would_help, sample.traces, tau_days=tau_days)
    notes = list(sample.notes)
    if replay.waits_left_out:
        notes.append(f"{replay.waits_left_out} waits of the fewest days are left out.")
    return {
        "as_of": moment.at.isoformat(),
        "cohort": str(cohort),
        "sentence": _sentence(replay),
        "cases": replay.cases,
        "rmst_days": number(replay.rmst_days),
        "tau_days": {tier: number(days) for tier, days in replay.tau_days},
        "cut_to": replay.factor,
        "waits": [_saving_json(saving) for saving in replay.waits],
        "holders": [_saving_json(saving) for saving in replay.holders],
        "why_upper_bound": replay.why_upper_bound,
        "notes": notes,
    }


def _sentence(replay: Replay) -> str:
    if not replay.waits:
        return "There is no wait that could be shortened yet."
    best = replay.waits[0]
    low, high = best.saved_days_interval.low, best.saved_days_interval.high
    stage = plain(best.stage or "")
    return (
        f"Halving the wait for {plain(best.holder)} in {stage} would help most: at most "
        f"{duration(best.saved_days)} of {duration(replay.rmst_days or 0.0)} per case "
        f"(95% between {duration(low)} and {duration(high)})."
    )


def _saving_json(saving: Saving) -> dict[str, object]:
    return {
        "stage": saving.stage,
        "holder": saving.holder,
        "rmst_days": number(saving.rmst_days),
        "saved_days": number(saving.saved_days),
        "saved_days_ci": interval_json(saving.saved_days_interval),
        "saved_percent": number(saving.saved_percent),
        "saved_percent_ci": interval_json(saving.saved_percent_interval),
        "waited_days": number(saving.waited_days),
        "cases": saving.cases,
    }
