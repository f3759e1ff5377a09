"""Small files of every format, as their tools write them."""

import io
import json
import sys
from typing import Any

if sys.version_info >= (3, 14):
    import zipfile as zipfile  # noqa: PLC0414 - the one with Zstandard
else:
    from backports.zstd import zipfile as zipfile  # noqa: PLC0414

RULES: list[dict[str, Any]] = [
    {"metric": "accuracy", "bound": "at_least", "threshold": 0.85, "least_samples": 100}
]


def native(score: float = 0.93, run_id: str = "", **more: Any) -> bytes:
    """Headway's own JSON."""
    metric = {"metric": "accuracy", "score": score, "samples": 200}
    return json.dumps({"metrics": [metric], "run_id": run_id, **more}).encode()


def inspect_log(score: float = 0.93, eval_id: str = "kX2", **changes: Any) -> dict[str, Any]:
    """A log of Inspect with one scorer, without what nobody reads."""
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "eval_id": eval_id,
            "run_id": "Qm1",
            "created": "2026-11-02T08:58:00+00:00",
            "task": "answers",
            "task_id": "T7",
            "dataset": {"name": "answers-2026", "samples": 200, "shuffled": False},
            "model": "openai/gpt-5",
            "config": {"epochs": 1},
        },
        "plan": {"name": "plan", "steps": [{"solver": "generate", "params": {}}]},
        "results": {
            "total_samples": 200,
            "completed_samples": 200,
            "scores": [
                {
                    "name": "match",
                    "scorer": "match",
                    "scored_samples": 200,
                    "unscored_samples": 0,
                    "params": {},
                    "metrics": {
                        "accuracy": {"name": "accuracy", "value": score, "params": {}},
                        "stderr": {"name": "stderr", "value": 0.018, "params": {}},
                    },
                }
            ],
        },
        "stats": {
            "started_at": "2026-11-02T08:58:01+00:00",
            "completed_at": "2026-11-02T09:00:00+00:00",
            "model_usage": {},
        },
        "samples": [{"id": 1, "epoch": 1, "input": "How?", "target": "So.", "scores": {}}],
        **changes,
    }


def inspect(**changes: Any) -> bytes:
    """The same as JSON."""
    return json.dumps(inspect_log(**changes)).encode()


def packed(entries: dict[str, bytes], method: int = zipfile.ZIP_ZSTANDARD) -> bytes:
    """A zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return made.getvalue()


def dot_eval(method: int = zipfile.ZIP_ZSTANDARD, **changes: Any) -> bytes:
    """The same as `.eval`."""
    log = inspect_log(**changes)
    samples = log.pop("samples")
    start = {"version": 2, "eval": log["eval"], "plan": log["plan"]}
    return packed(
        {
            "_journal/start.json": json.dumps(start).encode(),
            "samples/1_epoch_1.json": json.dumps(samples[0]).encode(),
            "header.json": json.dumps(log).encode(),
        },
        method,
    )


def promptfoo(successes: int = 47, failures: int = 2, errors: int = 1) -> bytes:
    """What promptfoo writes, version 3."""
    return json.dumps(
        {
            "evalId": "eval-kQ3-2026-11-02T09:00:00",
            "results": {
                "version": 3,
                "timestamp": "2026-11-02T09:00:00.000Z",
                "prompts": [
                    {
                        "raw": "Answer {{question}}",
                        "label": "Answer",
                        "provider": "openai:gpt-5",
                        "metrics": {
                            "score": 47.5,
                            "testPassCount": successes,
                            "testFailCount": failures,
                            "testErrorCount": errors,
                            "namedScores": {"Faithful": 45.0},
                            "namedScoresCount": {"Faithful": 50},
                        },
                    }
                ],
                "results": [{"success": True, "score": 1, "namedScores": {"Faithful": 1}}],
                "stats": {
                    "successes": successes,
                    "failures": failures,
                    "errors": errors,
                    "tokenUsage": {"total": 9000},
                },
            },
            "config": {"description": "Answers to suppliers"},
            "shareableUrl": None,
        }
    ).encode()


JUNIT = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests">
  <testsuite name="answers" errors="1" failures="1" skipped="1" tests="5"
             timestamp="2026-11-02T09:00:00.000000+00:00" time="3.1">
    <testcase classname="tests.answers" name="one" time="0.1"/>
    <testcase classname="tests.answers" name="two" time="0.1"/>
    <testcase classname="tests.answers" name="three"><failure message="no">no</failure></testcase>
    <testcase classname="tests.answers" name="four"><error message="gone"/></testcase>
    <testcase classname="tests.answers" name="five"><skipped message="later"/></testcase>
    <testsuite name="inner" timestamp="2026-11-02T10:00:00"><testcase name="six"/></testsuite>
  </testsuite>
</testsuites>
"""
