"""Reading logs: what becomes of every case, with its line and the reason; broken files."""

import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.history.csv import FileUnreadable
from service.history.events import EventFile, parse_event_map
from service.history.events import cases as of_cases
from tests.history.events.logs import HEADER, MAP, NOW, START, event, line, read, trace, xes


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def reasons(path: Path, text: str, mapping: str = MAP) -> dict[tuple[int, str], str]:
    """Why which cases of a log are rejected, by line and case id."""
    path.write_text(text, "utf-8")
    _, rejects = read(path, mapping)
    return {(reject.line, reject.case_id): reject.reason for reject in rejects}


def unreadable(path: Path, content: str | bytes, mapping: str = MAP) -> str:
    """Why a log cannot be opened."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(FileUnreadable) as caught:
        EventFile(path, parse_event_map(mapping, "test"), latest=NOW)
    return str(caught.value).replace(str(path), "LOG")


def test_rejects_of_xes_name_the_case_its_line_and_that_of_the_event(log: Path) -> None:
    good = trace("good", event(0, "ask"), event(1, "live"))
    no_time = (
        '<event><string key="concept:name" value="ask"/><string key="org:group" value="risk"/>'
        "</event>"
    )
    bad_time = no_time.replace("</event>", '<date key="time:timestamp" value="soon"/></event>')
    text = xes(
        good,
        trace("no time", event(0, "ask"), no_time),
        trace("bad time", bad_time),
        trace("future", event(24 * 365 * 80, "ask")),
        trace("word", event(0, "ask", "begun")),
        trace("nobody", event(0, "ask", group="")),
        trace("empty"),
        trace("notes", event(0, "note")),
        good,
        trace("", event(0, "ask")),
        event(0, "ask"),
    )

    assert reasons(log, text) == {
        (7, "no time"): "the event on line 9 has no time:timestamp",
        (11, "bad time"): 'the event on line 12: time:timestamp: "soon" is not a date of the form'
        " 2024-12-31",
        (14, "future"): "the event on line 15: 2104-02-14T09:00:00+00:00 is in the future",
        (17, "word"): 'the event on line 18: the map does not say what the transition "begun"'
        " stands for",
        (20, "nobody"): "the event on line 21: no holder: org:group and org:role and org:resource"
        " are blank",
        (23, "empty"): "it has no event that counts",
        (26, "notes"): "it has no event that counts",
        (29, "good"): 'case_id "good" is already on line 3',
        (33, ""): "case_id is blank",
        (36, ""): "an event outside of every trace",
    }


def test_rejects_of_csv_are_cases_on_the_line_of_their_first_row(log: Path) -> None:
    text = "\n".join(
        [
            HEADER,
            line(0, "good", "ask"),
            line(0, "short", "ask"),
            line(5, "good", "live"),
            "short,ask",
            '"two\nlines",ask',
            ",ask,,enablement,2024-03-04",
            "",
            line(0, "late", "ask").replace("2024", "2099"),
        ]
    )

    assert reasons(log, text) == {
        (3, "short"): "line 5: the row has 2 cells and the header 5",
        (6, "two lines"): "line 6: the row has 2 cells and the header 5",
        (8, ""): "case:concept:name is blank",
        (10, "late"): "the event on line 10: 2099-03-04T09:00:00+00:00 is in the future",
    }


def test_a_batch_counts_every_case_as_accepted_or_rejected(log: Path) -> None:
    log.write_text(
        xes(*(trace(str(i), event(0, "ask", "nonsense" if i % 3 else "")) for i in range(100)))
    )

    with EventFile(log, parse_event_map(MAP, "test"), latest=NOW) as file:
        read_of = [(batch.read, len(batch.accepted)) for batch in file.batches(30)]
        assert file.position == file.size == log.stat().st_size
        assert file.newest == START

    assert [of for of, _ in read_of] == [30, 30, 30, 10]
    assert sum(accepted for _, accepted in read_of) == 34


def test_unknown_activities_cost_the_case_or_are_passed_over_as_the_map_says(log: Path) -> None:
    log.write_text(xes(trace("1", event(0, "ask"), event(3, "coffee"), event(9, "live"))))
    rules = '[[activity.rules]]\nwhen = { "concept:name" = ["ask"] }\nstage = "asking"\n'

    strict = read(log, MAP.replace("keep", "reject") + rules)
    lenient = read(log, MAP.replace("keep", "ignore") + rules)

    assert [reject.reason for reject in strict[1]] == [
        'the event on line 5: the map has no rule for "coffee"'
    ]
    assert [step.stage for step in lenient[0][0].steps] == ["live"]


def test_a_rule_can_give_its_own_reason_to_reject(log: Path) -> None:
    rule = '[[activity.rules]]\nwhen = { "concept:name" = ["test"] }\nreject = "a trial run"\n'

    found = reasons(log, xes(trace("1", event(0, "test"))), MAP + rule)

    assert found == {(3, "1"): 'the event on line 4: a trial run ("test")'}


def test_times_without_a_zone_are_utc_and_others_are_what_they_say(log: Path) -> None:
    log.write_text(
        f"{HEADER}\n1,ask,,risk,2024-03-04 09:00:00.000001\n1,live,,risk,2024-03-04T09:00:01Z\n"
        "2,ask,,risk,2024-03-04T09:00:00+05:45\n"
    )

    accepted, _ = read(log, MAP)

    assert [traced.case.started_at for traced in accepted] == [
        datetime(2024, 3, 4, 9, 0, 0, 1, tzinfo=UTC),
        datetime(2024, 3, 4, 3, 15, tzinfo=UTC),
    ]
    assert accepted[0].case.ended_at == datetime(2024, 3, 4, 9, 0, 1, tzinfo=UTC)


def test_other_columns_delimiters_dates_and_words(log: Path) -> None:
    log.write_text(
        "Nr;Schritt;Wer;Wann;Art;Klasse\n7;Prüfung;Recht;04.03.2024 09:30;Anfang;\n"
        "7;Prüfung;Recht;04.03.2024 17:00;Ende;B\n",
        "cp1252",
    )
    mapping = """
encoding = "cp1252"
delimiter = ";"
dates = { formats = ["%d.%m.%Y %H:%M"] }
case_id = { column = "nr" }
activity = { column = "Schritt" }
timestamp = { column = "Wann" }
lifecycle = { column = "Art", values = { "Anfang" = "start", "Ende" = "complete" } }
holder = { column = "Wer", values = { "Recht" = "legal" } }
cohort.started_from = { "old" = 2020-01-01, "new" = 2024-03-04, "newer" = 2025-01-01 }
tier = { column = "Klasse", values = { "B" = "high" } }
"""

    accepted, rejects = read(log, mapping)

    assert rejects == []
    assert (accepted[0].case.case_id, accepted[0].case.cohort, accepted[0].case.tier) == (
        "7",
        "new",
        "high",
    )
    assert [(step.stage, step.holder, step.mode.value) for step in accepted[0].steps] == [
        ("Prüfung", "legal", "working"),
        ("Prüfung", "legal", "waiting"),
    ]


def test_a_case_before_the_first_cohort_is_rejected(log: Path) -> None:
    mapping = MAP.replace('constant = "old way"', 'started_from = { "new" = 2025-01-01 }')

    found = reasons(log, xes(trace("1", event(0, "ask"))), mapping)

    assert "before the first cohort" in found[3, "1"]


def test_a_gzipped_log_is_read_like_a_plain_one(tmp_path: Path) -> None:
    text = xes(trace("1", event(0, "ask"), event(9, "live")))
    plain, packed = tmp_path / "log.xes", tmp_path / "log.xes.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))

    assert read(plain, MAP) == read(packed, MAP)
    assert len(read(packed, MAP)[0]) == 1


def test_utf_16_is_read(log: Path) -> None:
    text = xes(trace("é", event(0, "ask"))).replace("UTF-8", "UTF-16")
    log.write_bytes(text.encode("utf-16"))

    assert [traced.case.case_id for traced in read(log, MAP)[0]] == ["é"]


def test_a_case_of_too_many_events_is_rejected_and_reading_goes_on(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_cases, "MOST_EVENTS", 3)
    many, few = (
        [line(i, "many", "ask") for i in range(5)],
        [line(i, "few", "ask") for i in range(3)],
    )

    found = reasons(log, "\n".join([HEADER, *many, *few]))

    assert list(found) == [(2, "many")]
    assert "more than 3 events" in found[2, "many"]


def test_a_million_rows_of_one_case_are_one_reject(log: Path) -> None:
    with log.open("w") as out:
        out.write(f"{HEADER}\n")
        out.writelines([f"{line(0, '1', 'ask')}\n"] * (of_cases.MOST_EVENTS + 1))

    accepted, rejects = read(log, MAP)

    assert accepted == []
    assert [reject.line for reject in rejects] == [2]


def test_broken_files_are_refused_before_the_first_case(log: Path) -> None:
    whole = xes(trace("1", event(0, "ask")), trace("2", event(0, "ask")))
    packed = gzip.compress(whole.encode())

    assert unreadable(log, "") == "LOG is empty"
    assert unreadable(log, whole[:-20]) == "LOG: line 7: not well-formed XML (unclosed token)"
    assert "line 4: not well-formed XML" in unreadable(log, whole.replace("ask", "<", 1))
    assert "cut off or damaged" in unreadable(log, packed[:-20])
    assert "cut off or damaged" in unreadable(log, packed[:40] + b"\xff" * 40)
    assert "no XES: it begins with <html>" in unreadable(log, "<html></html>")
    assert "an archive" in unreadable(log, b"PK\x03\x04")
    assert "an encoding that cannot be read" in unreadable(log, whole.replace("UTF-8", "klingon"))
    assert "UTF-16" in unreadable(log, HEADER.encode("utf-16"))
    assert 'missing columns: "case:concept:name", "time:timestamp"' in unreadable(
        log, "concept:name,case:tier,org:group\na,b,c\n"
    )
    assert "more than once" in unreadable(log, f"{HEADER},concept:name\n")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="cannot read"):
        EventFile(tmp_path / "nowhere", latest=NOW)


def test_a_cell_that_is_never_closed_costs_its_rows_only(log: Path) -> None:
    text = (
        f'{HEADER}\n{line(0, "1", "ask")}\n"2,{"x" * csv.field_size_limit()}\n{line(0, "3", "a")}\n'
    )
    log.write_text(text)

    accepted, rejects = read(log, MAP)

    assert [traced.case.case_id for traced in accepted] == ["1", "3"]
    assert [(reject.line, reject.case_id, reject.field) for reject in rejects] == [(3, "", "row")]
    assert "quotation mark" in rejects[0].reason


def test_every_reject_carries_the_cells_that_the_header_names(log: Path) -> None:
    log.write_text(xes(trace("1", event(0, "ask", group=""))))

    with EventFile(log, parse_event_map(MAP, "test"), latest=NOW) as file:
        reject = next(file.batches()).rejects[0]

    assert (file.header, reject.cells) == (("case_id",), ("1",))


def test_the_cohort_can_be_given_whatever_the_log_says(log: Path) -> None:
    log.write_text(xes(trace("1", event(0, "ask"))))

    accepted, _ = read(log, parse_event_map(MAP, "test").with_cohort("before"))

    assert accepted[0].case.cohort == "before"


def test_an_event_before_the_earliest_date_is_a_slip(log: Path) -> None:
    hours = -timedelta(days=366 * 60) / timedelta(hours=1)

    found = reasons(log, xes(trace("1", event(hours, "ask"))))

    assert "before 1970-01-01, the earliest taken" in found[3, "1"]


def test_bytes_that_are_not_in_the_encoding_cost_their_case_in_either_order(log: Path) -> None:
    bad, good = line(0, "caf\udce9", "ask"), line(0, "good", "ask")
    later = [line(1, "caf\udce9", "live"), line(1, "good", "live")]

    for rows in ([bad, later[0], good, later[1]], [bad, good, *later]):
        log.write_bytes("\n".join([HEADER, *rows]).encode("utf-8", "surrogateescape"))
        accepted, rejects = read(log, MAP)
        assert [traced.case.case_id for traced in accepted] == ["good"]
        assert [(reject.line, reject.field) for reject in rejects] == [(2, "case_id")]
        assert "not utf-8" in rejects[0].reason
