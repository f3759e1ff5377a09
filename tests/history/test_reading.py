"""Reading history files: every row becomes a case or a reject that a person can act on."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.case import Case, Outcome
from service.domain.moment import last_of
from service.history.csv import (
    CANONICAL,
    FileUnreadable,
    HistoryError,
    HistoryFile,
    HistoryMap,
    Reject,
    RejectsFile,
    parse_map,
    rejects_path,
)
from tests.kit.examples import examples

HEADER = "case_id,cohort,tier,business_unit,started_at,ended_at,outcome"
NOW = datetime(2025, 6, 1, tzinfo=UTC)
Read = tuple[list[Case], list[Reject]]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    """Reads bytes or lines as a file; checks on the way that no row is lost."""

    def read(content: bytes | list[str], mapping: HistoryMap = CANONICAL, rows: int = 3) -> Read:
        path = tmp_path / "cases.csv"
        path.write_bytes(content if isinstance(content, bytes) else "\n".join(content).encode())
        return read_all(path, mapping, rows)

    return read


def read_all(path: Path, mapping: HistoryMap = CANONICAL, rows: int = 3) -> Read:
    cases: list[Case] = []
    rejects: list[Reject] = []
    with HistoryFile(path, mapping, latest=NOW) as file:
        for batch in file.batches(rows):
            assert batch.read == len(batch.accepted) + len(batch.rejects)
            cases += batch.cases()
            rejects += batch.rejects
        assert file.position == file.size
    return cases, rejects


def row(**cells: str) -> str:
    plain = {
        "case_id": "A-1",
        "cohort": "intake",
        "tier": "light",
        "business_unit": "Claims",
        "started_at": "2024-01-05",
        "ended_at": "2024-02-01",
        "outcome": "production",
    }
    return ",".join((plain | cells).values())


def test_a_plain_row_is_a_case(read: Callable[..., Read]) -> None:
    cases, rejects = read([HEADER, row()])
    assert rejects == []
    assert cases == [
        Case(
            case_id="A-1",
            cohort="intake",
            tier="light",
            business_unit="Claims",
            started_at=datetime(2024, 1, 5, tzinfo=UTC),
            ended_at=datetime(2024, 2, 1, tzinfo=UTC),
            outcome=Outcome.PRODUCTION,
        )
    ]


@pytest.mark.parametrize(
    "cells",
    [
        {"outcome": " Production "},
        {"case_id": '"A-1\r\n"'},
        {"started_at": " 2024-01-05 "},
        {"started_at": "2024-01-05T00:00:00Z"},
        {"started_at": "2024-01-05 00:00"},
        {"cohort": '" intake\n"'},
    ],
)
def test_white_space_and_case_do_not_matter(
    read: Callable[..., Read], cells: dict[str, str]
) -> None:
    plain, _ = read([HEADER, row()])
    assert read([HEADER, row(**cells)]) == (plain, [])


def test_an_aware_moment_keeps_its_zone(read: Callable[..., Read]) -> None:
    (case,), _ = read([HEADER, row(started_at="2024-01-05T08:00:00+02:00")])
    assert case.started_at.utcoffset() == timedelta(hours=2)
    assert case.started_at == datetime(2024, 1, 5, 6, tzinfo=UTC)


def test_an_end_without_a_time_on_the_day_of_the_start_is_no_time_at_all(
    read: Callable[..., Read],
) -> None:
    (case,), _ = read([HEADER, row(started_at="2024-02-01T09:30", ended_at="2024-02-01")])
    assert case.ended_at == case.started_at


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ({"case_id": ""}, "case_id", "case_id is blank"),
        ({"case_id": "x" * 501}, "case_id", "longer than 500"),
        ({"case_id": "A\x001"}, "case_id", r'"A\x001" holds a control character'),
        ({"tier": "a\x00b"}, "tier", "holds a control character"),
        ({"cohort": " "}, "cohort", 'cohort: "cohort" is blank'),
        ({"cohort": "c" * 201}, "cohort", "longer than 200"),
        ({"tier": ""}, "tier", '"tier" is blank'),
        ({"started_at": ""}, "started_at", 'no start: "started_at" is blank'),
        ({"started_at": "soon"}, "started_at", '"soon" is not a date of the form 2024-12-31'),
        ({"started_at": "2024-02-30"}, "started_at", "is not a date"),
        ({"started_at": "0202-01-05"}, "started_at", "a year that cannot be right"),
        ({"started_at": "1950-01-05"}, "started_at", "before 1970-01-01"),
        ({"started_at": "1905-07-13"}, "started_at", "is the year 2021"),
        ({"started_at": "2025-07-01", "ended_at": "2025-07-02"}, "started_at", "in the future"),
        ({"ended_at": "2204-02-01"}, "ended_at", "a year that cannot be right"),
        ({"ended_at": "2024-01-03"}, "ended_at", "ended 2024-01-03, before it started 2024-01-05"),
        ({"ended_at": ""}, "ended_at", 'the outcome is production, but "ended_at" is blank'),
        ({"outcome": "open"}, "ended_at", 'the outcome is open, but ended_at is "2024-02-01"'),
        ({"outcome": "done"}, "outcome", '"done" is none of production, declined, withdrawn'),
        ({"outcome": ""}, "outcome", '"outcome" is blank'),
    ],
)
def test_a_row_that_cannot_be_used_says_why(
    read: Callable[..., Read], cells: dict[str, str], field: str, reason: str
) -> None:
    cases, (reject,) = read([HEADER, row(case_id="before"), row(**cells), row(case_id="after")])
    assert [case.case_id for case in cases] == ["before", "after"]
    assert (reject.line, reject.field) == (3, field)
    assert reason in reject.reason
    assert reject.cells == tuple(row(**cells).split(","))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("A-1,intake,light", "the row has 3 cells and the header 7"),
        ("A-1", "the row has 1 cell and the header 7"),
        (row() + ",x", "the row has 8 cells and the header 7"),
        (",,,,,,", "every cell is blank"),
    ],
)
def test_rows_of_the_wrong_width_and_empty_rows_are_rejected(
    read: Callable[..., Read], line: str, reason: str
) -> None:
    cases, (reject,) = read([HEADER, line])
    assert (cases, reject.line, reject.field, reject.reason) == ([], 2, "row", reason)


def test_blank_cells_too_many_and_blank_lines_do_not_matter(read: Callable[..., Read]) -> None:
    cases, rejects = read([HEADER, "", row() + ",, ", "  ", row(case_id="A-2"), ""])
    assert ([case.case_id for case in cases], rejects) == (["A-1", "A-2"], [])


def test_the_line_is_the_one_on_which_the_record_begins(read: Callable[..., Read]) -> None:
    content = [HEADER.replace("tier", '"tier\n"'), row(tier='"light\r\nor\rnot"'), row(tier="")]
    _, (reject,) = read(content)
    # The header takes lines 1 and 2, the first record 3 to 5.
    assert reject.line == 6


@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_the_second_of_two_equal_ids_is_rejected(read: Callable[..., Read], rows: int) -> None:
    content = [HEADER, row(tier=""), row(), row(case_id="A-2"), row(case_id=" A-1 "), row()]
    cases, rejects = read(content, rows=rows)
    assert [case.case_id for case in cases] == ["A-1", "A-2"]
    assert [(reject.line, reject.case_id, reject.reason) for reject in rejects[1:]] == [
        (5, "A-1", 'case_id "A-1" is already on line 3'),
        (6, "A-1", 'case_id "A-1" is already on line 3'),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_byte_order_mark_and_line_ends(read: Callable[..., Read], mark: bytes, end: bytes) -> None:
    cases, rejects = read(mark + end.join([HEADER.encode(), row().encode(), b""]))
    assert (len(cases), rejects) == (1, [])


def test_bytes_that_are_not_the_encoding_cost_the_row_only(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    lines = [HEADER, row(tier="Köln"), row(case_id="A-2")]
    cases, (reject,) = read("\n".join(lines).encode("cp1252"))
    assert len(cases) == 1
    assert reject.reason == r'tier: "K\udcf6ln" holds bytes that are not utf-8-sig'
    cases, rejects = read("\n".join(lines).encode("cp1252"), parse_map('encoding = "cp1252"', "m"))
    assert ([case.tier for case in cases], rejects) == (["Köln", "light"], [])


def test_bytes_of_windows_in_a_unit_are_read_as_such(read: Callable[..., Read]) -> None:
    cases, rejects = read("\n".join([HEADER, row(business_unit="Büro \u2013 X")]).encode("cp1252"))
    assert ([case.business_unit for case in cases], rejects) == (["Büro \u2013 X"], [])


def test_a_cell_without_end_costs_what_it_swallowed(read: Callable[..., Read]) -> None:
    swallowed = [row(case_id='"B-1'), *(row(case_id=f"C-{i}") for i in range(3000))]
    cases, rejects = read([HEADER, row(), *swallowed])
    assert cases[0].case_id == "A-1"
    assert len(cases) > 1, "reading goes on after it"
    assert rejects[0].line == 3
    assert "a quotation mark not closed on line 3" in rejects[0].reason
    raw = rejects[0].cells[0]
    assert "\n".join(swallowed).startswith(raw.strip())
    assert len(raw.splitlines()) + len(cases) - 1 == len(swallowed), "no line is lost"


def test_an_open_case_and_a_snapshot(read: Callable[..., Read]) -> None:
    mapping = parse_map("snapshot = 2024-06-01", "m")
    lines = [
        row(outcome="open", ended_at=""),
        row(case_id="A-2", ended_at="2024-06-02"),
        row(case_id="A-3", started_at="2024-06-02", ended_at="2024-06-03"),
    ]
    cases, (reject,) = read([HEADER, *lines], mapping)
    # An end after the snapshot was a plan when it was taken.
    assert [(case.outcome, case.ended_at) for case in cases] == [(Outcome.OPEN, None)] * 2
    assert {case.observed_until for case in cases} == {last_of(date(2024, 6, 1))}
    assert reject.reason == "started 2024-06-02, after the snapshot of 2024-06-01"


def test_header_only_is_no_row(read: Callable[..., Read]) -> None:
    assert read([HEADER]) == ([], [])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n , \n", "is empty"),
        (
            b"case_id,Tier\n",
            r'missing columns: "started_at", "cohort", .*: "case_id", "Tier"$',
        ),
        (HEADER.encode() + b",Tier \n", 'more than once: "tier"'),
        (HEADER.encode("utf-16"), 'encoding = "utf-16"'),
        (b"PK\x03\x04....", "save the sheet as CSV"),
    ],
)
def test_files_that_cannot_be_read(read: Callable[..., Read], content: bytes, message: str) -> None:
    with pytest.raises(FileUnreadable, match=message):
        read(content)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(FileUnreadable, match="cannot read"):
            HistoryFile(path, latest=NOW)


def test_truncated_utf_16_is_an_error_with_the_line(read: Callable[..., Read]) -> None:
    mapping = parse_map('encoding = "utf-16"', "m")
    content = "\n".join([HEADER, row()]).encode("utf-16")
    assert len(read(content, mapping)[0]) == 1
    with pytest.raises(FileUnreadable, match="is not utf-16"):
        read(content + b"\x00\xdc\x00\xdc", mapping)


class TestRejectsFile:
    def test_holds_the_rows_as_they_were_and_can_be_read_again(self, tmp_path: Path) -> None:
        source = tmp_path / "cases.csv"
        bad = row(tier="", business_unit='"=1+1, K\xf6ln"')
        source.write_bytes("\r\n".join([HEADER, row(case_id="ok"), bad]).encode("cp1252"))
        mapping = parse_map('encoding = "cp1252"', "m")
        path = rejects_path(source)
        assert path == tmp_path / "cases.rejects.csv"
        self.run(source, path, mapping)
        with path.open(encoding="cp1252", newline="") as text:
            header, line = csv.reader(text)
        assert header == ["reject_line", "reject_reason", *HEADER.split(",")]
        assert line[:2] == ["3", 'tier: "tier" is blank']
        assert line[2:] == next(csv.reader([bad]))

        mended = tmp_path / "mended.csv"
        mended.write_bytes(path.read_bytes().replace(b"intake,,", b"intake,light,"))
        cases, rejects = read_all(mended, mapping)
        assert ([case.business_unit for case in cases], rejects) == (["=1+1, Köln"], [])

    def test_keeps_bytes_that_are_not_the_encoding(self, tmp_path: Path) -> None:
        source = tmp_path / "cases.csv"
        source.write_bytes(f"{HEADER}\n{row(tier='K?ln')}\n".encode().replace(b"?", b"\xf6"))
        self.run(source, path := tmp_path / "out.csv")
        assert b"K\xf6ln" in path.read_bytes()

    def test_there_is_none_if_nothing_was_rejected(self, tmp_path: Path) -> None:
        source, path = tmp_path / "cases.csv", tmp_path / "out.csv"
        source.write_text(f"{HEADER}\n{row(tier='')}\n")
        self.run(source, path)
        assert path.exists()
        source.write_text(f"{HEADER}\n{row()}\n")
        self.run(source, path)
        assert not path.exists(), "that of an earlier run would mislead"

    def test_replaces_no_other_file(self, tmp_path: Path) -> None:
        source = tmp_path / "cases.csv"
        source.write_text(f"{HEADER}\n{row(tier='')}\n")
        (other := tmp_path / "report.csv").write_text("mine")
        for path in (source, other):
            with pytest.raises(HistoryError, match="not replaced"):
                self.run(source, path)
        assert other.read_text() == "mine"

    def test_a_rejects_file_is_not_its_own_rejects_file(self, tmp_path: Path) -> None:
        source = tmp_path / "cases.csv"
        source.write_text(f"{HEADER}\n{row(tier='')}\n")
        self.run(source, path := tmp_path / "out.csv")
        before = path.read_bytes()
        with pytest.raises(HistoryError, match="not replaced"):
            self.run(path, path)
        assert path.read_bytes() == before

    @staticmethod
    def run(source: Path, path: Path, mapping: HistoryMap = CANONICAL) -> None:
        with (
            HistoryFile(source, mapping, latest=NOW) as file,
            RejectsFile(path, file) as rejects,
        ):
            for batch in file.batches():
                rejects.write(batch.rejects)


cells = st.one_of(
    st.sampled_from(
        ["", " ", "A-1", "intake", "open", "production", "withdrawn", "2024-01-05", "2024-02-01"]
    ),
    st.datetimes().map(str),
    st.text(max_size=8),
)
good = st.builds(
    row, case_id=st.integers(0, 5).map(str), outcome=st.sampled_from(["open", "declined"])
)


@settings(max_examples=examples(150), deadline=None)
@given(
    rows=st.lists(st.one_of(st.lists(cells, max_size=9), good.map(lambda text: text.split(","))))
)
def test_every_row_is_accepted_or_rejected(
    rows: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("rows") / "cases.csv"
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as text:
        text.write(HEADER + "\r\n")
        csv.writer(text).writerows(rows)
    check_nothing_is_lost(path)


@settings(max_examples=examples(150), deadline=None)
@given(content=st.binary(max_size=400))
def test_no_bytes_break_the_reader(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "cases.csv"
    path.write_bytes(HEADER.encode() + b"\n" + content)
    check_nothing_is_lost(path)


def check_nothing_is_lost(path: Path) -> None:
    """Each record that Python's csv module finds is there once, as a case or a reject."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as text:
        records = [
            record for record in csv.reader(text) if "".join(record[:1]).strip() or record[1:]
        ]
    cases, rejects = read_all(path)
    assert len(cases) + len(rejects) == len(records) - 1
    assert len({case.case_id for case in cases}) == len(cases)
    assert all(reject.reason.isprintable() for reject in rejects)
    raw = {tuple(record) for record in records}
    assert all(reject.cells in raw for reject in rejects)
