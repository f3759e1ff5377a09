"""What the pages in docs/ show runs."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from typer.main import get_command

from cli.main import app

DOCS = Path(__file__).parents[1] / "docs"
README = Path(__file__).parents[1] / "README.md"
PYTHON = [
    (page.name, block)
    for page in sorted(DOCS.glob("*.md"))
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    if "print(" in block
]


@pytest.mark.parametrize(("page", "block"), PYTHON, ids=[page for page, _ in PYTHON])
def test_python_on_a_page_runs(page: str, block: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block, page, "exec"), {})  # noqa: S102 - our own page

    assert printed.getvalue().strip()


def commands(group: object, name: str = "headway") -> list[str]:
    """The names of all commands, as they are typed."""
    inside = getattr(group, "commands", None)
    if not inside:
        return [name]
    return [one for key, value in inside.items() for one in commands(value, f"{name} {key}")]


def test_every_command_is_on_some_page() -> None:
    pages = README.read_text() + "".join(page.read_text() for page in DOCS.glob("*.md"))

    assert [name for name in commands(get_command(app)) if name not in pages] == []


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.name}: {link}"
        for page in [README, *DOCS.rglob("*.md")]
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / link).exists()
    ]
    assert broken == []
