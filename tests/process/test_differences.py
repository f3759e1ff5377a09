"""What changes between two processes, in words; and the command that says it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.main import run
from service.process.checking import check
from service.process.differences import MOST_ANSWERS, differences
from service.process.document import Process
from service.process.in_force import process, shipped

SHIPPED = shipped().decode()


def changed(*edits: tuple[str, str], after: str = "") -> Process:
    """The shipped process with edits in its file."""
    text = SHIPPED
    for wrong, right in edits:
        assert wrong in text
        text = text.replace(wrong, right)
    checked = check((text + after).encode())
    assert checked.process is not None, checked.findings
    return checked.process


TRIAGE = SHIPPED[SHIPPED.index('[[pathways.stages]]\nkey = "triage"') :]
TRIAGE = TRIAGE[: TRIAGE.index("[[", 2)]
LEGAL = """
[[pathways.stages]]
key = "legal"
title = "Legal"
kind = "gate"
holder = "legal"
target_days = 8

"""
PARTY = '[[parties]]\nkey = "legal"\ntitle = "Legal"\n\n'


def test_nothing_changes_between_a_process_and_itself() -> None:
    found = differences(process(), process())

    assert found.sentences == ("Nothing changes.",)
    assert (found.compared, found.drawn) == (2**6 * 3, False)


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ([(TRIAGE, "")], "On Standard the gate Triage is gone."),
        (
            [("target_days = 30", "target_days = 20")],
            "Build on Standard has a shorter target: 20 days, it was 30 days.",
        ),
        (
            [('target_days = 10\nevidence = ["eval', 'target_days = 10\npasses_with = '
              '["harness-pass"]\nevidence = ["eval')],
            "Independent evaluation on Regulated can now pass by itself, with harness-pass.",
        ),
        (
            [('evidence = ["evaluation-report"]', 'evidence = ["model-card"]')],
            "Evaluate on Standard does not ask for evaluation-report any more.",
        ),
        ([("approvers = 2", "approvers = 1")], "Launch review on Regulated wants 1 approvers, and"),
        (
            [('holder = "risk"', 'holder = "legal"'), ("[[questions]]", PARTY + "[[questions]]")],
            "Risk assessment on Regulated is held by legal now, and was by risk.",
        ),
        ([('pathway = "light"', 'refused = "We do not"')], "The tier Low risk is refused now: We"),
        ([('{ regulated = true }', '{ regulated = true, personal_data = true }')],
         "A rule is new: high if regulated is true and personal_data is true."),
    ],
)  # fmt: skip
def test_a_change_is_said_in_words(edits: list[tuple[str, str]], said: str) -> None:
    edits = [(wrong, right) for wrong, right in edits]
    if "refused" in said:
        text = SHIPPED.replace(*edits[0])
        start = text.index("# No human gate at all")
        text = text[:start] + text[text.index('[[pathways]]\nkey = "standard"') :]
        found = check(text.encode())
        assert found.process is not None, found.findings
        new = found.process
    else:
        if PARTY in edits[-1][1]:
            edits[-1] = ('[[questions]]\nkey = "personal', PARTY + '[[questions]]\nkey = "personal')
        new = changed(*edits)

    assert any(one.startswith(said) for one in differences(process(), new).sentences)


def test_a_new_gate_of_a_new_party_is_said_and_a_stage_only_for_some() -> None:
    text = SHIPPED.replace("[[questions]]", PARTY + "[[questions]]", 1)
    at = text.index('[[pathways.stages]]\nkey = "build"\ntitle = "Build"\nkind = "build"\nholder = '
                    '"builder"\ntarget_days = 30')  # fmt: skip
    some = LEGAL.replace("target_days = 8", "target_days = 8\nonly_if = { personal_data = true }")
    new = check((text[:at] + some.lstrip() + text[at:]).encode()).process
    assert new is not None

    assert list(differences(process(), new).sentences[:2]) == [
        "The party legal is new.",
        "On Standard the gate Legal is new, held by legal.",
    ]


def test_answers_that_would_get_another_tier_are_shown_with_the_least_of_them() -> None:
    new = changed(
        ('tier = "medium"\nwhen = { personal_data = true }',
         'tier = "high"\nwhen = { personal_data = true }'),
    )  # fmt: skip
    found = differences(process(), new)

    [other] = found.tiers
    assert (other.before, other.after) == ("medium", "high")
    assert {key for key, value in other.answers.items() if value is True} == {"personal_data"}
    # Of the 192: personal data, none of the three that make it high alone, and not both of
    # customers and acting alone. 5 of 6 ways of those two, times 2 for the model.
    assert other.share == pytest.approx(5 * 2 / 192)
    assert "would be high, and was medium: Personal data" in other.says


def test_of_very_many_answers_some_are_drawn_the_same_every_time() -> None:
    more = "".join(
        f'\n[[questions]]\nkey = "q{n}"\nasks = "Q?"\ntitle = "Q{n}"\nkind = "yes_no"\n'
        f'\n[[rules]]\ntier = "high"\nwhen = {{ q{n} = true }}\nreason = "q{n}"\n'
        for n in range(12)
    )
    new = changed(after=more)

    found = differences(process(), new)
    assert (found.compared, found.drawn) == (MOST_ANSWERS, True)
    assert found == differences(process(), new)
    assert {(one.before, one.after) for one in found.tiers} == {("low", "high"), ("medium", "high")}
    assert sum(value is True for value in found.tiers[0].answers.values()) == 1


Headway = Callable[..., tuple[object, str]]


@pytest.fixture
def headway(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Headway:
    """`headway process` in this process."""

    def runs(*arguments: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["headway", "process", *arguments])
        with pytest.raises(SystemExit) as ended:
            run()
        out, err = capsys.readouterr()
        return ended.value.code, out + err

    return runs


def test_what_is_exported_is_accepted_and_differs_in_nothing(
    headway: Headway, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"

    assert headway("export") == (0, SHIPPED)
    assert headway("export", "--out", str(file)) == (0, "")
    assert file.read_bytes() == shipped()
    assert headway("export", "--template", "moon")[0] == 2
    assert "Article 5" in headway("export", "--template", "eu-ai-act")[1]
    status, said = headway("check", str(file))
    assert status == 0
    assert "own.toml is a process that can be used." in said
    assert "Not checked without a database: whether parties have members" in said
    assert headway("diff", str(file)) == (0, "- Nothing changes.\n")


def test_the_command_says_where_a_file_is_wrong_and_ends_with_one(
    headway: Headway, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(SHIPPED.replace("approvers = 2", "aprovers = 2"))

    status, said = headway("check", str(file))
    assert status == 1
    assert "stages[6].aprovers: there is no such key; did you mean approvers?" in said
    status, said = headway("check", str(file), "--json")
    found = json.loads(said)
    assert (status, found["accepted"], len(found["findings"])) == (1, False, 1)
    assert found["people_checked"] is False
    assert headway("diff", str(file))[0] == 1
    status, said = headway("check", str(tmp_path / "none.toml"))
    assert (status, "none.toml: No such file" in said) == (2, True)

    file.write_text(SHIPPED.replace("target_days = 30", "target_days = 60"))
    status, said = headway("diff", str(file), "--json")
    assert "longer target: 60 days" in json.loads(said)["found"][0]["says"]
