"""The process in force: the shipped one, read once from the file beside this one."""

from functools import cache
from importlib.resources import files

from service.process.checking import check
from service.process.document import Process, Question


def shipped() -> bytes:
    """The file of the process that Headway comes with."""
    return files(__package__).joinpath("shipped.toml").read_bytes()


@cache
def process() -> Process:
    """The process that new use cases start on."""
    checked = check(shipped())
    if checked.process is None:
        raise ValueError("; ".join(map(str, checked.findings)))
    return checked.process


@cache
def question(key: str) -> Question:
    """One of its questions. KeyError where there is none of that key."""
    return {one.key: one for one in process().questions}[key]
