"""What the record keeps of past cases is what a try reads; and the command that tries."""

import json
import sys
from datetime import date
from pathlib import Path

import pytest

from cli.main import run
from service.domain.cohort import INTAKE, Cohort
from service.domain.commands import Command
from service.domain.people import Role
from service.domain.tiering import Tier
from service.facts.as_of import Moment
from service.process.in_force import process, shipped
from service.tries.redone import Basis, redo
from service.tries.result import Past, try_process
from service.tries.store import past_cases
from tests.kit.desk import DAY, START, Desk


async def known(desk: Desk, days: float, since: date | None = None) -> Past:
    async with desk.sessions() as session:
        moment = Moment(START + days * DAY, asked=True)
        return await past_cases(session, moment, Cohort(INTAKE), since)


async def test_answers_and_what_enablement_attested_are_read_as_they_were_known(
    desk: Desk,
) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    both = await desk.person(Role.BUILDER, Role.ENABLER)
    first = (await desk.hand_in(owner)).use_case_id
    own = (await desk.hand_in(both, at=START + DAY)).use_case_id
    await desk.does(first, ada, Command.ATTACH, at=START + 2 * DAY, evidence="harness-pass")
    await desk.does(first, owner, Command.ATTACH, at=START + 3 * DAY, evidence="model-card")
    await desk.does(own, both, Command.ATTACH, at=START + 3 * DAY, evidence="harness-pass")
    await desk.does(own, ada, Command.CHANGE_TIER, at=START + 4 * DAY, tier=Tier.HIGH)

    past = await known(desk, 5)
    kept = dict(zip(past.ids, past.kept, strict=True))
    assert set(kept) == {first, own}
    assert [(round(age, 6), kind) for age, kind in kept[first].attested] == [(2.0, "harness-pass")]
    assert kept[own].attested == ()  # its owner attached it, and no gate passes with that
    assert (kept[first].answers or {})["autonomy"] == "suggests"
    basis = dict(
        zip(past.ids, redo(process(), process(), past.traces, past.kept).basis, strict=True)
    )
    assert basis == {first: Basis.ANSWERS, own: Basis.BY_HAND}

    assert (await known(desk, 1.5)).kept[0].attested == ()
    later = await known(desk, 5, date(2026, 3, 3))
    assert (list(later.ids), later.since) == ([own], "2026-03-03")
    unchanged = try_process(process(), process(), past)
    assert unchanged.kept_by_hand == 1
    assert (unchanged.vanished, unchanged.added, unchanged.moves) == ((), (), ())


def test_the_command_tries_a_file_on_the_database(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(shipped())
    monkeypatch.setenv("HEADWAY_DATABASE_URL", database_url)

    def runs(*arguments: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["headway", "process", *arguments])
        with pytest.raises(SystemExit) as ended:
            run()
        out, err = capsys.readouterr()
        return ended.value.code, out + err

    status, said = runs("try", str(file))
    assert (status, said.splitlines()[0]) == (
        0,
        "Nothing can be said: there is no past case to replay.",
    )
    status, said = runs("try", str(file), "--json", "--since", "2026-01-01")
    assert json.loads(said)["since"] == "2026-01-01"
    status, said = runs("try", str(file), "--since", "soon")
    assert (status, said) == (2, "headway: --since: write the day like 2026-03-31, not soon\n")
    status, said = runs("check", str(file), "--people")
    assert status == 1
    assert "parties.risk: risk holds a stage and has no members" in said
