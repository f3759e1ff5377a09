"""`headway harness report FILE`: for a CI job, which brings the result of an evaluation."""

import json
import time
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import typer

from cli.running import pages_address
from service.errors import BadInput, Fault
from service.harness.formats.inspect_logs import header_of
from service.harness.result import LARGEST_FILE
from service.settings import Settings

TRIES = 4
TIMEOUT = 30.0
"""Seconds for an answer."""
MISSED = 1
"""The exit code for a run that failed; everything that kept it from being told is 2."""


class NotTold(Fault):
    """The run did not get there, or was not taken."""

    def __init__(self, why: str) -> None:
        super().__init__(why)


def report(
    file: Path, use_case: str, harness: str, version: int | None, *, as_json: bool = False
) -> int:
    """Bring a file and print what the rules say of it; the exit code.

    Telling it again is harmless, so that an engine that is away, or a connection that breaks, is
    tried again. Of an `.eval` only its header is sent: the samples stay here.
    """
    settings = Settings()
    if settings.harness_token is None:
        raise BadInput("HEADWAY_HARNESS_TOKEN", "set it to a token of the use case or its unit")
    content = _content(file)
    query = {"harness": harness, "version": version}
    answer = _post(
        f"{pages_address(settings)}/v1/use-cases/{quote(use_case, safe='')}/harness-runs",
        content,
        {name: value for name, value in query.items() if value},
        settings.harness_token.get_secret_value(),
    )
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
    else:
        _say(use_case, answer)
    return MISSED if answer["verdict"] == "failed" else 0


def _content(file: Path) -> bytes:
    if not file.is_file():
        raise BadInput("FILE", f"there is no file {file}")
    if zipfile.is_zipfile(file):
        with file.open("rb") as opened:
            return header_of(opened)
    if file.stat().st_size > LARGEST_FILE:
        raise BadInput("FILE", f"larger than {LARGEST_FILE:,} bytes")
    return file.read_bytes()


def _post(url: str, content: bytes, query: dict[str, Any], token: str) -> dict[str, Any]:
    why = ""
    with httpx.Client(timeout=TIMEOUT, headers={"Authorization": f"Bearer {token}"}) as client:
        for number in range(TRIES):
            try:
                answer = client.post(url, content=content, params=query)
            except httpx.InvalidURL as error:
                raise NotTold(f"{url}: {error}") from None
            except httpx.HTTPError as error:
                why = f"{url} cannot be reached: {error}"
            else:
                if answer.is_success:
                    return _run(answer)
                why = _problem(answer)
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    break
            if number + 1 < TRIES:
                time.sleep(2**number)
    raise NotTold(why)


def _run(answer: httpx.Response) -> dict[str, Any]:
    """The run that was kept; `NotTold` for an answer that is none, of whoever else is there."""
    try:
        read = answer.json()
    except ValueError:
        read = None
    if not isinstance(read, dict) or "verdict" not in read:
        raise NotTold(f"{answer.url} answered no run: is this Headway's address?")
    return read


def _problem(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.url}: {answer.status_code} {answer.reason_phrase}"


WORDS = {
    "opened": "it is attached, and its gate needed nobody",
    "attached": "it is attached as evidence",
    "waiting": "it is attached as soon as that is possible",
}


def _say(use_case: str, run: dict[str, Any]) -> None:
    verdict = str(run["verdict"]).replace("_", " ")
    which = f"{run['harness']}, version {run['version']}"
    gate = WORDS.get(run["gate"])
    typer.echo(f"{use_case}: {verdict} by {which}{f'; {gate}' if gate else ''}")
    for rule in run["rules"]:
        typer.echo(f"{'missed' if rule['missed'] else 'kept':<6}  {rule['said']}")
