"""`headway harness report`: what a CI job sees, and what it ends with."""

import asyncio
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse

from cli.harness import NotTold, report
from service.errors import BadInput
from tests.harness.living import harness, two
from tests.harness.samples import dot_eval, native
from tests.kit.house import House
from tests.kit.serving import served


async def test_a_job_brings_a_result_and_ends_as_it_came_out(
    house: House,
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    builder, greta = await two(house)
    asset, key = await harness(greta), await builder.hand_in()
    made = await builder.http.post(f"/v1/use-cases/{key}/harness-tokens", json={"label": "CI"})
    token, file = made.json()["token"], tmp_path / "result"
    monkeypatch.setenv("HEADWAY_PUBLIC_URL", address)
    monkeypatch.setenv("HEADWAY_HARNESS_TOKEN", token)

    async def reports(content: bytes) -> int:
        await asyncio.to_thread(file.write_bytes, content)
        return await asyncio.to_thread(report, file, key, asset, None)

    assert await reports(dot_eval()) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{key}: passed by {asset}, version 1; it is attached as evidence",
        "kept    accuracy: 0.93 is at least 0.85",
    ]
    assert await reports(native(0.8)) == 1
    assert "missed  accuracy: 0.8 is 0.05 below 0.85" in capsys.readouterr().out
    with pytest.raises(NotTold, match="looked for") as refused:
        await reports(b"nothing")
    assert token not in str(refused.value)
    with pytest.raises(BadInput, match="there is no file"):
        await asyncio.to_thread(report, tmp_path / "none", key, asset, None)
    for somebody_else in (PlainTextResponse("Sign in"), JSONResponse([])):
        app = Starlette()
        app.mount("/", somebody_else)
        async with served(app) as other:
            monkeypatch.setenv("HEADWAY_PUBLIC_URL", other)
            with pytest.raises(NotTold, match="answered no run: is this Headway's address"):
                await reports(native())
    monkeypatch.setenv("HEADWAY_PUBLIC_URL", address)
    monkeypatch.delenv("HEADWAY_HARNESS_TOKEN")
    with pytest.raises(BadInput, match="HEADWAY_HARNESS_TOKEN"):
        await reports(native())
