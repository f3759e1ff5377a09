"""`headway harness report`: what a CI job sees, and what it ends with."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.harness.living import harness, two
from tests.harness.samples import dot_eval, native
from tests.kit.house import House


async def reports(
    file: Path, key: str, asset: str, *, address: str, token: str = ""
) -> tuple[int, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADWAY_")}
    more = {"HEADWAY_PUBLIC_URL": address, "HEADWAY_HARNESS_TOKEN": token} if token else {}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "harness", "report", str(file)),
        *("--use-case", key, "--harness", asset),
        env={**kept, **more},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    wrote, _ = await process.communicate()
    return process.returncode or 0, wrote.decode()


@pytest.mark.starts
async def test_a_job_brings_a_result_and_ends_as_it_came_out(
    house: House, address: str, tmp_path: Path
) -> None:
    builder, greta = await two(house)
    asset, key = await harness(greta), await builder.hand_in()
    made = await builder.http.post(f"/v1/use-cases/{key}/harness-tokens", json={"label": "CI"})
    token, file = made.json()["token"], tmp_path / "result"
    where = {"address": address, "token": token}
    file.write_bytes(dot_eval())
    code, said = await reports(file, key, asset, **where)
    assert (code, said.splitlines()) == (
        0,
        [
            f"{key}: passed by {asset}, version 1; it is attached as evidence",
            "kept    accuracy: 0.93 is at least 0.85",
        ],
    )
    file.write_bytes(native(0.8))
    code, said = await reports(file, key, asset, **where)
    assert (code, "missed  accuracy: 0.8 is 0.05 below 0.85" in said) == (1, True), said
    file.write_bytes(b"nothing")
    code, said = await reports(file, key, asset, **where)
    assert (code, "looked for" in said, token in said) == (2, True, False), said
    code, said = await reports(file, key, asset, address=address)
    assert (code, "HEADWAY_HARNESS_TOKEN" in said) == (2, True), said
