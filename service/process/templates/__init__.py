"""Processes to begin one's own with: examples to be checked, none of them advice."""

from functools import cache
from importlib.resources import files

from service.process.in_force import shipped


@cache
def templates() -> dict[str, bytes]:
    """The files by name, the shipped process first."""
    there = sorted(files(__package__).iterdir(), key=lambda file: file.name)
    found = {
        file.name.removesuffix(".toml"): file.read_bytes()
        for file in there
        if file.name.endswith(".toml")
    }
    return {"shipped": shipped(), **found}
