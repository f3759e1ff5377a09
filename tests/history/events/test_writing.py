"""What the logs that Headway writes look like to others."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO
from xml.etree import ElementTree as ET

import pytest

from service.domain.case import Case, Outcome
from service.domain.standing import Mode
from service.domain.trace import Step, TracedCase
from service.history.events import write_csv, write_xes
from tests.history.events.logs import START

Writer = Callable[[Iterable[TracedCase], BinaryIO], None]
XES = "{http://www.xes-standard.org/}"


def hour(number: float) -> timedelta:
    return timedelta(hours=number)


def example(case_id: str = "UC-1", unit: str = "Claims") -> TracedCase:
    case = Case(case_id, "intake", "high", unit, START, START + hour(30), Outcome.PRODUCTION)
    return TracedCase(
        case,
        (
            Step(START, "triage", "enablement", Mode.WAITING),
            Step(START + hour(5), "triage", "enablement", Mode.WORKING),
            Step(START + hour(6), "triage", "builder", Mode.WAITING, rework=True),
            Step(START + hour(20), "build", "builder", Mode.WORKING),
        ),
    )


def written(*cases: TracedCase) -> ET.Element:
    out = io.BytesIO()
    write_xes(cases, out)
    return ET.fromstring(out.getvalue())  # noqa: S314 - our own


def attributes(element: ET.Element) -> dict[str, str]:
    return {
        child.attrib["key"]: child.attrib["value"] for child in element if "key" in child.attrib
    }


def test_work_is_a_start_and_a_complete_and_a_wait_is_a_schedule() -> None:
    events = [attributes(event) for event in written(example()).iter(f"{XES}event")]

    assert [
        (event["concept:name"], event["lifecycle:transition"], event["org:group"])
        for event in events
    ] == [
        ("triage", "schedule", "enablement"),
        ("triage", "start", "enablement"),
        ("triage", "complete", "enablement"),
        ("triage", "schedule", "builder"),
        ("build", "start", "builder"),
        ("build", "complete", "builder"),
        ("production", "complete", "builder"),
    ]
    assert events[1]["time:timestamp"] == "2024-03-04T14:00:00.000000+00:00"
    assert [event["headway:rework"] for event in events][3] == "true"
    assert events[-1]["headway:outcome"] == "production"


def test_the_log_has_the_structure_of_the_standard() -> None:
    """IEEE 1849: extensions, globals, classifiers, attributes, traces, in this order; every prefix
    is declared, every global is given, every classifier is made of global attributes."""
    log = written(example(), example("UC-2"))

    assert log.tag == f"{XES}log"
    assert log.attrib["xes.version"] == "1849.2016"
    order = [child.tag.removeprefix(XES) for child in log]
    ranks = {"extension": 0, "global": 1, "classifier": 2, "string": 3, "trace": 4}
    assert [ranks[tag] for tag in order] == sorted(ranks[tag] for tag in order)
    prefixes = {extension.attrib["prefix"] for extension in log.iter(f"{XES}extension")}
    keys = {element.attrib["key"] for element in log.iter() if "key" in element.attrib}
    assert {key.partition(":")[0] for key in keys} == prefixes
    of = {found.attrib["scope"]: attributes(found).keys() for found in log.iter(f"{XES}global")}
    for trace in log.iter(f"{XES}trace"):
        assert attributes(trace).keys() >= of["trace"]
        for event in trace.iter(f"{XES}event"):
            assert attributes(event).keys() >= of["event"]
    for classifier in log.iter(f"{XES}classifier"):
        assert of["event"] >= set(classifier.attrib["keys"].split())


def test_an_open_case_ends_with_what_is_going_on() -> None:
    case = Case("UC-3", "intake", "low", "", START, None, Outcome.OPEN, START + hour(9))
    at_work = TracedCase(case, (Step(START, "build", "builder", Mode.WORKING),))

    trace = written(at_work)[-1]

    assert [attributes(event)["lifecycle:transition"] for event in trace.iter(f"{XES}event")] == [
        "start"
    ]
    assert attributes(trace)["headway:observed_until"] == "2024-03-04T18:00:00.000000+00:00"


def test_what_xml_cannot_hold_is_replaced_and_the_rest_is_escaped() -> None:
    trace = written(example(unit='<a href="&">\x00\ud800\n\tx'))[-1]

    assert attributes(trace)["headway:business_unit"] == '<a href="&">��\n\tx'


def test_csv_has_the_names_that_tools_give_to_those_of_xes() -> None:
    out = io.BytesIO()
    write_csv([example(unit='A, "B"')], out)

    rows = list(csv.DictReader(io.StringIO(out.getvalue().decode(), newline="")))

    assert rows[0] == {
        "case:concept:name": "UC-1",
        "concept:name": "triage",
        "lifecycle:transition": "schedule",
        "org:group": "enablement",
        "time:timestamp": "2024-03-04T09:00:00.000000+00:00",
        "headway:rework": "false",
        "headway:outcome": "",
        "case:headway:cohort": "intake",
        "case:headway:tier": "high",
        "case:headway:business_unit": 'A, "B"',
        "case:headway:observed_until": "",
    }
    assert [row["headway:outcome"] for row in rows][-1] == "production"


@pytest.mark.parametrize("write", [write_xes, write_csv])
def test_cases_are_taken_one_by_one_and_the_file_stays_open(write: Writer) -> None:
    out = io.BytesIO()
    sizes = []

    def cases() -> Iterator[TracedCase]:
        for number in range(300):
            sizes.append(len(out.getvalue()))
            yield example(f"UC-{number}")

    write(cases(), out)

    assert sizes[-1] > 100 * (len(out.getvalue()) / 300)
    assert not out.closed


@pytest.mark.parametrize("write", [write_xes, write_csv])
def test_a_failure_among_the_cases_leaves_the_file_open(write: Writer) -> None:
    out = io.BytesIO()

    def cases() -> Iterator[TracedCase]:
        yield example()
        raise RuntimeError("the connection is gone")

    with pytest.raises(RuntimeError, match="connection"):
        write(cases(), out)

    assert not out.closed
