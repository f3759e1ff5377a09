"""What CONTRIBUTING.md and its neighbours name is there."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
NAMED = sorted(
    {
        quoted
        for quoted in re.findall(r"`([\w./<>-]+)`", PAGE)
        if not quoted.startswith("/")
        and ("/" in quoted or re.search(r"\.(md|toml|yaml|py)$", quoted))
    }
)


def test_it_names_files() -> None:
    assert len(NAMED) > 30


@pytest.mark.parametrize("path", NAMED)
def test_a_path_that_it_names_is_there(path: str) -> None:
    # A place to fill in, `<name>`, stands for what is to come: something there has that form.
    pattern = re.sub(r"<\w+>", "*", path)

    assert list(ROOT.glob(pattern)), path


def test_every_command_that_it_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", PAGE)) | set(
        re.findall(r"^make ([a-z]+)", PAGE, re.MULTILINE)
    )

    assert {"quick", "test", "check"} <= named <= targets


def test_a_commit_is_checked_with_what_make_check_runs() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    steps = re.search(r"^STEPS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert steps
    assert [hook["name"] for hook in hooks] == [
        " ".join(word for word in step.split() if not word.startswith(("-", ".")))
        for step in re.findall(r'"([^"]+)"', steps[1])
    ]


@pytest.mark.parametrize(
    "form", sorted(ROOT.glob(".github/ISSUE_TEMPLATE/*.yml")), ids=lambda f: f.stem
)
def test_an_issue_form_has_what_a_form_needs(form: Path) -> None:
    read = yaml.safe_load(form.read_text())

    assert {"name", "description", "body"} <= read.keys()
    ids = [part["id"] for part in read["body"] if part["type"] != "markdown"]
    assert len(ids) == len(set(ids)) > 0
