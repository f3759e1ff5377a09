"""The sample organisation's runs of harnesses, in all four formats: some pass, some miss, and one
use case in production is worse than it was when it went live."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from demo.live import TITLE
from demo.people import Cast
from service.harness.reading import read_run
from service.harness.store import Bringer, bring, settle
from service.intake.use_cases import rows_of

DAY = timedelta(days=1)
ANSWERS, IMAGES = "evaluation-text", "evaluation-images"
EVALUATED = "Answer questions about coverage for agents"
"""The one that got worse."""
MODEL = "gpt-5"


def inspect(score: float, at: datetime) -> bytes:
    """A log of Inspect."""
    moment, samples = at.isoformat(), 240
    metric = {"accuracy": {"name": "accuracy", "value": score}}
    scores = [{"name": "match", "scorer": "match", "scored_samples": samples, "metrics": metric}]
    return json.dumps(
        {
            "version": 2,
            "status": "success",
            "eval": {
                "eval_id": f"sample-{moment}",
                "created": moment,
                "task": "answers",
                "dataset": {"name": "answers-240", "samples": samples},
                "model": f"openai/{MODEL}",
            },
            "results": {"total_samples": samples, "completed_samples": samples, "scores": scores},
            "stats": {"completed_at": moment},
        }
    ).encode()


def promptfoo(score: float, at: datetime) -> bytes:
    """Results of promptfoo."""
    passed = round(150 * score)
    return json.dumps(
        {
            "evalId": f"eval-sample-{at.isoformat()}",
            "results": {
                "version": 3,
                "timestamp": at.isoformat(),
                "prompts": [{"provider": f"openai:{MODEL}", "raw": "Read the form."}],
                "stats": {"successes": passed, "failures": 150 - passed, "errors": 0},
            },
            "config": {"description": "forms-150"},
        }
    ).encode()


def junit(score: float, at: datetime) -> bytes:
    """JUnit XML."""
    cases = "".join(
        f'<testcase name="scan {number}">{"" if number < 200 * score else "<failure/>"}</testcase>'
        for number in range(200)
    )
    name = f'name="scans" timestamp="{at.isoformat()}"'
    return f"<testsuites><testsuite {name}>{cases}</testsuite></testsuites>".encode()


def native(score: float, at: datetime) -> bytes:
    """Headway's own JSON."""
    metric = {"metric": "accuracy", "score": score, "samples": 240}
    run = {"metrics": [metric], "dataset": "answers-240", "model": MODEL, "run_id": at.isoformat()}
    return json.dumps({**run, "finished_at": at.isoformat()}).encode()


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of one harness on a use case: so many days ago, with this score."""

    title: str
    harness: str
    write: Callable[[float, datetime], bytes]
    scores: tuple[tuple[float, float], ...]


RUNS = (
    Runs(
        EVALUATED,
        ANSWERS,
        inspect,
        ((90, 0.93), (60, 0.94), (40, 0.92), (21, 0.93), (10, 0.9), (3, 0.81)),
    ),
    Runs("Draft answers to standard complaints", ANSWERS, native, ((50, 0.91), (20, 0.94))),
    Runs("Read repair invoices", IMAGES, junit, ((70, 0.97), (35, 0.98), (5, 0.975))),
    Runs("Find duplicate invoices", ANSWERS, native, ((2, 0.87),)),
    Runs("Recognise the damaged part on a photo", IMAGES, promptfoo, ((1, 0.92), (0.5, 0.94))),
)


async def add_runs(
    session: AsyncSession, cast: Cast, use_case_ids: Sequence[str], *, at: datetime
) -> None:
    """What machines brought by `at`, each run in its time."""
    rows = {row.title: row for row in (await rows_of(session, use_case_ids)).values()}
    for one in RUNS:
        row = rows[TITLE + one.title]
        for days, score in one.scores:
            moment = at - days * DAY
            if moment <= row.submitted_at:
                continue
            content = one.write(score, moment)
            run, _ = await bring(
                session,
                row,
                read_run(content),
                content=content,
                by=Bringer(row.owner_id),
                harness=one.harness,
                version=None,
                at=moment,
            )
            # Where a use case stands its own story says: no gate of it is opened by these.
            await settle(session, run.id)
