"""A file as a run: what it is, its content says, and not its name or a header."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic_core import from_json

from service.errors import BadInput
from service.harness.formats.inspect_logs import header_of, inspect_result
from service.harness.formats.junit import junit_result
from service.harness.formats.native import NativeRun, native_result
from service.harness.formats.promptfoo import promptfoo_result
from service.harness.formats.refused import FILE, refused, validated
from service.harness.result import LARGEST_FILE, LONGEST, MOST_METRICS, Result
from service.library.assets import LONGEST_ADDRESS
from service.library.pass_rules import LARGEST, MOST_SAMPLES

LOOKED_FOR = (
    "a run in Headway's own JSON (`metrics`), an Inspect log (`eval` and `status`, or .eval), "
    "promptfoo results (`results.stats`) or JUnit XML (`testsuites`)"
)
ZIP = b"PK\x03\x04"
MARK = b"\xef\xbb\xbf"


def read_run(content: bytes) -> Result:
    """What a file says of a run; `BadInput` says what was looked for, or what is wrong with it."""
    if len(content) > LARGEST_FILE:
        raise BadInput(FILE, f"larger than {LARGEST_FILE:,} bytes")
    if content.startswith(ZIP):
        return _checked(inspect_result(_json(header_of(io.BytesIO(content)))))
    begin = content.removeprefix(MARK).lstrip()[:1]
    if not begin:
        raise refused(f"empty; looked for: {LOOKED_FOR}")
    if begin == b"{":
        return _checked(_told(_json(content)))
    if begin == b"<" or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _checked(junit_result(content))
    if begin == b"-" and b"Content-Disposition" in content[:1000]:
        raise refused("a form with a file in it; send the file itself (curl --data-binary @FILE)")
    raise refused(f"none of what was looked for: {LOOKED_FOR}")


def _json(content: bytes) -> Mapping[str, Any]:
    try:
        read = from_json(content.removeprefix(MARK), cache_strings="keys")
    except (ValueError, RecursionError) as error:
        raise refused(f"JSON that cannot be read: {str(error)[:200]}") from None
    if not isinstance(read, dict):
        raise refused(f"JSON that is no object; looked for: {LOOKED_FOR}")
    return read


def _told(read: Mapping[str, Any]) -> Result:
    if "eval" in read and "status" in read:
        return inspect_result(read)
    results = read.get("results")
    if isinstance(results, dict) and "stats" in results:
        return promptfoo_result(read)
    if "stats" in read and isinstance(results, list):
        return promptfoo_result({"results": read})
    if "metrics" in read:
        return native_result(validated(NativeRun, read, "a run in Headway's own JSON"))
    raise refused(f"JSON that is none of what was looked for: {LOOKED_FOR}")


def _checked(found: Result) -> Result:
    """The same, if it can be kept: texts cut to their length, numbers within bounds."""
    if not found.metrics:
        raise refused("a run without metrics")
    if len(found.metrics) > MOST_METRICS:
        raise refused(f"more than {MOST_METRICS} metrics")
    names = [one.name for one in found.metrics]
    for one in found.metrics:
        if names.count(one.name) > 1:
            raise refused(f"the metric {_plain(one.name)!r} is there twice")
        if not one.name.strip() or len(one.name) > LONGEST:
            raise refused(f"a metric has a name of up to {LONGEST} characters")
        sure = one.standard_error
        # Written so that NaN, which is neither larger nor smaller, is refused too.
        if not abs(one.score) <= LARGEST or not (sure is None or 0 <= sure <= LARGEST):
            raise refused(f"{_plain(one.name)}: the score is too large, or no number")
        if one.samples is not None and not 1 <= one.samples <= MOST_SAMPLES:
            raise refused(f"{_plain(one.name)}: from 1 to {MOST_SAMPLES:,} samples")
    if len(found.run_id) > LONGEST:
        raise refused(f"its id is longer than {LONGEST} characters")
    return replace(
        found,
        metrics=tuple(replace(one, name=_plain(one.name)) for one in found.metrics),
        dataset=_plain(found.dataset),
        model=_plain(found.model),
        link=found.link if found.link.isprintable() and len(found.link) <= LONGEST_ADDRESS else "",
        run_id=_plain(found.run_id),
    )


def _plain(text: str) -> str:
    """What can be stored and read: no control characters, no half of a character, not endless."""
    kept = "".join(" " if mark < " " or mark == "\x7f" else mark for mark in text)
    return kept.encode(errors="replace").decode().strip()[:LONGEST]
