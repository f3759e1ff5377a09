"""Maps: what they can say, and that what is wrong in one is named."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from service.domain.case import Case, Outcome
from service.domain.moment import last_of
from service.history.csv import HistoryFile, MapError, Reject, load_map, parse_map, shipped_maps

NOW = datetime(2025, 6, 1, tzinfo=UTC)

MAP = """
description = "A register of projects"
delimiter = ";"
snapshot = 2024-12-31

[case_id]
columns = ["Unit", "No"]
join = "-"

[cohort]
constant = "2024 baseline"

[tier]
column = "Risk  Class"
values = { "1" = "light", "A lot" = "regulated" }
otherwise = "standard"
blank = "unknown"

[business_unit]
columns = ["Department", "Unit"]

[dates]
formats = ["%d.%m.%Y", "iso", "%m/%Y", "%Y"]
none = ["n/a", "not yet"]
year_numbers = "middle"
earliest = 2001-01-01

[started_at]
columns = ["Begun", "Ordered"]

[[outcome.rules]]
when = { "State" = ["live"] }
ended_at = "Live on"
outcome = "production"

[[outcome.rules]]
when = { "State" = ["stopped", "LOST"] }
ended_at = "Stopped on"
outcome = "withdrawn"

[[outcome.rules]]
when = { "State" = ["live", "stopped"] }
reject = "over, but nobody wrote down when"

[[outcome.rules]]
outcome = "open"
"""
HEADER = 'Unit;No;"risk\nclass";Department;Begun;Ordered;State;Live on;Stopped on'
One = Callable[[str], Case | Reject]


@pytest.fixture
def one(tmp_path: Path) -> One:
    """What the map makes of one row."""

    def one(row: str) -> Case | Reject:
        path = tmp_path / "register.csv"
        path.write_text(f"{HEADER}\n{row}\n")
        with HistoryFile(path, parse_map(MAP, "register"), latest=NOW) as file:
            (batch,) = file.batches()
        return next(batch.cases(), None) or batch.rejects[0]

    return one


def day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def test_a_row_with_everything(one: One) -> None:
    assert one("Ops;7;a LOT;Claims;05.01.2024;;Live;2024-02-01;") == Case(
        case_id="Ops-7",
        cohort="2024 baseline",
        tier="regulated",
        business_unit="Claims",
        started_at=day(2024, 1, 5),
        ended_at=day(2024, 2, 1),
        outcome=Outcome.PRODUCTION,
    )


@pytest.mark.parametrize(
    ("row", "field", "value"),
    [
        ("Ops;7;2;;05.01.2024;;x;;", "tier", "standard"),
        ("Ops;7;;;05.01.2024;;x;;", "tier", "unknown"),
        ("Ops;7;;;05.01.2024;;x;;", "business_unit", "Ops"),
        ("Ops;7;;;05.01.2024;;x;;", "outcome", Outcome.OPEN),
        ("Ops;7;;;05.01.2024;;x;;", "observed_until", last_of(date(2024, 12, 31))),
        ("Ops;7;;;n/a;04.03.2024;x;;", "started_at", day(2024, 3, 4)),
        ("Ops;7;;;soon;04.03.2024;x;;", "started_at", day(2024, 3, 4)),
        ("Ops;7;;;06.03.2024;04.03.2024;x;;", "started_at", day(2024, 3, 6)),
        # Only a part is known: the middle of it.
        ("Ops;7;;;03/2024;;x;;", "started_at", day(2024, 3, 15)),
        ("Ops;7;;;2023;;x;;", "started_at", day(2023, 7, 1)),
        ("Ops;7;;;13.7.1905;;x;;", "started_at", day(2021, 7, 1)),
        ("Ops;7;;;05.01.2024;;lost;;06.01.2024", "outcome", Outcome.WITHDRAWN),
        ("Ops;7;;;05.01.2024;;lost;;not yet", "outcome", Outcome.OPEN),
        ("Ops;7;;;05.01.2024;;live;01.01.2025;", "outcome", Outcome.OPEN),
    ],
)
def test_readings(one: One, row: str, field: str, value: object) -> None:
    assert getattr(one(row), field) == value


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Ops;7;;;;n/a;x;;", 'no start: "Begun" is blank, "Ordered" is "n/a"'),
        ("Ops;7;;;01.01.2000;;x;;", "started 2000-01-01, before 2001-01-01, the earliest taken"),
        ("Ops;7;;;01.01.2024;;live;;", 'over, but nobody wrote down when ("live")'),
        ("Ops;7;;;01.01.2024;;live;?;", 'Live on: "?" is not a date of the form %d.%m.%Y or'),
    ],
)
def test_reasons(one: One, row: str, reason: str) -> None:
    reject = one(row)
    assert isinstance(reject, Reject)
    assert reject.reason.startswith(reason)


def test_a_reading_of_an_outcome_column_without_rules(tmp_path: Path) -> None:
    mapping = parse_map(
        '[outcome]\ncolumn="State"\nvalues={live="production"}\notherwise="open"\n'
        '[ended_at]\ncolumn="Live"\n[tier]\nconstant="all"\n[business_unit]\nconstant="one"\n',
        "m",
    ).with_cohort("before")
    path = tmp_path / "cases.csv"
    path.write_text("case_id,started_at,State,Live\n1,2024-01-01,LIVE,2024-01-02\n2,2024-01-01,,\n")
    with HistoryFile(path, mapping, latest=NOW) as file:
        (batch,) = file.batches()
    assert [(case.cohort, case.tier, case.outcome) for case in batch.cases()] == [
        ("before", "all", "production")
    ]
    assert batch.rejects[0].reason == 'outcome: "State" is blank'


@pytest.mark.parametrize(("pick", "start"), [("first", 6), ("earliest", 4)])
def test_which_of_two_starts_counts(tmp_path: Path, pick: str, start: int) -> None:
    mapping = parse_map(f'[started_at]\ncolumns = ["Begun", "Ordered"]\npick = "{pick}"', "m")
    path = tmp_path / "cases.csv"
    path.write_text(
        "case_id,cohort,tier,business_unit,Begun,Ordered,ended_at,outcome\n"
        "1,a,b,c,2024-03-06,2024-03-04,,open\n2,a,b,c,soon,2024-03-05,,open\n"
    )
    with HistoryFile(path, mapping, latest=NOW) as file:
        (batch,) = file.batches()
    assert batch.accepted.started_at == [day(2024, 3, start), day(2024, 3, 5)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", "map m: not TOML"),
        ("a = " + "[" * 20_000, "map m: it is nested too deeply"),
        ("[dates]\nformats = ['%Y %Y']", "dates.formats: '%Y %Y' is not a date format"),
        ("cohorts = 1", "cohorts: unknown key; known here: description,"),
        ("[cohort]\nvalue = 1", "cohort.value: unknown key"),
        ("cohort = 'x'", "cohort: must be a table"),
        ("[cohort]\nvalues = {a = 'b'}", "cohort: column or columns is needed"),
        ("[cohort]\ncolumn = 'a'\ncolumns = ['a']", "cohort: give column or columns, not both"),
        ("[cohort]\ncolumn = ' '", "cohort: a column's name is blank"),
        ("[cohort]\ncolumns = 'a'", "cohort.columns: must be a list of texts"),
        ("[cohort]\nconstant = 'a'\nblank = 'b'", "cohort.constant: goes with no other key"),
        ("[cohort]\nconstant = ''", "cohort.constant: is blank"),
        ("[cohort]\ncolumn = 'a'\notherwise = 'b'", "cohort.otherwise: is for what values does"),
        ("[cohort]\ncolumn = 'a'\nvalues = {a = 1}", "cohort.values.'a': must be a text"),
        ("[cohort]\ncolumn = 'a'\nvalues = {' ' = 'b'}", "cohort.values.' ': for blank cells use"),
        ("[cohort]\ncolumn = 'a'\nvalues = {a = 'b', A = 'c'}", "cohort.values.'A': listed twice"),
        ("[case_id]\njoin = '-'", "case_id: column or columns is needed"),
        ("[started_at]\ncolumn = 'a'\npick = 'last'", "started_at.pick: 'last' is none of first"),
        ("encoding = 'latin-99'", "encoding: Python knows no text encoding 'latin-99'"),
        ("encoding = 'hex'", "encoding: Python knows no text encoding 'hex'"),
        ("delimiter = ';;'", "delimiter: must be one character"),
        ("snapshot = '2024-12-16'", "snapshot: must be a date, written without quotes"),
        ("[dates]\nformats = ['%d.%m']", "dates.formats: '%d.%m' does not say the year"),
        ("[dates]\nformats = ['%Y-%Q']", "dates.formats: '%Y-%Q' is not a date format"),
        ("[dates]\nyear_numbers = 'x'", "dates.year_numbers: 'x' is none of reject, middle"),
        ("[outcome]\ncolumn = 'a'\nvalues = {a = 'b'}", "outcome: 'b' is none of production"),
        ("[outcome]\nrules = []", "outcome.rules: must be one or more tables"),
        ("[[outcome.rules]]\nreject = ''", r"outcome.rules\[1\].reject: is blank"),
        ("[[outcome.rules]]\nwhen = {}", r"outcome.rules\[1\]: give outcome or reject"),
        ("[[outcome.rules]]\noutcome = 'declined'", r"outcome.rules\[1\].ended_at: goes with"),
        (
            "[ended_at]\ncolumn = 'a'\n[[outcome.rules]]\noutcome = 'open'",
            "ended_at: outcome.rules name the column of the end themselves",
        ),
    ],
)
def test_what_is_wrong_in_a_map_is_named(text: str, message: str) -> None:
    with pytest.raises(MapError, match=f"map m: {message}|^{message}"):
        parse_map(text, "m")


def test_shipped_maps_load_by_name_and_others_by_path(tmp_path: Path) -> None:
    assert "omb-2024" in shipped_maps()
    for name in shipped_maps():
        assert load_map(name).name == name
    (path := tmp_path / "own.toml").write_text(MAP)
    assert load_map(str(path)).delimiter == ";"
    with pytest.raises(MapError, match=r"no map 'omb': neither a shipped one \(.*omb-2024"):
        load_map("omb")
