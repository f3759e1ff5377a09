"""What a file cannot tell is said before the verdict, and no verdict rests on it.

The files are made here, without any effect of the intake unless said otherwise; the last test reads
those that people have sent, where they are next to the checkout.
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from service.history.csv import (
    CANONICAL,
    FileUnreadable,
    FileVerdict,
    HistoryFile,
    HistoryMap,
    compare_file,
    load_map,
    look,
    parse_map,
)
from service.history.csv.dates import DateReader
from service.history.csv.errors import RowUnusable
from service.history.csv.maps import Dates
from service.reports.comparison import FileComparison
from tests.kit.shared import CASES
from web.history.mapping import guessed

TAKEN = datetime(2025, 3, 5, tzinfo=UTC)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
HEADER = ("case_id", "cohort", "tier", "business_unit", "started_at", "ended_at", "outcome")
DAY = timedelta(days=1)
GERMAN = (
    *("Jan", "Feb", "März", "Apr", "Mai", "Juni"),
    *("Juli", "Aug", "Sept.", "Okt.", "Nov", "Dez"),
)
KEPT_SINCE = TAKEN - 200 * DAY


@dataclass(frozen=True)
class Row:
    """A row of a register; `ended` None while open."""

    case_id: str
    cohort: str
    started: datetime
    ended: datetime | None

    def cells(self) -> dict[str, str]:
        """As the canonical columns say it."""
        return {
            "case_id": self.case_id,
            "cohort": self.cohort,
            "tier": "all",
            "business_unit": "",
            "started_at": f"{self.started:%Y-%m-%dT%H:%M:%S}",
            "ended_at": "" if self.ended is None else f"{self.ended:%Y-%m-%dT%H:%M:%S}",
            "outcome": "open" if self.ended is None else "production",
        }


def register(seed: int, cases: int = 320, median: float = 40.0, oldest: int = 300) -> list[Row]:
    """Cases that take as long in both cohorts; those of the intake began later, so that more of
    them are open. The `oldest` of the baseline began so many days before the file was taken."""
    dice = np.random.default_rng(seed)
    rows = []
    for number in range(cases):
        cohort = ("before", "intake")[number % 2]
        ago = dice.integers(60, oldest) if cohort == "before" else dice.integers(1, 130)
        started = TAKEN - timedelta(days=int(ago), seconds=int(dice.integers(86_400)))
        ended = started + timedelta(days=float(median * np.exp(0.6 * dice.normal())))
        rows.append(Row(f"T-{number}", cohort, started, ended if ended < TAKEN else None))
    return rows


@pytest.fixture
def compared(tmp_path: Path) -> Callable[..., FileVerdict]:
    """Compares rows, written as a file."""

    def compared(
        rows: Iterable[dict[str, str]],
        mapping: HistoryMap = CANONICAL,
        *,
        without: Iterable[str] = (),
        as_of: datetime | None = None,
        latest: datetime = NOW,
    ) -> FileVerdict:
        path, rows = tmp_path / "cases.csv", list(rows)
        columns = [name for name in rows[0] if name not in without]
        with path.open("w", encoding="utf-8", newline="") as text:
            out = csv.DictWriter(text, columns, extrasaction="ignore")
            out.writeheader()
            out.writerows(rows)
        return compare_file(path, mapping, latest=latest, as_of=as_of)

    return compared


Compared = Callable[..., FileVerdict]


def withheld(found: FileVerdict) -> bool:
    return (
        bool(found.verdict.record)
        and FileComparison.of_file(found).as_json()["verdict"] == "inconclusive"
    )


def test_a_planned_end_is_an_open_case(compared: Compared) -> None:
    rows = [row.cells() for row in register(1)]
    still_open = sum(not row["ended_at"] for row in rows)
    plans = [
        row | ({} if row["ended_at"] else {"ended_at": "2027-06-30", "outcome": "production"})
        for row in rows
    ]
    truth, found = compared(rows), compared(plans)
    assert (found.rejected, found.planned) == (0, still_open)
    assert found.verdict.time == truth.verdict.time
    assert found.verdict.direction == "inconclusive"
    assert found.notes[0].startswith(f"Ends that are still to come: {still_open}.")
    # Left out, as they were before, they make the intake fast.
    done = compared([row for row in rows if row["ended_at"]])
    assert done.verdict.time.ci is not None
    assert done.verdict.time.ci.high < 1.0
    snapshot = parse_map("snapshot = 2025-03-05T00:00:00Z", "m")
    asked = compared(plans, as_of=TAKEN)
    assert asked.verdict.time == compared(plans, snapshot).verdict.time
    assert asked.verdict.time == compared(rows, as_of=TAKEN).verdict.time
    # Once the planned day is over, nobody can tell that it was a plan, but who says as of when.
    much_later = compared(plans, as_of=TAKEN, latest=datetime(2028, 1, 1, tzinfo=UTC))
    assert much_later.verdict.time == asked.verdict.time
    assert (much_later.planned, much_later.notes[0]) == (
        0,
        f"Ends after the day of the comparison: {still_open}. These cases count as open then.",
    )
    alone = compared(plans, latest=datetime(2028, 1, 1, tzinfo=UTC))
    assert withheld(alone)
    assert "the latest moment stands alone" in alone.signs[0]


def test_an_open_case_may_have_a_planned_end(compared: Compared) -> None:
    rows = [row.cells() for row in register(2)]
    plans = [row | ({} if row["ended_at"] else {"ended_at": "2027-06-30"}) for row in rows]
    assert compared(plans).verdict.time == compared(rows).verdict.time


def test_a_latest_moment_that_stands_alone_is_no_moment_to_count_from(
    compared: Compared,
) -> None:
    rows = register(3)
    place = next(i for i, row in enumerate(rows) if row.ended and i > 60)
    slip = replace(rows[place], ended=rows[place].started + 500 * DAY)
    slipped = [row.cells() for row in [*rows[:place], slip, *rows[place + 1 :]]]
    assert not compared([row.cells() for row in rows]).signs
    found = compared(slipped)
    assert withheld(found)
    (sign,) = found.signs
    assert sign.startswith("the latest moment stands alone, ")
    assert sign.endswith(f" days after the next: line {place + 2}, case T-{place}")
    # Whoever says as of when has said it.
    assert not compared(slipped, as_of=TAKEN).signs
    assert not compared(slipped, parse_map("snapshot = 2025-03-05", "m")).signs


@pytest.mark.parametrize("without", [("business_unit",), ("tier",), ("business_unit", "tier")])
def test_units_and_tiers_may_be_missing(compared: Compared, without: tuple[str, ...]) -> None:
    rows = [row.cells() for row in register(4)]
    whole, found = compared(rows), compared(rows, without=without)
    assert found.accepted == len(rows)
    assert [stratum.tier for stratum in found.verdict.strata] == ["all"]
    assert found.verdict.time == whole.verdict.time


def test_an_end_some_hours_before_the_start_is_no_time(compared: Compared) -> None:
    rows = register(5, median=1.0)
    days = [
        row.cells()
        | {"started_at": f"{row.started:%Y-%m-%d}"}
        | {"ended_at": f"{row.ended:%Y-%m-%d}" if row.ended else ""}
        for row in rows
    ]
    same = {i for i, row in enumerate(days) if row["started_at"] == row["ended_at"]}
    assert len(same) > 10
    early = [
        row | ({"ended_at": f"{rows[i].started - DAY:%Y-%m-%d}"} if i in same else {})
        for i, row in enumerate(days)
    ]
    truth, found = compared(days), compared(early)
    assert (found.rejected, found.mended) == (0, len(same))
    assert found.verdict.time == truth.verdict.time
    assert FileComparison.of_file(found).as_json()["ends_taken_as_start"] == len(same)
    assert f"the day before: {len(same)}." in found.notes[0]


def test_a_start_with_a_zone_and_an_end_that_is_a_day(compared: Compared) -> None:
    rows = [
        row.cells()
        | {"started_at": f"2024-03-05T{i % 24:02}:30:00-08:00"}
        | {"ended_at": "2024-03-05", "outcome": "production"}
        for i, row in enumerate(register(6, cases=48))
    ]
    found = compared(rows)
    assert (found.accepted, found.mended) == (48, 48)


@pytest.mark.parametrize(
    ("share", "says"),
    [
        (0.3, "before: 150 of 500 rows could not be used"),
        (0.04, "intake, before: 0.0% and 4.0% of the rows could not be used"),
    ],
)
def test_rejected_rows_that_differ_by_cohort_withhold_the_verdict(
    compared: Compared, share: float, says: str
) -> None:
    rows = [row.cells() for row in register(7, cases=1_000)]
    bad = [
        row
        | ({"started_at": "soon"} if row["cohort"] == "before" and i % 1000 < share * 1000 else {})
        for i, row in enumerate(rows)
    ]
    wrong = sum(row["started_at"] == "soon" for row in bad)
    found = compared(bad)
    assert withheld(found)
    assert says in found.verdict.record
    assert FileComparison.of_file(found).as_json()["rejected_by_cohort"] == {
        "before": {"read": 500, "rejected": wrong},
        "intake": {"read": 500, "rejected": 0},
    }
    assert found.notes[1] == (
        f"Rows that cannot be used, by cohort: {wrong} of 500 of before, 0 of 500 of intake."
    )


def test_a_few_rejected_rows_of_both_do_not(compared: Compared) -> None:
    rows = [row.cells() for row in register(8)]
    bad = [row | ({"ended_at": "1987-02-01"} if i < 8 else {}) for i, row in enumerate(rows)]
    found = compared(bad)
    assert found.rejected == 8
    assert found.verdict.record == ()


@pytest.mark.parametrize(
    ("written", "read", "first"),
    [("%m/%d/%Y", "%d/%m/%Y", "month"), ("%d/%m/%Y", "%m/%d/%Y", "day")],
)
def test_day_and_month_the_other_way_round_are_noticed(
    compared: Compared, written: str, read: str, first: str
) -> None:
    rows = [
        row.cells()
        | {"started_at": row.started.strftime(written)}
        | {"ended_at": row.ended.strftime(written) if row.ended else ""}
        for row in register(9)
    ]
    found = compared(rows, parse_map(f'[dates]\nformats = ["{read}", "iso"]', "m"))
    assert withheld(found)
    (sign,) = (sign for sign in found.signs if sign.startswith("dates"))
    assert (
        sign == f"dates: with the {first} first ({written}) all dates can be read, with {read} not"
    )
    right = compared(rows, parse_map(f'[dates]\nformats = ["{written}"]', "m"))
    assert (right.rejected, right.signs) == (0, ())


def test_dates_that_are_no_dates_in_any_order_are_only_rejected(compared: Compared) -> None:
    rows = [row.cells() | {"started_at": "13/01/2024", "ended_at": ""} for row in register(10)]
    rows = [row | {"outcome": "open"} for row in rows]
    rows[0] = rows[0] | {"started_at": "soon"}
    found = compared(rows, parse_map('[dates]\nformats = ["%d/%m/%Y"]', "m"))
    assert (found.rejected, found.signs) == (1, ())


def old_register(seed: int) -> list[Row]:
    """A register in which the baseline goes back long before anything in it ended."""
    return [
        row
        for row in register(seed, cases=600, oldest=450)
        if row.cohort == "intake" or row.ended is None or row.ended > KEPT_SINCE
    ]


def test_what_ended_before_the_record_began_is_missed(compared: Compared) -> None:
    rows = old_register(11)
    since = min(row.ended for row in rows if row.cohort == "before" and row.ended)
    found = compared([row.cells() for row in rows])
    assert withheld(found)
    assert found.verdict.record[0] == f"before: no end before {since:%Y-%m-%d}"
    # With the moment at which each became known the same rows are whole.
    known = [row.cells() | {"known_from": f"{KEPT_SINCE:%Y-%m-%dT%H:%M:%S}"} for row in rows]
    assert compared(known).verdict.record == ()


def test_a_file_of_closed_cases_only_is_missed(compared: Compared) -> None:
    closed = [row.cells() for row in register(12, cases=400) if row.ended is not None]
    found = compared(closed)
    assert withheld(found)
    assert any("intake: nothing open on " in sign for sign in found.verdict.record)


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ({"known_from": "soon"}, "known_from", 'known_from: "soon" is not a date'),
        ({"known_from": "2024-03-01"}, "known_from", "not before it ended 2024-02-01"),
        ({"known_from": "2024-02-01"}, "known_from", "it could never be seen"),
        ({"known_from": "2027-02-01"}, "known_from", "which is in the future"),
        ({"observed_until": "2023-12-01"}, "observed_until", "before it started 2024-01-05"),
        ({"observed_until": "x"}, "observed_until", 'observed_until: "x" is not a date'),
        ({"estimate_days": "0"}, "estimate_days", 'estimate_days: "0" is not a number of days'),
        ({"estimate_days": "a week"}, "estimate_days", "above 0"),
        ({"estimate_days": "nan"}, "estimate_days", "above 0"),
        ({"estimate_days": "1e300"}, "estimate_days", "above 0"),
    ],
)
def test_what_a_file_says_beside_is_checked(
    tmp_path: Path, cells: dict[str, str], field: str, reason: str
) -> None:
    more = {"known_from": "", "observed_until": "", "estimate_days": ""}
    plain = Row("1", "before", datetime(2024, 1, 5, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
    path = tmp_path / "cases.csv"
    rows = [plain.cells() | more, plain.cells() | {"case_id": "2"} | more | cells]
    path.write_text(
        "\n".join([",".join([*HEADER, *more]), *(",".join(row.values()) for row in rows)])
    )
    with HistoryFile(path, latest=NOW) as file:
        (batch,) = file.batches()
    (reject,) = batch.rejects
    assert (reject.line, reject.field, reject.cohort) == (3, field, "before")
    assert reason in reject.reason


def test_known_before_the_start_is_known_from_the_start_on(compared: Compared) -> None:
    rows = [row.cells() for row in register(13)]
    early = [row | {"known_from": "2020-01-01"} for row in rows]
    assert compared(early).verdict.time == compared(rows).verdict.time


def test_a_look_at_a_case_is_a_moment_of_the_file(compared: Compared) -> None:
    rows = [row.cells() | {"observed_until": ""} for row in register(21)]
    place = next(i for i, row in enumerate(rows) if not row["ended_at"])
    rows[place] |= {"observed_until": "2025-03-20"}
    assert compared(rows).verdict.as_of == datetime(2025, 3, 20, tzinfo=UTC)
    assert compared(rows, without=("observed_until",)).verdict.as_of < TAKEN


def test_a_map_names_columns_that_must_be_there(compared: Compared) -> None:
    rows = [row.cells() | {"Guess": "30"} for row in register(14)]
    mapping = parse_map('[estimate_days]\ncolumn = "Guess"', "m")
    assert compared(rows, mapping).accepted == len(rows)
    with pytest.raises(FileUnreadable, match='missing columns: "Guess"'):
        compared(rows, mapping, without=("Guess",))
    with pytest.raises(FileUnreadable, match='missing columns: "Unit"'):
        compared(rows, parse_map('[business_unit]\ncolumn = "Unit"', "m"))


def test_a_tier_in_three_spellings_is_one(compared: Compared) -> None:
    rows = [row.cells() for row in register(15)]
    ways = ("high", " High", "HIGH ", "high")
    mixed = [row | {"tier": ways[i % 4]} for i, row in enumerate(rows)]
    found = compared(mixed)
    assert [stratum.tier for stratum in found.verdict.strata] == ["high"]
    assert found.verdict.time == compared(rows).verdict.time
    assert found.notes[0] == (
        "Tiers that are written in several ways are taken as one: HIGH = High = high."
    )
    turned = compared(mixed[::-1])
    assert (
        FileComparison.of_file(turned).as_json()["strata"]
        == FileComparison.of_file(found).as_json()["strata"]
    )


@pytest.mark.parametrize("invisible", ["\u200b", "\ufeff", "\u00ad", "\u202a", "\u2060"])
def test_what_nobody_sees_makes_no_cohort_of_its_own(compared: Compared, invisible: str) -> None:
    rows = [row.cells() for row in register(16)]
    odd = [
        row | ({"cohort": f"{row['cohort']}{invisible}"} if i % 3 else {})
        for i, row in enumerate(rows)
    ]
    found = compared(odd)
    assert [arm.cohort for arm in found.verdict.arms] == ["intake", "before"]
    assert found.verdict.time == compared(rows).verdict.time


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
@pytest.mark.parametrize(
    "above", ["", "sep={}\n", "Report: AI intake{0}{0}{0}\nGenerated 2024-10-01\n{0}{0}\n"]
)
def test_the_delimiter_and_the_header_are_found(
    tmp_path: Path, compared: Compared, delimiter: str, above: str
) -> None:
    rows = [row.cells() for row in register(17)]
    lines = [",".join(HEADER), *(",".join(row.values()) for row in rows)]
    path = tmp_path / "other.csv"
    text = above.format(delimiter) + "\n".join(lines).replace(",", delimiter)
    path.write_text(text)
    found = compare_file(path, latest=NOW)
    assert found.accepted == len(rows)
    assert found.verdict.time == compared(rows).verdict.time
    titles = "Rows above the header that are left out: 2."
    assert (titles in found.notes) is above.startswith("Report")
    seen = look(path)
    assert (seen.delimiter, seen.columns) == (delimiter, HEADER)


def test_a_delimiter_that_a_map_names_is_not_guessed(tmp_path: Path) -> None:
    (path := tmp_path / "cases.csv").write_text(";".join(HEADER) + "\n")
    with pytest.raises(FileUnreadable, match="missing columns"):
        HistoryFile(path, parse_map('delimiter = ","', "m"), latest=NOW)


def test_cohorts_by_when_a_case_began(compared: Compared) -> None:
    rows = register(18)
    border = datetime(2024, 11, 1, tzinfo=UTC)
    split = parse_map("[cohort.started_from]\nintake = 2024-11-01\nbefore = 2024-05-01", "m")
    named = [
        row.cells() | {"cohort": "intake" if row.started >= border else "before"} for row in rows
    ]
    old = [
        named[0]
        | {
            "case_id": "old",
            "started_at": "2024-01-01",
            "ended_at": "2024-02-01",
            "outcome": "production",
        }
    ]
    found = compared([*named, *old], split, without=("cohort",))
    assert found.verdict.time == compared(named).verdict.time
    assert found.rejected_for == {"cohort": 1}
    assert {name: rows.read for name, rows in found.rejected_by_cohort.items()} == {
        name: sum(row["cohort"] == name for row in named) for name in ("before", "intake")
    }


def test_six_hundred_columns_are_read(tmp_path: Path) -> None:
    rows = [row.cells() for row in register(19)]
    more = [f"Custom {i % 300}" for i in range(600)]
    lines = [",".join([*HEADER, *more]), *(",".join([*row.values(), *[""] * 600]) for row in rows)]
    (path := tmp_path / "wide.csv").write_text("\n".join(lines))
    assert compare_file(path, latest=NOW).accepted == len(rows)
    assert look(path).names[:7] == HEADER


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("%m/%d/%Y %I:%M:%S %p", lambda at: at.strftime("%m/%d/%Y %I:%M:%S %p")),
        ("%d/%b/%y %I:%M:%S %p", lambda at: at.strftime("%d/%b/%y %I:%M:%S %p")),
        (
            "%d. %b %Y %H:%M:%S",
            lambda at: at.strftime("%d. {} %Y %H:%M:%S").format(GERMAN[at.month - 1]),
        ),
        ("spreadsheet", lambda at: f"{(at - datetime(1899, 12, 30, tzinfo=UTC)) / DAY:.8f}"),
    ],
)
def test_other_ways_to_write_a_moment(
    compared: Compared, form: str, written: Callable[[datetime], str]
) -> None:
    whole = [
        replace(
            row,
            started=row.started.replace(microsecond=0),
            ended=row.ended.replace(microsecond=0) if row.ended else None,
        )
        for row in register(20)
    ]
    rows = [
        row.cells()
        | {"started_at": written(row.started)}
        | {"ended_at": written(row.ended) if row.ended else ""}
        for row in whole
    ]
    found = compared(rows, parse_map(f'[dates]\nformats = ["{form}"]', "m"))
    assert found.rejected == 0
    assert found.verdict.time == compared([row.cells() for row in whole]).verdict.time


@pytest.mark.parametrize("cell", ["1e5", "-3", "45000,5,1", "4500000", "nan", "45,000.5"])
def test_what_is_no_number_of_a_spreadsheet(cell: str) -> None:
    with pytest.raises(RowUnusable, match=r"is not a date of the form 45657\.5"):
        DateReader(Dates(formats=("spreadsheet",))).read("started_at", "Begun", cell)


@pytest.mark.skipif(not CASES.exists(), reason="the files that people sent are not next to it")
class TestSentFiles:
    """The files that were read wrongly, with the figures that are right."""

    @staticmethod
    def said(name: str, mapping: str | None = None, as_of: datetime | None = None) -> FileVerdict:
        """The verdict on one of them."""
        chosen = CANONICAL if mapping is None else load_map(str(CASES / mapping))
        return compare_file(CASES / name, chosen, latest=NOW, as_of=as_of)

    @pytest.mark.parametrize(
        ("as_of", "mapping"), [(None, None), (TAKEN, None), (None, "001-snapshot.toml")]
    )
    def test_001_ends_in_the_future(self, as_of: datetime | None, mapping: str | None) -> None:
        found = self.said("001-planned-end-in-the-future.csv", mapping, as_of)
        assert (found.rejected, found.planned) == (0, 126)
        assert found.verdict.direction == "inconclusive"
        # The map's snapshot is a day, and means its end: open cases are watched a day longer.
        about = 1.05 if mapping else 1.04
        assert found.verdict.time.ratio == pytest.approx(about, abs=0.005 if as_of else 0.01)

    def test_002_one_year_mistyped(self) -> None:
        found, truth = self.said("002-one-year-mistyped.csv"), self.said("002-truth.csv")
        assert withheld(found)
        assert found.signs == (
            "the latest moment stands alone, 466 days after the next: line 70, case T-68",
        )
        assert truth.verdict.record == ()
        assert truth.verdict.time.ratio == pytest.approx(1.03, abs=0.005)

    def test_004_no_business_unit(self) -> None:
        found = self.said("004-no-business-unit.csv")
        assert (found.accepted, found.rejected) == (40, 0)
        assert found.verdict.time.ratio == pytest.approx(0.89, abs=0.005)

    def test_005_an_end_a_day_before_the_start(self) -> None:
        found, truth = self.said("005-end-a-day-before-start.csv"), self.said("005-truth.csv")
        assert (found.rejected, found.mended) == (0, 115)
        assert found.verdict.time == truth.verdict.time
        assert found.verdict.direction == "extends"
        interval = found.verdict.time.ci
        assert interval is not None
        assert (found.verdict.time.ratio, interval.low, interval.high) == pytest.approx(
            (1.47, 1.28, 1.70), abs=0.01
        )

    def test_007_the_month_comes_first(self) -> None:
        found = self.said("007-us-dates.csv", "007-day-first.toml")
        assert withheld(found)
        assert found.signs == (
            "dates: with the month first (%m/%d/%Y) all dates can be read, with %d/%m/%Y not",
        )
        right = self.said("007-us-dates.csv", "007-month-first.toml")
        assert right.rejected == 0
        assert right.verdict.time.ratio == pytest.approx(1.04, abs=0.005)

    def test_011_a_start_with_a_zone_and_an_end_that_is_a_day(self) -> None:
        found = self.said("011-start-with-zone-end-a-day.csv")
        assert (found.accepted, found.mended) == (24, 24)

    def test_019_left_truncated(self) -> None:
        found = self.said("019-left-truncated.csv")
        assert withheld(found)
        assert found.verdict.record == ("before: no end before 2023-12-01",)

    @pytest.mark.parametrize(
        "name",
        [
            *("010-tier-in-three-spellings", "014-semicolons", "014b-sep-line"),
            *("014c-lines-above-header", "014d-cp1252-in-an-unused-column"),
            "022-invisible-character-in-cohort",
        ],
    )
    def test_forty_cases_in_two_tiers(self, name: str) -> None:
        found = self.said(f"{name}.csv")
        assert (found.read, found.accepted) == (40, 40)
        assert [stratum.tier for stratum in found.verdict.strata] == ["high", "low"]
        assert found.verdict.time.ratio == pytest.approx(0.89, abs=0.005)

    def test_013_six_hundred_columns(self) -> None:
        assert self.said("013-jira-600-columns.csv", "013.toml").accepted == 12
        assert len(look(CASES / "013-jira-600-columns.csv").columns) > 600

    def test_016_cohorts_by_the_start(self) -> None:
        found = self.said("016-one-cohort-split-by-date.csv", "016-wished.toml")
        assert {arm.cohort: arm.cases for arm in found.verdict.arms} == {
            "intake": 41,
            "before": 39,
        }

    @pytest.mark.parametrize(
        ("name", "form"),
        [
            ("015-am-pm", "%m/%d/%Y %I:%M:%S %p"),
            ("015b-jira-dates", "%d/%b/%y %I:%M %p"),
            ("015d-excel-serial", "spreadsheet"),
            ("015e-jira-german-months", "%d/%b/%y %I:%M %p"),
        ],
    )
    def test_015_ways_to_write_a_moment(self, name: str, form: str) -> None:
        mapping = parse_map(f'[dates]\nformats = ["{form}"]', "m")
        found = compare_file(CASES / f"{name}.csv", mapping, latest=NOW)
        assert (found.read, found.accepted) == (40, 40)
        assert found.verdict.time.ratio == pytest.approx(0.89, abs=0.005)
        # The page finds the form by itself.
        assert guessed(look(CASES / f"{name}.csv"))["dates"] == form
