"""Currency rates over HTTP and on their page: administrators write, readers of reports read."""

import pytest

from service.domain.people import Role
from tests.kit.house import House

PATH = "/v1/currency-rates"
READS = {Role.ENABLER, Role.LEADER, Role.ADMIN}
ONE = {
    "source": "treasury",
    "rates": [{"currency": "USD", "day": "2026-01-02", "rate": 0.85}],
}


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_and_every_command(house: House, role: Role) -> None:
    visitor = await house.visitor(role, party="risk" if role is Role.REVIEWER else None)
    read, written = await visitor.http.get(PATH), await visitor.http.post(PATH, json=ONE)
    assert read.status_code == (200 if role in READS else 403), read.text
    assert written.status_code == (201 if role is Role.ADMIN else 403), written.text


async def test_a_list_in_csv_is_written_once(house: House) -> None:
    admin, leader = await house.visitor(Role.ADMIN), await house.visitor(Role.LEADER)
    body = {"source": "bank", "csv": "currency,day,rate\nSEK,2026-01-02,0.09\nSEK,2026-01-03,0.1"}
    first = await admin.http.post(PATH, json=body)
    again = await admin.http.post(PATH, json=body)
    assert first.json() == {"reporting_currency": "EUR", "written": 2, "known": 0}
    assert again.json() == {"reporting_currency": "EUR", "written": 0, "known": 2}

    seen = await leader.sees("currency-rates?currency=SEK")
    assert [(one["day"], one["rate"], one["corrected"]) for one in seen["items"]] == [
        ("2026-01-03", 0.1, False),
        ("2026-01-02", 0.09, False),
    ]
    assert seen["items"][0]["by"]["id"] == admin.person.id
    assert (await leader.sees("currency-rates?currency=SEK&as_of=2026-01-05"))["items"] == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"rates": [{"currency": "usd", "day": "2026-01-02", "rate": 0.9}]}, "currency"),
        ({"rates": [{"currency": "USD", "day": "2026-01-02", "rate": 0}]}, "no rate"),
        ({"rates": [{"currency": "USD", "day": "2026-01-02", "rate": -1}]}, "no rate"),
        ({"rates": [{"currency": "USD", "day": "2999-01-02", "rate": 0.9}]}, "still to come"),
        ({"rates": []}, "no rate"),
        ({"csv": "currency,day,rate\nUSD,2026-01-02,0.9"}, "not both"),
        ({"rates": [], "csv": "currency,day,rate\nUSD,2026-01-02,1e12"}, "no rate"),
        ({"rates": [], "csv": "currency,day,rate\nUSD,soon,1"}, "line 2"),
        ({"source": " "}, "source"),
    ],
)
async def test_what_is_wrong_is_said(house: House, change: dict[str, object], why: str) -> None:
    admin = await house.visitor(Role.ADMIN)
    answer = await admin.http.post(PATH, json={**ONE, **change})
    assert (answer.status_code, why in answer.text) == (422, True), answer.text
