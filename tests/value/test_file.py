"""Files of promises and deliveries: what is read, and what is rejected with which reason."""

from pathlib import Path

import numpy as np
import pytest

from service.history.csv.errors import FileUnreadable, HistoryError, MapError
from service.value import file as reading
from service.value.file import FileValue, value_of_file
from service.value.mapping import CANONICAL, load_map, parse_map, shipped_maps

HEADER = "case_id,group,promised,delivered,standard_error,grade,state"


def read(tmp_path: Path, *lines: str, header: str = HEADER, toml: str = "") -> FileValue:
    path = tmp_path / "value.csv"
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    mapping = parse_map(toml, "own") if toml else CANONICAL
    return value_of_file(path, mapping, rejects=tmp_path / "rejects.csv")


def reasons(tmp_path: Path) -> list[str]:
    lines = (tmp_path / "rejects.csv").read_text(encoding="utf-8").splitlines()[1:]
    return [line.split(",", 1)[1] for line in lines]


def test_every_state(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "1,Claims,100,60,5,A,measured",
        "2,Claims,200,,,,unproven",
        "3,Claims,300,,,,not_due",
        "4,Sales,50,0,1,B,stopped",
        "5,Sales,70,,,,Stopped",
        "6,Sales,80,80,,C,",
        "7,Sales,90,,,,",
        "8,Sales,,,,,Not due",
    )
    whole = found.report.whole
    assert (found.read, found.accepted, found.rejected) == (8, 8, 0)
    assert (whole.measured, whole.unproven, whole.not_due, whole.cases) == (3, 3, 2, 8)
    assert (whole.due, whole.delivered) == (590.0, 140.0)
    assert whole.rate == pytest.approx(140 / 230)
    assert (whole.stopped, whole.stopped_unproven, whole.exact) == (2, 1, 1)
    assert not (tmp_path / "rejects.csv").exists()


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ("1,G,0,5,,A,", "promised", "promised is 0: a rate needs a promise above 0"),
        ("1,G,-7,5,,A,", "promised", "promised is -7: a rate needs a promise above 0"),
        ("1,G,,5,,A,", "promised", "promised is blank"),
        ("1,G,ten,5,,A,", "promised", 'promised: "ten" is no amount, like 1234.5'),
        ("1,G,10,,,A,measured", "delivered", "the state is measured, but delivered is blank"),
        ("1,G,10,5,,A,unproven", "delivered", "the state is unproven, but delivered is 5"),
        ("1,G,10,5,-1,A,", "standard_error", "standard_error is below 0: -1"),
        ("1,G,10,5,,F,", "grade", 'grade: "F" is none of A, B, C, D, E'),
        ("1,G,10,5,,A,done", "state", 'state: "done" is none of not_due, measured, unproven'),
        ("1,G,10,1e40,,A,", "delivered", "too large or too small to be an amount"),
        ("1,G,EUR 10,USD 5,,A,", "currency", "amounts in several currencies: EUR, USD"),
        (",G,10,5,,A,", "case_id", "case_id is blank"),
        ("0,G,10,5,,A,", "case_id", 'case_id "0" is already on line 2'),
        ("1,G,10,5", "row", "the row has 4 cells and the header 7"),
        (",,,,,,", "row", "every cell is blank"),
        ("1,G\x07,10,5,,A,", "group", "holds a control character"),
    ],
)
def test_what_cannot_be_used_is_rejected_with_its_reason(
    tmp_path: Path, row: str, field: str, reason: str
) -> None:
    found = read(tmp_path, "0,G,10,5,1,A,measured", row)
    assert (found.read, found.accepted, found.rejected) == (2, 1, 1)
    assert found.rejected_for == {field: 1}
    [said] = reasons(tmp_path)
    assert reason in said.replace('""', '"')
    assert found.notes[0] == f"1 of 2 rows cannot be used: 1 for {field}."


def test_only_id_promise_and_delivery_are_needed(tmp_path: Path) -> None:
    found = read(tmp_path, "1,10,5", "2,10,", header="case_id,promised,delivered")
    answer = found.as_json()
    assert (answer["groups"], answer["rate"], answer["unproven"]) == ([], 0.5, 1)
    assert any("They count as somebody's report (E)" in note for note in found.notes)
    assert any("Without a standard error" in note for note in found.notes)
    with pytest.raises(FileUnreadable, match=r"missing columns: .*promised"):
        read(tmp_path, "1,5", header="case_id,delivered")


def test_a_missing_grade_is_the_weakest_one(tmp_path: Path) -> None:
    wide = read(tmp_path, "1,10,5", header="case_id,promised,delivered").report.whole.ci
    weakest = read(tmp_path, "1,10,5,e", header="case_id,promised,delivered,grade").report.whole.ci
    assert wide == weakest


def test_an_early_delivery_is_not_counted_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, "1,G,10,5,1,A,", "2,G,10,99,1,A,not_due")
    assert found.report.whole.rate == 0.5
    assert any("before anything was due: 1" in note for note in found.notes)


def test_several_currencies_are_never_added(tmp_path: Path) -> None:
    header = "case_id,promised,delivered,currency"
    with pytest.raises(HistoryError, match=r"never added: EUR \(2\), USD \(1\)"):
        read(tmp_path, "1,10,5,EUR", "2,10,5,eur", "3,10,5,USD", header=header)
    with pytest.raises(HistoryError, match="never added"):
        read(tmp_path, "1,\N{EURO SIGN}10,5", "2,$10,5", header="case_id,promised,delivered")
    found = read(tmp_path, "1,10,5,EUR", "2,10,5,", header=header)
    assert found.currency == "EUR"
    assert "Amounts without a currency are taken as EUR." in found.notes
    assert read(tmp_path, "1,$10,$5,CAD", header=header).currency == "CAD"


def test_groups_in_several_spellings_are_one(tmp_path: Path) -> None:
    found = read(tmp_path, "1,Claims,10,5,,A,", "2, CLAIMS ,10,5,,A,", "3,,10,5,,A,")
    assert found.report.by_group is not None
    assert [one.group for one in found.report.by_group.rates] == ["Claims", "not stated"]
    assert [one.cases for one in found.report.by_group.rates] == [2, 1]


@pytest.mark.parametrize(
    ("lines", "header"),
    [
        (["1;Claims;1.200,50;600,25", "2;Claims;3.000;1.500"], "case_id;group;promised;delivered"),
        (
            ["1\tClaims\t1 200,50\t600,25", "2\tClaims\t3000\t1500"],
            "Case_ID\tGroup\tPromised\tDelivered",
        ),
        (["1|Claims|1,200.50|600.25", "2|Claims|3,000|1,500"], "case_id|group|promised|delivered"),
    ],
)
def test_delimiters_and_numbers_are_found(tmp_path: Path, lines: list[str], header: str) -> None:
    whole = read(tmp_path, *lines, header=header).report.whole
    assert (whole.due, whole.delivered) == (4200.5, 2100.25)


def test_titles_above_the_header_and_a_word_for_spreadsheets(tmp_path: Path) -> None:
    found = read(tmp_path, "Use cases 2026", "case_id;promised;delivered", "1;10;5", header="sep=;")
    assert found.report.whole.rate == 0.5
    assert "Rows above the header that are left out: 1." in found.notes


def test_a_mark_that_nothing_tells_is_said(tmp_path: Path) -> None:
    header = "case_id;promised;delivered"
    found = read(tmp_path, "1;1.200;900", header=header)
    assert found.report.whole.due == 1.2
    assert any('decimal = ","' in note for note in found.notes)
    own = read(tmp_path, "1;1.200;900", header=header, toml='decimal = ","')
    assert own.report.whole.due == 1200.0


def test_the_rejects_can_be_mended_and_read_again(tmp_path: Path) -> None:
    read(tmp_path, "1,G,10,5,,A,", "2,G,0,5,,A,", "3,G,10,5,,Z,")
    mended = (tmp_path / "rejects.csv").read_text().replace("G,0,5,,A", "G,20,5,,A")
    (tmp_path / "mended.csv").write_text(mended.replace(",Z,", ",B,"))
    found = value_of_file(tmp_path / "mended.csv")
    assert (found.accepted, found.report.whole.due) == (2, 30.0)


def test_files_that_hold_nothing_to_use(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="no row that can be used: 1 read, 1 rejected"):
        read(tmp_path, "1,G,0,5,,A,")
    assert len(reasons(tmp_path)) == 1, "what was wrong with it is told all the same"
    with pytest.raises(HistoryError, match="no row that can be used: 0 read, 0 rejected"):
        read(tmp_path)
    (path := tmp_path / "empty.csv").write_text("")
    with pytest.raises(FileUnreadable, match="is empty"):
        value_of_file(path)
    path.write_bytes(b"PK\x03\x04rest")
    with pytest.raises(FileUnreadable, match="workbook"):
        value_of_file(path)
    with pytest.raises(FileUnreadable, match="cannot read"):
        value_of_file(tmp_path / "none.csv")


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 3)
    rows = [f"{n},G,10,5,,A," for n in range(4)]
    with pytest.raises(HistoryError, match="more than 3 use cases"):
        read(tmp_path, *rows)
    assert not (tmp_path / "rejects.csv").exists()
    monkeypatch.setattr(reading, "MOST_NAMES", 2)
    with pytest.raises(HistoryError, match="more than 2 groups: is that another column"):
        read(tmp_path, *(f"{n},{n},10,5,,A," for n in range(3)))


def test_more_rows_than_are_looked_at_for_their_spelling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LOOKED_AT", 2)
    monkeypatch.setattr(reading, "_CHUNK", 1)
    rows = [f'{n},G,"1{n},5",5,,A,' for n in range(5)]
    assert read(tmp_path, *rows).report.whole.due == pytest.approx(62.5)


def test_any_bytes_are_an_answer_or_a_clear_refusal(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    (path := tmp_path / "any.csv").write_text("")
    letters = np.frombuffer(b'0123456789.,;"\n\r\t -eEA\xff\x00\xe2', dtype=np.uint8)
    for _ in range(150):
        body = rng.choice(letters, 300).tobytes()
        path.write_bytes(b"case_id,promised,delivered\n" + body)
        try:
            found = value_of_file(path)
        except HistoryError:
            continue
        assert found.accepted + found.rejected == found.read


OWN = """
kind = "cost"
[case_id]
columns = ["Programme", "No"]
[group]
column = "Unit"
values = { "CL" = "Claims" }
otherwise = "Others"
[promised]
column = "Budget"
[delivered]
column = "Booked"
zero = "nobody booked anything"
[grade]
constant = "B"
[state]
column = "Status"
values = { "live" = "measured", "planned" = "not_due" }
[currency]
constant = "EUR"
"""


def test_a_map_of_ones_own(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        *("P,1,CL,10,12,live", "P,2,XY,10,9,live", "P,3,CL,10,0,live", "P,4,CL,10,,planned"),
        *("P,5,CL,10,-3,live", "P,6,CL,10,1,gone"),
        header="Programme,No,Unit,Budget,Booked,Status",
        toml=OWN,
    )
    assert found.rejected_for == {"delivered": 2, "state": 1}
    assert found.report.whole.rate == pytest.approx(1.05)
    assert found.report.by_group is not None
    assert [one.group for one in found.report.by_group.rates] == ["Claims", "Others"]
    assert reasons(tmp_path)[0].startswith("delivered: nobody booked anything")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('kind = "loss"', "'loss' is none of benefit, cost"),
        ('decimal = "x"', "decimal: 'x' is neither '.' nor ','"),
        ("cohort = 1", "cohort: unknown key"),
        ("[promised]\ncolumn = ' '", "promised.column: is blank"),
        ("[delivered]\nzero = ''", "delivered.zero: is blank"),
        ("[delivered]\nsheet = ''", "delivered.sheet: unknown key"),
        ("[grade]\nconstant = 'F'", "grade: 'F' is none of A, B, C, D, E"),
        ("[state]\ncolumn = 's'\nvalues = { a = 'b' }", "state: 'b' is none of not_due"),
        ("[case_id]\njoin = '-'", "case_id: column or columns is needed"),
        ("notes = ['']", "notes: up to 10 sentences"),
    ],
)
def test_a_map_that_is_wrong_says_where(toml: str, message: str) -> None:
    with pytest.raises(MapError) as error:
        parse_map(toml, "own")
    assert message in str(error.value)


def test_maps_that_come_along_can_be_read() -> None:
    assert shipped_maps() == ("it-dashboard-2012",)
    for name in shipped_maps():
        assert load_map(name).name == name
    with pytest.raises(MapError, match="no map 'none'"):
        load_map("none")


def test_a_column_that_a_map_names_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"missing columns: .*Team"):
        read(tmp_path, "1,G,10,5,,A,", toml="[group]\ncolumn = 'Team'")


def test_ungraded_costs_are_taken_as_booked(tmp_path: Path) -> None:
    header = "case_id,promised,delivered"
    found = read(tmp_path, "1,10,12", "2,10,9", header=header, toml='kind = "cost"')
    ci = found.report.whole.ci
    assert ci is not None
    assert (ci.low, ci.high) == (1.05, 1.05)
    assert any("They are taken as booked" in note for note in found.notes)
