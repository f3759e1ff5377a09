"""docs/settings.md says what the settings are."""

import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from cli.processes import SUPERVISED
from service.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
ROW = re.compile(r"^\| `(HEADWAY_\w+)` \| (\S+) \| \S.*\|$", re.MULTILINE)


def test_every_setting_is_described_with_its_default_and_none_that_is_not_there() -> None:
    there = {}
    for name, field in Settings.model_fields.items():
        assert field.default is not PydanticUndefined, f"{name} needs a default"
        there[f"HEADWAY_{name.upper()}"] = "none" if field.default is None else f"`{field.default}`"
    assert dict(ROW.findall(PAGE)) == there
    assert set(re.findall(r"HEADWAY_\w+", PAGE)) - {SUPERVISED} == set(there)
