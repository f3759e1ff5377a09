"""Logs made to do harm: entities, bombs, depth, endless tags; and memory that stays bounded."""

import gzip
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from service.history.csv import FileUnreadable
from service.history.events import EventFile, parse_event_map, sources, xes
from service.history.events import csv_log as rows
from tests.history.events.logs import HEADER, MAP, NOW, event, line, read, trace
from tests.history.events.logs import xes as log_of

pytestmark = pytest.mark.long

DOCTYPES = {
    "external entity": '<!DOCTYPE log [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    "external subset": '<!DOCTYPE log SYSTEM "http://127.0.0.1:1/x.dtd">',
    "billion laughs": (
        '<!DOCTYPE log [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'
    ),
    "nothing in it": "<!DOCTYPE log>",
}


@pytest.mark.parametrize("doctype", DOCTYPES.values(), ids=DOCTYPES.keys())
def test_a_document_type_is_refused_whatever_is_in_it(doctype: str, tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    text = log_of(trace("1", event(0, "ask"))).replace("<log ", f"{doctype}\n<log ")
    path.write_text(text)

    with pytest.raises(FileUnreadable, match="line 2: a document type or entities"):
        EventFile(path, latest=NOW)


def test_an_entity_that_is_not_declared_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_text(log_of(trace("&e;", event(0, "ask"))))

    with pytest.raises(FileUnreadable, match="undefined entity"):
        EventFile(path, latest=NOW)


def test_nesting_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    deep = '<string key="a" value="b">' * xes.DEEPEST + "</string>" * xes.DEEPEST
    path.write_text(log_of(trace("1", event(0, "ask"), extra=deep)))

    with pytest.raises(FileUnreadable, match="nested more than 100 deep"):
        EventFile(path, latest=NOW)


def test_nested_attributes_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    nested = '<string key="x" value="y"><string key="tier" value="wrong"/></string>'
    below = nested.replace("tier", "org:group")
    path.write_text(log_of(trace("1", event(0, "ask", more=below), extra=nested)))

    accepted, _ = read(path, MAP)

    assert accepted[0].case.tier == "standard"
    assert accepted[0].steps[0].holder == "enablement"


@pytest.mark.parametrize("begin", ['<string key="a" value="', "<!-- ", "<?x "])
def test_the_length_of_a_tag_is_bounded(begin: str, tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_text(log_of(begin + "x" * (xes.LONGEST_TAG + 200_000)))

    with pytest.raises(FileUnreadable, match="longer than 1,000,000 bytes"):
        EventFile(path, latest=NOW)


def test_a_long_value_costs_its_case(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_text(log_of(trace("1", event(0, "x" * 100_000)), trace("2", event(0, "ask"))))

    accepted, rejects = read(path, MAP)

    assert [traced.case.case_id for traced in accepted] == ["2"]
    assert "longer than 200 characters" in rejects[0].reason


@pytest.mark.parametrize("first", ["<log><!-- ", f"{HEADER}\n"], ids=["xes", "csv"])
def test_a_gzip_bomb_is_refused(
    first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "FREE_EXPANSION", 100_000)
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(first.encode() + b" -->\n<!-- \n" * 40_000))

    with (
        pytest.raises(FileUnreadable, match="more than 200 times its size"),
        EventFile(path, parse_event_map(MAP, "test"), latest=NOW) as file,
    ):
        list(file.batches())


def test_quoted_line_ends_without_end_are_cut_and_do_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "LONGEST_LINE", 2_000)
    path = tmp_path / "log.csv"
    endless = '"' + '\n","' * 20_000 + '"'
    path.write_text(f"{HEADER}\n{line(0, '1', 'ask')}\n{endless}\n")

    tracemalloc.start()
    with EventFile(path, parse_event_map(MAP, "test"), latest=NOW) as file:
        first, *_ = (batch for batch in file.batches(10))
        accepted, rejects = first.accepted, first.rejects
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert [traced.case.case_id for traced in accepted] == ["1"]
    assert (rejects[0].line, rejects[0].case_id) == (3, "")
    assert rejects[0].reason == "not CSV: a record is longer than 2,000 characters"
    assert peak < 1_000_000


def test_a_case_of_many_activities_that_never_end_takes_time_in_proportion(
    tmp_path: Path,
) -> None:
    """With a search among the open ones for every event, this takes minutes."""
    path = tmp_path / "log.csv"
    starts = [line(0, "1", "ask" if i % 2 else "build", "start") for i in range(30_000)]
    ends = [line(1, "1", "other", "complete")] * 30_000
    path.write_text("\n".join([HEADER, *starts, *ends]))

    began = time.process_time()
    accepted, _ = read(path, MAP)

    assert len(accepted[0].steps) == 30_000
    assert time.process_time() - began < 20


def write_xes(path: Path, cases: int) -> None:
    with path.open("w") as out:
        out.write("<log>")
        out.writelines(
            trace(str(i), event(0, "ask"), event(1, "triage"), event(2, "live"))
            for i in range(cases)
        )
        out.write("</log>")


def write_grouped(path: Path, cases: int) -> None:
    with path.open("w") as out:
        out.write(f"{HEADER}\n")
        out.writelines(
            f"{line(0, str(i), 'ask')}\n{line(1, str(i), 'live')}\n" for i in range(cases)
        )


def write_mixed(path: Path, cases: int) -> None:
    with path.open("w") as out:
        out.write(f"{HEADER}\n")
        for hour, name in enumerate(("ask", "live")):
            out.writelines(f"{line(hour, str(i), name)}\n" for i in range(cases))


@pytest.mark.parametrize("write", [write_xes, write_grouped, write_mixed])
def test_memory_does_not_grow_with_the_log(
    write: Callable[[Path, int], None], tmp_path: Path
) -> None:
    path = tmp_path / "log"
    peaks = []
    for cases in (250, 1_000, 4_000):  # the first run also pays for what is made once
        write(path, cases)
        tracemalloc.start()
        with EventFile(path, parse_event_map(MAP, "test"), latest=NOW) as file:
            assert sum(len(batch.accepted) for batch in file.batches(100)) == cases
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[2] - peaks[1] < 100 * 3_000  # bytes a case, to know the ids that were
