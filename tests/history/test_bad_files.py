"""Files that nobody should have: a clear message, bounded memory, nothing half-written."""

import bz2
import gzip
import lzma
import os
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.history.csv import FileUnreadable, HistoryError, HistoryFile, Reject, compare_file
from service.history.csv.comparison import MOST_NAMES

HEADER = "case_id,cohort,tier,business_unit,started_at,ended_at,outcome"
NOW = datetime(2025, 6, 1, tzinfo=UTC)
ZONES = ("", "Z", "+01:00", "-05:30")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cases.csv"


def write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join([HEADER, *lines, ""]))


def rejected(path: Path) -> list[Reject]:
    with HistoryFile(path, latest=NOW) as file:
        return [reject for batch in file.numbers() for reject in batch.rejects]


def cases(cohort: str, count: int) -> list[str]:
    return [
        f"{cohort}-{i},{cohort},light,,2024-01-{1 + i % 28:02},2024-03-{1 + i % 7:02},production"
        for i in range(count)
    ]


def test_dates_that_cannot_be_are_rejected_with_their_lines(path: Path) -> None:
    write(
        path,
        [
            "1,intake,light,,2024-01-05,2024-02-01,production",
            "2,intake,light,,2025-07-01,,open",
            "3,intake,light,,2024-01-05,2204-07-01,production",
            "4,intake,light,,2024-01-05,2024-01-03,production",
            "5,intake,light,,2024-01-05T09:00:00+02:00,2024-01-03T06:59:59Z,production",
            "1,intake,light,,2024-01-05,2024-02-01,production",
        ],
    )
    assert [(reject.line, reject.reason) for reject in rejected(path)] == [
        (3, "started 2025-07-01, which is in the future"),
        (4, 'ended_at: "2204-07-01" has a year that cannot be right'),
        (5, "ended 2024-01-03, before it started 2024-01-05"),
        (6, "ended 2024-01-03T06:59:59+00:00, before it started 2024-01-05T09:00:00+02:00"),
        (7, 'case_id "1" is already on line 2'),
    ]


def test_moments_of_all_zones_are_put_on_one_line(path: Path) -> None:
    write(path, [f"{i},intake,light,,2024-01-05T12:00:00{z},,open" for i, z in enumerate(ZONES)])
    with HistoryFile(path, latest=NOW) as file:
        (batch,) = file.numbers()
    noon = datetime(2024, 1, 5, 12, tzinfo=UTC).timestamp()
    assert batch.accepted.started.tolist() == [noon, noon, noon - 3600, noon + 5.5 * 3600]


@pytest.mark.parametrize("block", [10_000, 1_000_000])
def test_one_id_on_every_line_is_accepted_once(path: Path, block: int) -> None:
    write(path, ["1,intake,light,,2024-01-05,2024-02-01,production"] * 20_000)
    with HistoryFile(path, latest=NOW) as file:
        batches = list(file.numbers(block))
    assert sum(len(batch.accepted) for batch in batches) == 1
    lines = [reject.line for batch in batches for reject in batch.rejects]
    assert lines == list(range(3, 20_002))
    assert {reject.reason for batch in batches for reject in batch.rejects} == {
        'case_id "1" is already on line 2'
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (gzip.compress(HEADER.encode(), mtime=0), r"is compressed \(gzip\): unpack it first"),
        (bz2.compress(HEADER.encode()), r"is compressed \(bzip2\): unpack it first"),
        (lzma.compress(HEADER.encode()), r"is compressed \(xz\): unpack it first"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is a workbook: save the sheet as CSV"),
        (b"\x7fELF\x02\x01\x01\x00\x00\n", "is no text: there are NUL bytes in its first line"),
        (bytes(1_000_000), "is no text: there are NUL bytes in its first line"),
        (b"x" * 1_000_000, "the header: a cell is longer than 131,072 characters"),
        (b"\x89\xf4" + b",\xfe\x9c" * 50_000, r"missing columns: .* and 49,981 more$"),
    ],
)
def test_what_is_no_csv_file_says_so_in_a_few_words(
    path: Path, content: bytes, message: str
) -> None:
    path.write_bytes(content)
    with pytest.raises(FileUnreadable, match=message) as caught:
        HistoryFile(path, latest=NOW)
    assert len(str(caught.value)) < 1_000


def test_only_a_header_is_nothing_to_compare(path: Path) -> None:
    write(path, [])
    with pytest.raises(HistoryError, match="no row that can be used: 0 read, 0 rejected"):
        compare_file(path, latest=NOW)


def test_a_line_without_end_costs_pieces_not_memory(path: Path) -> None:
    line = b"1,intake,light,,2024-01-05,2024-02-01,production,"
    path.write_bytes(HEADER.encode() + b"\n" + line * 500_000)
    with HistoryFile(path, latest=NOW) as file:
        batches = list(file.numbers())
    # 24.5 million characters in pieces of four million, each a row that is too wide.
    assert [len(batch.rejects) for batch in batches] == [1] * 7
    assert [batch.rejects[0].line for batch in batches] == list(range(2, 9))


def test_a_row_that_never_ends_is_cut(path: Path) -> None:
    # Each mark closes a cell and opens the next, over the line ends: one row as far as it goes.
    path.write_bytes(HEADER.encode() + b"\n" + b'"a","\n' * 1_000_000)
    rejects = rejected(path)
    assert "a row is longer than 4,000,000 characters" in rejects[0].reason
    assert max(sum(map(len, reject.cells)) for reject in rejects) <= 4_000_100
    assert sum(reject.cells[0].count("\n") for reject in rejects[:-1]) <= 1_000_000


def test_a_rejected_row_does_not_hide_why_there_is_nothing_to_compare(path: Path) -> None:
    write(path, [*cases("before", 5), "x,intake,light,,,,open"])
    with pytest.raises(HistoryError) as caught:
        compare_file(path, latest=NOW)
    assert str(caught.value) == (
        "there is no cohort 'intake'; the cohorts are: before. "
        "1 of 6 rows cannot be used: 1 for started_at."
    )


@pytest.mark.parametrize("column", ["cohort", "tier"])
def test_a_column_of_names_is_not_the_column_of_ids(path: Path, column: str) -> None:
    write(
        path,
        [
            (f"{i},{i},a" if column == "cohort" else f"{i},intake,{i}") + ",,2024-01-05,,open"
            for i in range(MOST_NAMES + 1)
        ],
    )
    message = f"more than 1,000 different words for the {column}, such as 0, 1, 2 and 998 more"
    with pytest.raises(HistoryError, match=message):
        compare_file(path, latest=NOW)


def test_a_pipe_is_read_as_a_file_is(path: Path) -> None:
    os.mkfifo(path)
    content = "\n".join([HEADER, *cases("intake", 40), *cases("before", 40), "x,,,,,,"])
    writer = threading.Thread(target=path.write_text, args=(content,))
    writer.start()
    result = compare_file(path, latest=NOW, progress=lambda done, total: None)
    writer.join()
    assert (result.accepted, result.rejected) == (80, 1)


class TestNothingIsHalfWritten:
    """A rejects file is there when the whole file has been read, or as it was before."""

    @pytest.fixture
    def rejects(self, path: Path, tmp_path: Path) -> Path:
        """An earlier rejects file, of a source that has other rows to reject now."""
        write(path, [*cases("intake", 40), *cases("before", 40), "old,,,,,,"])
        compare_file(path, latest=NOW, rejects=(rejects := tmp_path / "rejects.csv"))
        path.write_text(path.read_text().replace("old", "new"))
        return rejects

    def test_ctrl_c_leaves_the_earlier_file(self, path: Path, rejects: Path) -> None:
        def interrupted(done: int, total: int) -> None:
            assert rejects.with_name("rejects.csv.part").exists()
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            compare_file(path, latest=NOW, rejects=rejects, progress=interrupted)
        assert rejects.read_text().splitlines()[1].endswith("old,,,,,,")
        assert Counter(path.parent.iterdir()) == Counter([path, rejects])

    def test_what_a_killed_run_left_is_replaced(self, path: Path, rejects: Path) -> None:
        part = rejects.with_name("rejects.csv.part")
        part.write_text("reject_line,reject_rea")
        compare_file(path, latest=NOW, rejects=rejects)
        assert rejects.read_text().splitlines()[1].endswith("new,,,,,,")
        assert not part.exists()

    def test_a_file_of_somebody_else_is_left_alone(self, path: Path, rejects: Path) -> None:
        part = rejects.with_name("rejects.csv.part")
        part.write_text("my notes")
        with pytest.raises(HistoryError, match="is in the way"):
            compare_file(path, latest=NOW, rejects=rejects)
        assert part.read_text() == "my notes"

    def test_they_are_there_even_if_nothing_can_be_compared(
        self, path: Path, tmp_path: Path
    ) -> None:
        write(path, ["x,intake,light,,,,open"])
        rejects = tmp_path / "rejects.csv"
        with pytest.raises(HistoryError, match="no row that can be used"):
            compare_file(path, latest=NOW, rejects=rejects)
        assert len(rejects.read_text().splitlines()) == 2

    def test_where_nothing_can_be_written_is_said(self, path: Path, tmp_path: Path) -> None:
        write(path, ["x,intake,light,,,,open"])
        with pytest.raises(HistoryError, match=r"cannot write the rejects to .*: No such file"):
            compare_file(path, latest=NOW, rejects=tmp_path / "none" / "rejects.csv")
