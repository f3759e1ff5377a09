"""Runs are read by what is in them; what is none of the formats is refused in words."""

import json
import struct
from datetime import UTC, datetime
from typing import Any

import pytest

from service.errors import BadInput
from service.harness.formats import inspect_logs
from service.harness.judging import Metric
from service.harness.reading import read_run
from service.harness.result import LARGEST_FILE, Format
from tests.harness.samples import (
    JUNIT,
    dot_eval,
    inspect,
    inspect_log,
    native,
    packed,
    promptfoo,
    zipfile,
)

NINE = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def test_our_own_json() -> None:
    found = read_run(
        native(
            harness="answers-in-text",
            version=2,
            dataset="answers-2026",
            model="gpt-5",
            link="https://ci.example/7",
            run_id="ci-7",
            finished_at="2026-11-02T10:00:00+01:00",
        )
    )
    assert found.format is Format.NATIVE
    assert found.metrics == (Metric("accuracy", 0.93, None, 200),)
    assert (found.harness, found.version, found.run_id) == ("answers-in-text", 2, "ci-7")
    assert (found.dataset, found.model, found.link) == (
        *("answers-2026", "gpt-5"),
        "https://ci.example/7",
    )
    assert found.finished_at == NINE


@pytest.mark.parametrize(
    "content",
    [
        inspect(),
        b"\xef\xbb\xbf" + inspect(),
        dot_eval(),
        dot_eval(zipfile.ZIP_DEFLATED),
        dot_eval(zipfile.ZIP_STORED),
    ],
    ids=["json", "json with a mark", "zstandard", "deflated", "stored"],
)
def test_an_inspect_log(content: bytes) -> None:
    found = read_run(content)
    assert found.format is Format.INSPECT
    assert found.metrics == (Metric("match/accuracy", 0.93, 0.018, 200),)
    assert (found.dataset, found.model) == ("answers-2026", "openai/gpt-5")
    assert (found.run_id, found.finished_at) == ("kX2", NINE)


def test_an_inspect_log_with_several_scorers_and_reducers() -> None:
    log = inspect_log()
    score = log["results"]["scores"][0]
    log["results"]["scores"] = [
        {**score, "reducer": "mean"},
        {**score, "reducer": "max"},
        {**score, "name": "judge", "scored_samples": None},
    ]
    found = read_run(json.dumps(log).encode())
    assert [(one.name, one.samples) for one in found.metrics] == [
        ("match/mean/accuracy", 200),
        ("match/max/accuracy", 200),
        ("judge/accuracy", 200),
    ]


def test_promptfoo_results_of_both_layouts() -> None:
    found = read_run(promptfoo())
    assert found.format is Format.PROMPTFOO
    assert found.metrics == (Metric("passed", 0.94, None, 50), Metric("Faithful", 0.9, None, 50))
    assert (found.dataset, found.model) == ("Answers to suppliers", "openai:gpt-5")
    assert (found.run_id, found.finished_at) == ("eval-kQ3-2026-11-02T09:00:00", NINE)
    older = json.loads(promptfoo())["results"]
    older |= {"version": 2, "table": {"head": {"prompts": older.pop("prompts")}, "body": []}}
    assert read_run(json.dumps(older).encode()).metrics == found.metrics
    weighted = json.loads(promptfoo())
    weighted["results"]["prompts"][0]["metrics"]["namedScoreWeights"] = {"Faithful": 60}
    assert read_run(json.dumps(weighted).encode()).metrics[1] == Metric("Faithful", 0.75, None, 50)


def test_junit_xml() -> None:
    found = read_run(JUNIT)
    assert found.format is Format.JUNIT
    assert found.metrics == (Metric("passed", 0.6, None, 5),), "what was skipped does not count"
    assert (found.dataset, found.finished_at) == ("pytest tests", NINE)
    alone = b"<testsuite name='s'><testcase name='a'/></testsuite>"
    assert read_run(alone).metrics == (Metric("passed", 1.0, None, 1),)
    beside = b"<testsuites><testcase name='a'><failure/></testcase>" + alone + b"</testsuites>"
    assert read_run(beside).metrics == (Metric("passed", 0.5, None, 2),), "in no suite, and counts"
    wide = '<?xml version="1.0" encoding="utf-16"?>' + alone.decode()
    assert read_run(wide.encode("utf-16")).metrics == read_run(alone).metrics


def nested(depth: int) -> bytes:
    return b'{"metrics": ' + b"[" * depth + b"]" * depth + b"}"


def locked() -> bytes:
    """A zip whose entries say that they need a password."""
    made = bytearray(dot_eval(zipfile.ZIP_STORED))
    for mark, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = -1
        while (at := made.find(mark, at + 1)) >= 0:
            struct.pack_into("<H", made, at + flags, 1)
    return bytes(made)


def promptfoo_of(**changes: dict[str, float]) -> bytes:
    """Results with one named metric in two prompts."""
    metrics = {"namedScores": {"a": 0.9}, "namedScoresCount": {"a": 1}, **changes}
    stats = {"successes": 5, "failures": 3}
    return json.dumps({"results": {"stats": stats, "prompts": [{"metrics": metrics}] * 2}}).encode()


def test_a_moment_in_nobody_knows_which_zone_is_not_used() -> None:
    stats = {"successes": 5, "failures": 1}
    results = {"timestamp": "2026-01-01T00:00:00", "stats": stats}
    assert read_run(json.dumps({"results": results}).encode()).finished_at is None
    log = inspect_log(stats={"completed_at": "2026-01-01"})
    assert read_run(json.dumps(log).encode()).finished_at is None


LAUGHS = b"""<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]>
<testsuite name="&c;"><testcase name="a"/></testsuite>"""
OUTSIDE = b"""<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>
<testsuite name="&b;"><testcase name="a"/></testsuite>"""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty; looked for: a run in Headway's own JSON"),
        (b"   \n", "empty"),
        (b"accuracy,0.9", "none of what was looked for"),
        (b"\x00\x01\x02", "none of what was looked for"),
        (b'--x\r\nContent-Disposition: form-data; name="f"', "curl --data-binary @FILE"),
        (b"[1, 2]", "none of what was looked for"),
        (b'{"a": 1}', "JSON that is none of what was looked for"),
        (b'{"a": ', "JSON that cannot be read"),
        (b'{"a": "\xff"}', "JSON that cannot be read"),
        (native().decode().encode("utf-16"), "XML"),
        (nested(100_000), "JSON that cannot be read"),
        (b'{"metrics": []}', "own JSON: metrics"),
        (b'{"metrics": {}}', "own JSON: metrics"),
        (b'{"metrics": [{"metric": "a", "score": "0.9"}]}', "metrics.0.score"),
        (b'{"metrics": [{"metric": "a", "score": true}]}', "metrics.0.score"),
        (b'{"metrics": [{"metric": "a", "score": NaN}]}', "metrics.0.score"),
        (b'{"metrics": [{"metric": "a", "score": Infinity}]}', "metrics.0.score"),
        (b'{"metrics": [{"metric": "a", "score": 1e999}]}', "metrics.0.score"),
        (b'{"metrics": [{"metric": "a", "score": ' + b"9" * 400 + b"}]}", "metrics.0.score"),
        (b'{"metrics": [{"metric": "a", "score": ' + b"9" * 9000 + b"}]}", "JSON"),
        (b'{"metrics": [{"metric": "a", "score": 1, "samples": 1e30}]}', "metrics.0.samples"),
        (b'{"metrics": [{"metric": "a", "score": 1, "samples": -1}]}', "metrics.0.samples"),
        (b'{"metrics": [{"metric": "a", "score": 1, "standard_error": -1}]}', "standard_error"),
        (b'{"metrics": [{"metric": "a\\u0000", "score": 1}]}', "metrics.0.metric"),
        (b'{"metrics": [{"metric": "\\ud800", "score": 1}]}', "JSON that cannot be read"),
        (b'{"metrics": [{"metric": "a", "score": 1, "x\\ud83d": 1}]}', "JSON that cannot be read"),
        (b'{"metrics": [{"metric": "a", "score": 1}, {"metric": "a", "score": 2}]}', "twice"),
        (native(more=1), "more"),
        (native(link="javascript:alert(1)"), "https://"),
        (native(link=5), "link"),
        (native(link="https://a.example/" + "a" * 500), "link"),
        (native(finished_at="2026-11-02"), "finished_at"),
        (native(finished_at=1e9), "finished_at"),
        (native(version="2"), "version"),
        (inspect(status="error", error={"message": "out of quota"}), "not success: out of quota"),
        (inspect(status="started", results=None), "not success"),
        (inspect(status=5), "an Inspect log: status"),
        (inspect(invalidated=True), "invalidated"),
        (inspect(results=None), "without scores"),
        (inspect(eval=[]), "an Inspect log: eval"),
        (inspect(score=float("nan")), "results.scores.0.metrics.accuracy.value"),
        (inspect(stats={"completed_at": "soon"}), "completed_at"),
        (promptfoo(0, 0, 0), "no test ran"),
        (promptfoo(-1), "promptfoo results: results.stats.successes"),
        (b'{"results": {"stats": null}}', "promptfoo results: results.stats"),
        (LAUGHS, "document type"),
        (OUTSIDE, "document type"),
        (b"<a>", "not well-formed"),
        (b"<html></html>", "root is 'html'"),
        (b"<testsuites/>", "no test ran"),
        (b"<testsuite>" * 60 + b"</testsuite>" * 60, "more than 50 levels"),
        (b'<?xml version="1.0" encoding="klingon"?><testsuite/>', "XML"),
        (packed({"a.txt": b"a"}), "without header.json"),
        (packed({"header.json": b"[]"}), "no object"),
        (packed({"header.json": b"\xff"}), "JSON that cannot be read"),
        (dot_eval()[:300], "cannot be read: is it whole"),
        (b"PK\x03\x04" + b"\x00" * 100, "cannot be read: is it whole"),
        (locked(), "cannot be read: is it whole"),
        (packed({"header.json": b" " * (6 * 1024 * 1024)}), "larger than 5,242,880 bytes unpacked"),
        (
            b"<testsuites failures='1'><testsuite><testcase name='a'/></testsuite></testsuites>",
            "says more tests failed than it shows",
        ),
        (promptfoo_of(namedScoresCount={"a": -300}), "namedScoresCount.a"),
        (promptfoo_of(namedScoresCount={"a": 1e308}), "namedScoresCount.a"),
        (promptfoo_of(namedScores={"a": 1e308}), "the score is too large, or no number"),
        (b"{" + b" " * LARGEST_FILE, "larger than 10,485,760 bytes"),
    ],
)
def test_what_is_no_run_is_refused_in_words(content: bytes, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_run(content)
    assert refused.value.field == "file"
    assert said in refused.value.detail
    refused.value.detail.encode()


def test_a_zip_with_damage_in_its_header_is_refused() -> None:
    made = bytearray(dot_eval())
    at = made.find(b"header.json") + 30
    made[at : at + 40] = b"\x99" * 40
    with pytest.raises(BadInput):
        read_run(bytes(made))


def test_no_more_of_a_zip_is_unpacked_than_its_header_may_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    read: Any = zipfile.ZipExtFile.read

    def noted(self: zipfile.ZipExtFile, most: int = -1) -> bytes:
        asked.append(most)
        content: bytes = read(self, most)
        return content

    monkeypatch.setattr(zipfile.ZipExtFile, "read", noted)
    read_run(dot_eval())
    assert asked == [inspect_logs.LARGEST_HEADER + 1]


def test_texts_are_cut_to_what_can_be_kept() -> None:
    log = inspect_log()
    log["eval"] |= {"model": "m\x00" + "o" * 999, "dataset": {"name": "\x07"}}
    found = read_run(json.dumps(log).encode())
    assert (len(found.model), found.model[:3], found.dataset) == (200, "m o", "")
