"""The README's walk works when it is pasted."""

import asyncio
import json
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.chaos.installation import Installation

README = Path(__file__).parent.parent / "README.md"


def walk() -> str:
    """The shell blocks of the walk, in order."""
    text = README.read_text().split("<!-- walk:")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL))


@pytest.mark.starts
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
async def test_the_walk_ends_in_production_with_a_clock_that_adds_up() -> None:
    folder = Path(tempfile.mkdtemp(prefix="hw-readme-"))
    up = Installation(folder / "data")
    await up.begin()
    try:
        await up.says()
        script = walk().replace("http://127.0.0.1:8000", f"http://127.0.0.1:{up.port}")
        for role, token in up.tokens.items():
            script = script.replace(f"{role.upper()}=hw_...", f"{role.upper()}={token}")
        shell = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", script), stdout=asyncio.subprocess.PIPE
        )
        written, _ = await asyncio.wait_for(shell.communicate(), 120)
    finally:
        wrong = await up.end()
        shutil.rmtree(folder, ignore_errors=True)

    assert wrong == []
    assert shell.returncode == 0
    answers = [json.loads(line) for line in written.splitlines() if line]
    assert [answer for answer in answers if "detail" in answer] == []
    assert answers[-2]["position"] == "in_production"
    clock = answers[-1]
    assert clock["key"] == "UC-1"
    assert sum(span["microseconds"] for span in clock["spans"]) == clock["microseconds"]
