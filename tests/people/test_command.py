"""`headway people`: what it prints, and what it says when it cannot."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import people
from cli.main import app
from service.database import Sessions
from service.domain.people import Role
from service.errors import BadInput, Conflict, Fault, NotConfigured, NotFound, SignInNeeded
from service.people.sign_in import use_link
from service.people.tokens import authenticate


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    """The command's settings point to the test's own database."""
    monkeypatch.setenv("HEADWAY_DATABASE_URL", database_url)


@pytest.mark.usefixtures("at_home")
async def test_somebody_comes_in_signs_in_changes_and_leaves(
    sessions: Sessions, capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> str:
        return capsys.readouterr().out

    async def signed_in(token: str) -> str:
        async with sessions() as session:
            return (await authenticate(session, token, at=datetime.now(UTC))).email

    await people.show()
    assert "Nobody yet" in capsys.readouterr().err
    await people.add("Rita@Example.com", "Rita", ["Reviewer"], "risk", ["responsible-ai"])
    shown = capsys.readouterr()
    first = shown.out.strip()
    assert await signed_in(first) == "rita@example.com"
    assert "shown this once" in shown.err
    assert first not in shown.err

    await people.token("rita@example.com", "laptop", 7)
    second = said().strip()
    await people.revoke(first)
    assert said() == f"token {first.split('_')[1]} has ended\n"
    with pytest.raises(SignInNeeded):
        await signed_in(first)
    assert await signed_in(second) == "rita@example.com"

    await people.link("rita@example.com")
    signs_in = capsys.readouterr()
    secret = signs_in.out.strip().partition("/sign-in?link=")[2]
    assert secret not in signs_in.err
    async with sessions.begin() as session:
        who = await use_link(session, secret, address="192.0.2.1", at=datetime.now(UTC))
    assert who is not None
    assert who.email == "rita@example.com"

    await people.change("rita@example.com", active=False, certified=["responsible-ai"])
    assert said() == "rita@example.com  Rita  reviewer for risk; certified: responsible-ai; out\n"
    with pytest.raises(SignInNeeded):
        await signed_in(second)
    await people.change("rita@example.com", active=True, certified=[""])
    await people.add("al@example.com", "Al", ["builder", "leader"], None, [])
    capsys.readouterr()
    await people.show()
    assert said() == (
        "al@example.com    Al    builder, leader\nrita@example.com  Rita  reviewer for risk\n"
    )


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize(
    ("given", "fault", "words"),
    [
        (lambda: people.add("a@b.c", "A", ["chief"], None, []), BadInput, "no 'chief': choose"),
        (lambda: people.add("a@b.c", "A", [Role.REVIEWER], None, []), BadInput, "--party risk"),
        (lambda: people.add("a@b.c", "A", [Role.REVIEWER], "builder", []), BadInput, "third party"),
        (lambda: people.add("a@b.c", "A", [Role.BUILDER], "risk", []), BadInput, "only a reviewer"),
        (lambda: people.add("somebody", "A", [Role.BUILDER], None, []), BadInput, "'somebody'"),
        (lambda: people.token("no@body.com", "x", 1), NotFound, "no person no@body.com"),
        (lambda: people.change("no@body.com", True, None), NotFound, "no person no@body.com"),
        (lambda: people.change("no@body.com", None, None), BadInput, "--inactive"),
        (lambda: people.revoke("hw_0000_x"), NotFound, "no valid token 0000"),
    ],
)
async def test_a_mistake_is_named(given: Callable[[], Any], fault: type[Fault], words: str) -> None:
    with pytest.raises(fault) as raised:
        await given()
    assert words in str(raised.value)


@pytest.mark.usefixtures("at_home")
async def test_an_email_is_taken_once() -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    await people.add(email, "One", [Role.BUILDER], None, [])
    with pytest.raises(Conflict, match="already"):
        await people.add(email.upper(), "Two", [Role.LEADER], None, [])


def test_without_headway_up_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.delenv("HEADWAY_DATABASE_URL", raising=False)
    folder = tmp_path_factory.mktemp("data")
    # What a killed one left behind: a process id that is gone or somebody else's.
    (folder / "running.json").write_text(
        '{"pid": 1, "started": 1.0, "api": "", "database_url": "postgresql://x@/x?host=/nowhere",'
        ' "temporal_address": null}'
    )
    monkeypatch.setenv("HEADWAY_DATA_DIR", str(folder))
    result = CliRunner().invoke(app, ["people", "list"])
    assert isinstance(result.exception, NotConfigured)
    assert "run `headway up` first" in str(result.exception)
