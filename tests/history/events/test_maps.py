"""Event maps: what is wrong with one is said by its key; the shipped ones load."""

import re
from pathlib import Path

import pytest

from service.history.csv import MapError
from service.history.events import OWN, load_event_map, parse_event_map, shipped_event_maps
from service.history.events.maps import Unlisted

RULE = '[[activity.rules]]\nwhen = { "concept:name" = ["a"] }\n'

DOCS = Path(__file__).parents[3] / "docs" / "event-logs.md"

WRONG = {
    "acitvity = {}": "acitvity: unknown key; known here: description",
    "case_id = {}": "case_id.column: is needed",
    'case_id = { columns = ["a"] }': "case_id.columns: unknown key",
    'timestamp = { column = " " }': "timestamp.column: is needed",
    'lifecycle = { column = "a", values = { "b" = "begun" } }': "lifecycle: 'begun' is none of",
    'outcome = { column = "a", values = { "b" = "done" } }': "outcome: 'done' is none of",
    "activity = { rules = [] }": "activity.rules: must be tables",
    'activity = { unlisted = "drop" }': "activity.unlisted: 'drop' is none of keep, ignore",
    '[[activity.rules]]\nstage = "x"': "activity.rules[1].when: is needed",
    RULE + 'ignore = true\nstage = "x"': "activity.rules[1]: ignore and reject go with when only",
    RULE + 'reject = ""': "activity.rules[1].reject: is blank",
    RULE + 'ignore = "yes"': "activity.rules[1].ignore: must be true or false",
    RULE + 'stage = " "': "activity.rules[1].stage: is blank",
    RULE + 'mode = "idle"': "activity.rules[1].mode: 'idle' is none of waiting, working",
    RULE + 'outcome = "open"': "activity.rules[1].outcome: a case is open as long as",
    RULE + 'outcome = "production"\noutcome_if_last = "declined"': (
        "activity.rules[1]: give outcome or outcome_if_last, not both"
    ),
    RULE + "when2 = 1": "activity.rules[1].when2: unknown key",
    'cohort = { started_from = { "a" = "soon" } }': "cohort.started_from.a: must be a date",
    "cohort = { started_from = {} }": "cohort.started_from: is empty",
    'cohort = { started_from = { "a" = 2020-01-01 }, constant = "b" }': (
        "cohort.constant: unknown key; known here: started_from"
    ),
    'tier = { column = "a", otherwise = "b" }': "tier.otherwise: is for what values does not list",
    'rework = { rule = "some" }': "rework.rule: 'some' is none of returns, none",
    'rework = { column = "" }': "rework.column: is blank",
    'snapshot = "now"': "snapshot: must be a date",
    'dates = { formats = ["%d.%m."] }': "dates.formats",
    "x = ": "not TOML",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_is_named_by_its_key(text: str) -> None:
    with pytest.raises(MapError) as caught:
        parse_event_map(text, "mine.toml")

    assert str(caught.value).startswith(f"map mine.toml: {WRONG[text]}")


def test_the_shipped_maps_load_by_name_and_others_by_path(tmp_path: Path) -> None:
    assert "travel-permits-2020" in shipped_event_maps()
    for name in shipped_event_maps():
        assert load_event_map(name).name == name
    path = tmp_path / "mine.toml"
    path.write_text(RULE)
    assert load_event_map(str(path)).name == "mine.toml"


@pytest.mark.parametrize("name", ["nothing", "omb-2024"])
def test_a_map_that_is_not_there_or_not_for_events_is_refused(name: str) -> None:
    with pytest.raises(MapError, match=r"no event map .*travel-permits-2020"):
        load_event_map(name)


def test_rules_make_unlisted_activities_a_reason_to_reject_unless_the_map_says_otherwise() -> None:
    assert parse_event_map(RULE, "m").unlisted is Unlisted.REJECT
    assert parse_event_map("", "m").unlisted is Unlisted.KEEP
    assert parse_event_map(f'activity.unlisted = "ignore"\n{RULE}', "m").unlisted is Unlisted.IGNORE


def test_the_columns_of_a_map_are_all_that_is_kept_of_an_event() -> None:
    assert OWN.columns == (
        *("concept:name", "time:timestamp", "concept:instance", "headway:rework"),
        *("case:headway:observed_until", "lifecycle:transition", "org:group"),
        *("case:headway:cohort", "case:headway:tier", "case:headway:business_unit"),
        "headway:outcome",
    )


def test_the_maps_in_the_docs_are_valid() -> None:
    shown = re.findall(r"```toml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)

    assert [len(parse_event_map(text, "docs").rules) for text in shown] == [4, 0]
