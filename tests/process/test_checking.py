"""A file of a process: what is right reads back, what is wrong is named with line and key."""

import json
from datetime import timedelta
from pathlib import Path
from time import process_time

import pytest
from jsonschema import Draft202012Validator

from service.domain.tiering import Tier
from service.intake.pathways import pathways
from service.process.checking import LARGEST, MOST_FINDINGS, Checked, check
from service.process.document import as_toml, schema
from service.process.in_force import process, shipped
from service.process.members import check_members

ROOT = Path(__file__).parents[2]
SHIPPED = shipped().decode()
STAGE = """
[[pathways.stages]]
key = "a"
title = "A"
kind = "build"
holder = "builder"
target_days = 1
"""


def checked(wrong: str = "", right: str = "", *, after: str = "") -> Checked:
    """The shipped file with its first `wrong` as `right`, and something after it."""
    assert wrong in SHIPPED
    return check((SHIPPED.replace(wrong, right, 1) + after).encode())


def line_of(text: str, *, of: str = SHIPPED) -> int:
    return of[: of.index(text)].count("\n") + 1


def test_what_is_shipped_is_three_tiers_seven_questions_and_three_pathways() -> None:
    found = check(shipped())

    assert (found.process, found.findings) == (process(), ())
    assert [tier.key for tier in process().tiers] == list(Tier)
    assert {tier: one.key for tier, one in pathways().items()} == {
        tier: process().tiers[tier.rank].pathway for tier in Tier
    }
    assert (len(process().questions), len(process().rules)) == (7, 8)
    assert pathways()[Tier.HIGH].stage("risk-assessment").target == timedelta(days=10)


def test_what_is_written_reads_back_as_the_same() -> None:
    text = as_toml(process())

    assert check(text.encode()) == Checked(process(), ())
    odd = process().model_copy(update={"title": 'a "quoted" \\ title\x7f, ünlaut'})
    assert check(as_toml(odd).encode()).process == odd


def test_the_published_schema_takes_what_is_shipped_and_nothing_with_another_key() -> None:
    published = json.loads((ROOT / "docs" / "process.schema.json").read_text())
    document = process().as_json()

    assert published == schema()
    Draft202012Validator.check_schema(published)
    assert Draft202012Validator(published).is_valid(document)
    assert not Draft202012Validator(published).is_valid({**document, "owner": 1})


@pytest.mark.parametrize(
    ("wrong", "right", "key", "says"),
    [
        ("version = 1\n", "version = true\n", "version", "input should be a valid integer"),
        ('means = "N', 'mean = "N', "tiers[1].mean", "there is no such key; did you mean means?"),
        ("target_days = 2\n", 'target_days = "2"\n', "", "input should be a valid number"),
        ("target_days = 2\n", "target_days = 0\n", "", "input should be greater than 0"),
        ('kind = "gate"', 'kind = "gat"', "pathways[2].stages[1].kind", "input should be 'gate'"),
        ('key = "low"', 'key = "Low"', "tiers[1].key", "a key is small letters, digits"),
        ('key = "medium"', 'key = "low"', "tiers[2].key", "low is there already"),
        ('"light"', '"lite"', "tiers[1].pathway", "there is no pathway lite"),
        ('pathway = "light"\n', "", "tiers[1]", "the tier low has no pathway"),
        ('"light"', '"light"\nrefused = "no"', "tiers[1]", "is refused, and has a pathway"),
        ('"risk"', '"system"', "parties[1].key", "system is not a third party"),
        ('holder = "risk"', 'holder = "legal"', "", "there is no party legal"),
        ('holder = "risk"', 'holder = "builder"', "", "builders would decide alone on their own"),
        ("approvers = 2", "approvers = 20", "", "input should be less than or equal to 10"),
        ("{ regulated = true }", "{}", "rules[3].when", "the rule reads no question"),
        ("regulated = true", "regulatd = true", "", "no question regulatd; did you mean regulat"),
        ("regulated = true", 'regulated = "yes"', "", "nobody answers regulated with yes"),
        ("regulated = true", "regulated = 1", "rules[3].when.regulated", "input should be a valid"),
        ('autonomy = "acts_alone"', 'autonomy = "alone"', "", "they say suggests, acts_with_appro"),
        ('tier = "high"', 'tier = "higher"', "rules[1].tier", "there is no tier higher"),
        ('kind = "choice"', 'kind = "yes_no"', "", "autonomy is answered with yes or no"),
        ('["approved-pattern"]', '["a", "a"]', "", "one kind of evidence is there twice"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_key(
    wrong: str, right: str, key: str, says: str
) -> None:
    found = checked(wrong, right)

    assert found.process is None
    finding = next(one for one in found.findings if says in one.says)
    # A key that is missing stands on the line of what it is missing in.
    there = line_of('key = "low"') - 1 if not right else line_of(wrong)
    assert abs(finding.line - there) <= 4, str(finding)
    assert key in finding.key
    assert str(finding).startswith(f"line {finding.line}, ")


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = SHIPPED.replace('holder = "risk"', 'holder = "legal"')
    text = text.replace("{ safety_impact = true }", "{ safety = true }")

    found = check(text.encode())
    assert [(one.line, one.key) for one in found.findings if one.stops] == [
        (line_of("{ safety = true }", of=text), "rules[2].when.safety"),
        (line_of('holder = "legal"', of=text), "pathways[3].stages[3].holder"),
    ]


def test_a_question_that_nothing_reads_is_said_and_stops_nothing() -> None:
    unread = '\n[[questions]]\nkey = "why"\nasks = "Why?"\ntitle = "Why"\nkind = "yes_no"\n'
    found = checked(after=unread)

    assert [one.stops for one in found.findings] == [False]
    assert "nothing reads the answer to why" in found.findings[0].says
    assert found.process is not None


def test_questions_that_ask_after_each_other_go_in_circles() -> None:
    circle = SHIPPED.replace(
        'title = "Personal data"\nkind = "yes_no"',
        'title = "Personal data"\nkind = "yes_no"\nonly_if = { regulated = true }',
    )
    found = check(circle.encode())

    assert [one.says.partition(":")[0] for one in found.findings] == [
        "personal_data is asked after regulated, which comes later"
    ]


def test_a_stage_that_no_answers_lead_to_and_a_tier_that_no_rule_gives_are_found() -> None:
    never = checked(
        "target_days = 20\n",
        "target_days = 20\n"
        + STAGE.replace(
            "target_days = 1", "target_days = 1\nonly_if = { regulated = true }"
        ).replace('"a"', '"z"')
        + STAGE,
    )
    # Whoever is regulated is in the highest tier, and not on the light pathway.
    assert [one.key for one in never.findings] == ["pathways[1].stages[2].only_if"]
    assert "the stage z is never reached" in never.findings[0].says

    meant = 'means = "Nothing in the answers raises the risk."\npathway = "light"\n'
    tier = '\n[[tiers]]\nkey = "odd"\ntitle = "Odd"\nmeans = "Odd."\npathway = "light"\n'
    unled = checked(meant, meant + tier)
    assert "nothing comes into the tier odd: no rule leads to it" in unled.findings[0].says
    rule = '\n[[rules]]\ntier = "odd"\nwhen = { regulated = true }\nreason = "odd"\n'
    beaten = checked(meant, meant + tier + rule)
    assert "those of a higher tier do too" in beaten.findings[0].says
    pathway = '\n[[pathways]]\nkey = "own"\nversion = 1\ntitle = "O"\nanswer_target_days = 1\n'
    untaken = checked(after=pathway + "referral_target_days = 1\n" + STAGE)
    assert [one.says for one in untaken.findings] == ["no tier takes the pathway own"]


def test_gates_need_members_and_one_more_than_decide() -> None:
    def said(**members: int) -> list[tuple[str, bool]]:
        found = check_members(process(), members)
        return [(f"{one.key}: {one.says}", one.stops) for one in found]

    assert said(enablement=3, risk=2) == []
    nobody = dict(said(risk=2))
    assert nobody["parties.enablement: enablement holds a stage and has no members"]
    attested = "pathways.standard.stages.triage.passes_with: nobody can attach approved-pattern"
    assert any(one.startswith(attested) for one in nobody)
    assert said(enablement=1, risk=2) == [
        ("parties.enablement: enablement has 1 members, and a gate wants 2", True)
    ]
    [(alone, stops)] = said(enablement=3, risk=1)
    assert "on a use case that one of them owns nobody else could decide" in alone
    assert not stops


HOSTILE = {
    "10,000 stages": SHIPPED + STAGE * 10_000,
    "deep arrays": "x = " + "[" * 400_000,
    "deep tables": "x = " + "{a = " * 150_000,
    "a long key": "a" + ".a" * 400_000 + " = 1",
    "a long header": "[[" + "a." * 400_000 + "]]",
    "a text without an end": 'x = """' * 100_000,
    "many keys": "".join(f"k{number} = 1\n" for number in range(20_000)),
    "a long number": "version = " + "9" * 900_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_are_refused_in_bounded_time(text: str) -> None:
    began = process_time()
    found = check(text.encode())

    assert found.process is None
    assert 1 <= len(found.findings) <= MOST_FINDINGS + 1
    assert process_time() - began < 10


def test_what_is_no_file_of_a_process_is_said() -> None:
    def says(content: bytes) -> str:
        return str(check(content).findings[0])

    assert says(b"x" * (LARGEST + 1)) == "the file is larger than 1024 KB"
    assert says(b"a = 1\n\xff") == "line 2: this is no text in UTF-8"
    assert says(b"a = 1\nb = \n").startswith("line 2: this is not TOML: invalid value")
    assert says(b'a = 1\nb = "x').startswith("line 2: this is not TOML: ")
    assert check("﻿".encode() + shipped().replace(b"\n", b"\r\n")).process == process()
