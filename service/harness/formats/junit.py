"""JUnit XML, as test runners of all languages write it: the share of tests that passed.

It has no use for a document type, so one is refused, and with it every entity. Nesting and the
number of elements are bounded.
"""

from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser
from junitparser import JUnitXml, TestCase

from service.harness.formats.refused import refused
from service.harness.judging import Metric
from service.harness.result import PASSED, Format, Result

CALLED = "JUnit XML"
DEEPEST = 50
MOST_ELEMENTS = 500_000
ROOTS = frozenset({"testsuites", "testsuite"})


class _TooMuch(ValueError):  # noqa: N818
    """Deeper or more than any report of tests."""


class _Bounded(TreeBuilder):
    """Builds a tree that is neither deep nor endless."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._elements = 0

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > DEEPEST or self._elements > MOST_ELEMENTS:
            raise _TooMuch
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)


def junit_result(content: bytes) -> Result:
    """A report as a run. Skipped tests do not count; errors are failures."""
    root = _root(content)
    report = JUnitXml.fromroot(root)
    suites = list(report)  # each with the cases of those inside it
    alone = root.findall("testcase") if root.tag == "testsuites" else []
    ran = [*(case for suite in suites for case in suite), *map(TestCase.fromelem, alone)]
    cases = [case for case in ran if not case.is_skipped]
    if not cases:
        raise refused(f"{CALLED} in which no test ran")
    failed = sum(case.is_failure or case.is_error for case in cases)
    if _said(root, "failures") + _said(root, "errors") > failed:
        raise refused(f"{CALLED} that says more tests failed than it shows: is it whole?")
    passed = len(cases) - failed
    names = dict.fromkeys(name for suite in suites if (name := suite.name))
    moments = [at for suite in suites if (at := _moment(suite.timestamp)) is not None]
    return Result(
        format=Format.JUNIT,
        metrics=(Metric(PASSED, passed / len(cases), None, len(cases)),),
        dataset=report.name or ", ".join(names),
        finished_at=max(moments, default=None),
    )


def _root(content: bytes) -> Any:
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        parser.feed(content)
        root = parser.close()
    except ParseError as error:
        raise refused(f"XML that is not well-formed: {error}") from None
    except DefusedXmlException:
        raise refused(
            "XML with a document type or entities, which no report of tests needs"
        ) from None
    except _TooMuch:
        raise refused(f"XML of more than {DEEPEST} levels or {MOST_ELEMENTS:,} elements") from None
    except (LookupError, ValueError):
        raise refused("XML in an encoding that cannot be read") from None
    if root.tag not in ROOTS:
        raise refused(f"XML whose root is {str(root.tag)[:50]!r}; {CALLED} begins with testsuites")
    return root


def _said(root: Any, what: str) -> int:
    """How many the report itself counts; 0 where it says nothing that is a number."""
    written = root.get(what, "")
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 10 else 0


def _moment(written: str | None) -> datetime | None:
    """Most runners write their local time and not which: that is not used."""
    try:
        at = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return at if at.tzinfo else None
