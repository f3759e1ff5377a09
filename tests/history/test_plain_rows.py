"""Plain rows are read many at a time; what they say is what the careful reader says."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.domain.case import Outcome
from service.history.csv import CANONICAL, HistoryFile, HistoryMap, Reject, parse_map
from service.history.csv.packing import PADDING, Floats, hashed, hashed_texts, words_of
from service.history.csv.plain_rows import PlainReader
from tests.kit.examples import examples

HEADER = "case_id,cohort,tier,business_unit,started_at,ended_at,outcome"
NOW = datetime(2025, 6, 1, tzinfo=UTC)
OUTCOMES = list(Outcome)
Fact = tuple[str | float | None, ...]


def carefully(
    path: Path, mapping: HistoryMap = CANONICAL, *, by_record: bool = True
) -> tuple[list[Fact], list[Reject]]:
    """What `batches` says, record by record or, as far as it can, by blocks of lines."""
    facts: list[Fact] = []
    rejects: list[Reject] = []
    with HistoryFile(path, mapping, latest=NOW) as file:
        file._lines.in_blocks = not by_record
        for batch in file.batches(5):
            facts += (
                (
                    case.cohort,
                    case.tier,
                    case.business_unit,
                    case.started_at.timestamp(),
                    case.ended_at.timestamp() if case.ended_at else None,
                    case.outcome,
                    case.known_from.timestamp() if case.known_from else None,
                    case.observed_until.timestamp() if case.observed_until else None,
                    case.estimate_days,
                )
                for case in batch.cases()
            )
            rejects += batch.rejects
    return facts, rejects


def said(column: Floats | None, place: int) -> float | None:
    return None if column is None or np.isnan(column[place]) else float(column[place])


def fast(
    path: Path, mapping: HistoryMap = CANONICAL, block: int = 300
) -> tuple[list[Fact], list[Reject]]:
    """What `numbers` says: block by block."""
    facts: list[Fact] = []
    rejects: list[Reject] = []
    with HistoryFile(path, mapping, latest=NOW) as file:
        for batch in file.numbers(block):
            rows = batch.accepted
            snapshot = mapping.snapshot.timestamp() if mapping.snapshot else None
            for i in range(len(rows)):
                ended, observed = said(rows.ended, i), said(rows.observed_until, i)
                if snapshot is not None and ended is None:
                    observed = snapshot if observed is None else min(observed, snapshot)
                facts.append(
                    (
                        file.cohorts[rows.cohort[i]],
                        file.tiers[rows.tier[i]],
                        file.units[rows.unit[i]],
                        said(rows.started, i),
                        ended,
                        OUTCOMES[rows.outcome[i]],
                        said(rows.known_from, i),
                        observed,
                        said(rows.estimate_days, i),
                    )
                )
            rejects += batch.rejects
            assert len(batch.lines) == len(rows)
        assert file.position == file.size
    return facts, rejects


EARLY, LATE = date(2024, 1, 1), date(2024, 3, 1)
AROUND_NOW = datetime(2024, 1, 1), datetime(2025, 7, 1)  # noqa: DTZ001 - hypothesis adds zones

moments = st.one_of(
    st.dates().map(str),
    st.datetimes(*AROUND_NOW).map(str),
    st.datetimes(*AROUND_NOW).map(lambda moment: moment.isoformat(timespec="milliseconds")),
    st.datetimes(*AROUND_NOW, timezones=st.timezones(), allow_imaginary=False).map(
        lambda moment: moment.isoformat()
    ),
    st.sampled_from(
        [
            *("2024-02-29", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-04-31"),
            *("2024-01-05T09:30", "2024-01-05 09:30:00Z", "2024-01-05T24:00", "2024-01-05T09:60"),
            *("2024-01-05T09:30:60", "2024-01-05T09:30:15-05:30", "2024-01-05T09:30+24:00"),
            *("2024-01-05T09:30:15.123456+01:00", "2024-01-05x09:30", "2024-01-05Z", "20240105"),
            *("2024-01-05T09:30:15.1", "1969-12-31T23:59:59Z", "1970-01-01", "1905-07-13"),
            *("2025-06-01T00:00:00Z", "2025-06-01T00:00:01Z", " 2024-01-05", "2024-W01-1"),
            *("2024-01-05T09:30:15+00:60", "", "2024-01-0\u0661", "2024/01/05", "9999-12-31"),
        ]
    ),
)
plain_moments = st.dates(EARLY, LATE).map(str)
texts = st.one_of(
    st.sampled_from(["intake", "before", "light", " light ", "Köln", "", "\x00", "light\x00"]),
    st.sampled_from(["a\x7fb", "a\tb", "x" * 64, "x" * 65, "x" * 201, '"a,b"', 'a"b', '"a""b"']),
    st.text(max_size=5),
)
ids = st.one_of(
    st.integers(0, 40).map(str),
    st.integers(0, 4).map(lambda number: f"UC-1234567890-{number}"),
    texts,
)
plain_row = st.tuples(
    st.integers(0, 2000).map(str),
    st.sampled_from(["intake", "before"]),
    st.sampled_from(["light", "standard"]),
    st.just("Claims"),
    plain_moments,
    st.just(""),
    st.just("open"),
)
row = st.tuples(
    ids,
    texts,
    texts,
    texts,
    st.one_of(moments, plain_moments),
    st.one_of(moments, plain_moments, st.just("")),
    st.one_of(st.sampled_from(["production", "Open", "open", "declined", "done"]), texts),
)
near_row = st.builds(
    lambda plain, other, places: tuple(
        new if place in places else old
        for place, (old, new) in enumerate(zip(plain, other, strict=True))
    ),
    plain_row,
    row,
    st.sets(st.integers(0, 6), max_size=2),
)
line = st.one_of(
    plain_row.map(",".join),
    plain_row.map(",".join),
    near_row.map(",".join),
    row.map(",".join),
    near_row.map(lambda cells: ",".join(f'"{cell}"' for cell in cells)),
    st.sampled_from(["", " ", ",", '"', '"a', "a\rb", ",,,,,,", 'b",x,"', '1,"intake\n"', "\x00"]),
)
files = st.tuples(
    st.lists(st.tuples(line, st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])), max_size=12),
    st.lists(st.tuples(line, st.just("\n")), max_size=12),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.sampled_from([b"", b"\xff", b"\xc3", b"last,intake,light,,2024-01-01,,open"]),
)


@settings(max_examples=examples(250), deadline=None)
@given(file=files, block=st.integers(60, 700))
@example(
    file=([('a,b","c', "\n"), ("1,intake,light,,2024-01-01,,open", "\n")], [], b"", b""), block=500
)
def test_blocks_say_what_the_careful_reader_says(
    file: tuple[list[tuple[str, str]], list[tuple[str, str]], bytes, bytes],
    block: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    mixed, clean, mark, rest = file
    lines = "".join(text + end for text, end in [*mixed, *clean])
    path = tmp_path_factory.mktemp("plain") / "cases.csv"
    content = f"{HEADER}\n{lines}".encode("utf-8", "surrogatepass")
    path.write_bytes(mark + content + rest)
    by_record = carefully(path)
    assert fast(path, block=block) == by_record
    assert carefully(path, by_record=False) == by_record


MAPS = (
    CANONICAL,
    parse_map('delimiter = ";"\nsnapshot = 2024-02-10\n[cohort]\nconstant = "all"', "m"),
    parse_map(
        '[tier]\ncolumn = "tier"\nvalues = { light = "a", "light " = "a" }\notherwise = "b"\n'
        'blank = "none"\n[dates]\nformats = ["iso", "%d.%m.%Y"]\nnone = ["2024-02-29", "-"]\n'
        'earliest = 1900-01-01\nyear_numbers = "middle"\n'
        '[outcome]\ncolumn = "outcome"\nvalues = { done = "production", open = "open" }',
        "m",
    ),
)


@settings(max_examples=examples(200), deadline=None)
@given(
    rows=st.lists(st.one_of(plain_row, near_row, near_row), max_size=25),
    quoted=st.sets(st.tuples(st.integers(0, 25), st.integers(0, 6))),
    mapping=st.sampled_from(MAPS),
    end=st.sampled_from(["\n", "\r\n"]),
    block=st.integers(200, 2000),
)
def test_blocks_say_the_same_with_any_map_that_allows_for_plain_rows(  # noqa: PLR0917
    rows: list[tuple[str, ...]],
    quoted: set[tuple[int, int]],
    mapping: HistoryMap,
    end: str,
    block: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("plain") / "cases.csv"
    lines = [
        [f'"{cell}"' if (i, j) in quoted else cell for j, cell in enumerate(cells)]
        for i, cells in enumerate([HEADER.split(","), *rows])
    ]
    content = "".join(mapping.delimiter.join(cells) + end for cells in lines)
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert fast(path, mapping, block) == carefully(path, mapping)


MORE_HEADER = f"{HEADER},known_from,observed_until,estimate_days"
estimates = st.sampled_from(["", "30", "12.5", "0", "-1", "nan", "1e3", " 7 ", "0.000001", "x"])
maybe_moment = st.one_of(st.just(""), plain_moments, moments)
more_row = st.builds(
    lambda plain, *more: (*plain, *more),
    st.one_of(plain_row, near_row),
    maybe_moment,
    maybe_moment,
    estimates,
)
ended_row = st.tuples(
    st.integers(0, 2000).map(str),
    st.just("intake"),
    st.just("light"),
    st.sampled_from(["Claims", "", "Köln"]),
    plain_moments,
    plain_moments,
    st.just("production"),
    maybe_moment,
    maybe_moment,
    st.sampled_from(["", "30"]),
)


@settings(max_examples=examples(200), deadline=None)
@given(
    rows=st.lists(st.one_of(more_row, ended_row, ended_row), max_size=25),
    mapping=st.sampled_from((CANONICAL, parse_map("snapshot = 2024-02-10", "m"))),
    block=st.integers(200, 2000),
)
def test_blocks_say_the_same_of_what_a_file_may_say_beside(
    rows: list[tuple[str, ...]],
    mapping: HistoryMap,
    block: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("plain") / "cases.csv"
    content = "".join(",".join(cells) + "\n" for cells in [MORE_HEADER.split(","), *rows])
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert fast(path, mapping, block) == carefully(path, mapping)


def test_what_a_file_says_beside_is_plain(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    row = "1,intake,light,Claims,2024-01-05,2024-02-01,production,2024-01-20,2024-03-01,12.5"
    path.write_text(f"{MORE_HEADER}\n{row}\n")
    with HistoryFile(path, latest=NOW) as file:
        layout = file.layout()
        assert layout is not None
        read = PlainReader(layout).read(file._lines.block(10_000), 2)
    assert read is not None
    assert read.plain.tolist() == [0]
    assert fast(path) == carefully(path)
    (fact,), _ = fast(path)
    known, observed, estimate = fact[-3:]
    assert known == datetime(2024, 1, 20, tzinfo=UTC).timestamp()
    assert observed == datetime(2024, 3, 1, tzinfo=UTC).timestamp()
    assert estimate == 12.5


def plain_lines(path: Path, lines: list[str]) -> list[int]:
    """Which of the lines the block reader takes as plain."""
    path.write_text("\n".join([HEADER, *lines, ""]))
    with HistoryFile(path, latest=NOW) as file:
        layout = file.layout()
        assert layout is not None
        read = PlainReader(layout).read(file._lines.block(10_000), 2)
    assert read is not None
    return [int(line) for line in read.plain]


@pytest.mark.parametrize(
    "moment",
    [
        *("2024-02-29", "2024-01-05T09:30", "2024-01-05 09:30:15", "2024-01-05T09:30:15.123"),
        *("2024-01-05T09:30:15.123456", "2024-01-05T09:30Z", "2024-01-05T09:30:15-05:30"),
        *("2024-01-05T09:30:15.123456+01:00", "1970-01-01", "2024-12-31T23:59:59.999999Z"),
    ],
)
def test_the_usual_ways_to_write_a_moment_are_plain(moment: str, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    lines = [f"1,intake,light,,{moment},,open", f"2,intake,Köln,,1970-01-01,{moment},production"]
    assert plain_lines(path, lines) == [0, 1]
    expected = datetime.fromisoformat(moment)
    if expected.tzinfo is None:
        expected = expected.replace(tzinfo=UTC)
    facts, rejects = fast(path)
    assert rejects == []
    assert [fact[3] for fact in facts] == [expected.timestamp(), 0.0]
    assert facts[1][4] == expected.timestamp()


@pytest.mark.parametrize(
    "moment",
    [
        *("2024-02-30", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-1-05"),
        *("2024-01-05T24:00", "2024-01-05T09:60", "2024-01-05T09:30:60", "2024-01-05x09:30"),
        *("2024-01-05T09:30+24:00", "2024-01-05T09:30+00:60", "2024-01-05T09:30:15.12"),
        *("2024-01-05T09:30z", "2024-01-05T09:30*01:00", "2024-01-05Z", "2024-01-0:", "1899-12-31"),
        *("2200-01-01", "2024-01-0\u0661", "2024-01-05 "),
    ],
)
def test_what_is_not_quite_a_moment_is_not_plain(moment: str, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    lines = [f"1,intake,light,,{moment},,open", f"2,intake,light,,1970-01-01,{moment},production"]
    assert plain_lines(path, lines) == []
    assert fast(path) == carefully(path)


def test_line_ends_of_windows_are_no_part_of_the_last_cell(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    header = "case_id,cohort,tier,business_unit,started_at,outcome,ended_at"
    lines = [header, "1,intake,light,,2024-01-05,production,2024-02-01", ""]
    path.write_bytes("\r\n".join(lines).encode())
    with HistoryFile(path, latest=NOW) as file:
        layout = file.layout()
        assert layout is not None
        read = PlainReader(layout).read(file._lines.block(10_000), 2)
    assert read is not None
    assert read.plain.tolist() == [0]


def test_a_file_that_quotes_every_cell_is_plain(tmp_path: Path) -> None:
    lines = [
        '"1","intake","light","Claims, motor","2024-01-05","2024-02-01","production"',
        '"2","intake","light","","2024-01-05","","open"',
        '"3","intake","a ""b""","","2024-01-05","","open"',
    ]
    assert plain_lines(tmp_path / "cases.csv", lines[:2]) == [0, 1]
    assert plain_lines(tmp_path / "cases.csv", lines) == [], "the marks inside could be anything"
    assert fast(tmp_path / "cases.csv") == carefully(tmp_path / "cases.csv")


def test_what_needs_care_is_left_to_the_careful_reader(tmp_path: Path) -> None:
    lines = [
        "1,intake,light,,2024-01-05,2024-02-01,production",
        "1 a,intake,light,,2024-01-05,2024-02-01,production",
        '2,in"take,light,,2024-01-05,2024-02-01,production',
        "3,intake,light,,2024-01-05T09:30,2024-01-05,production",
        "4,intake,light,,2024-02-30,2024-03-01,production",
        "5,intake,light,,2024-01-05,2024-02-01,open",
        "6,intake,light,,2024-01-05,2025-06-02,production",
        "7,intake,light,,2024-01-05,2024-02-01,production,",
        "8,intake,light,,2024-01-05,2024-02-01",
    ]
    assert plain_lines(tmp_path / "cases.csv", lines) == [0]


@given(texts=st.lists(st.text(max_size=40)))
@example(texts=["light", "light\x00", ""])
def test_a_text_has_one_hash_wherever_it_is_read(texts: list[str]) -> None:
    alone = hashed_texts([text.encode("utf-8", "replace").decode() for text in texts])
    cells = [text.encode("utf-8", "replace") for text in texts]
    lengths = np.array([len(cell) for cell in cells], dtype=np.int64)
    begins = np.cumsum(lengths + 3) - lengths
    together = hashed(
        words_of(b"".join(b"???" + cell for cell in cells) + PADDING), begins, lengths
    )
    assert together.tolist() == alone.tolist()
    assert len(set(together.tolist())) == len(set(cells))
