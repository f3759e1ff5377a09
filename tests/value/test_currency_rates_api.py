"""Currency rates over HTTP and on their page: administrators write, readers of reports read."""

import pytest

from service.domain.people import Role
from tests.kit.browsing import ORIGIN, guest
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


async def test_an_administrator_writes_them_on_a_page(house: House) -> None:
    admin = await guest(house, Role.ADMIN)
    page = await admin.sees("/admin/currency-rates")
    form = page.form("/admin/currency-rates")
    page = await admin.sends(form, source="bank", csv="NOK,2026-01-02,0.087", status=200)
    assert "Written: 1. There already: 0." in page.text
    assert "0.087" in page.text

    page = await admin.sends(form, source="bank", csv="NOK,2026-01-02,-1", status=422)
    assert "NOK" in page.form("/admin/currency-rates").values["csv"]
    assert "is no rate" in page.text
    parts = {"source": "bank", "form_token": form.values["form_token"], "csv": ""}
    for content, status in ((b"currency,day,rate\nNOK,2026-01-03,0.088", 303), (b"\xff\xfe", 422)):
        answer = await admin.http.post(
            "/admin/currency-rates",
            data=parts,
            files={"file": ("rates.csv", content)},
            headers={"Origin": ORIGIN},
        )
        assert answer.status_code == status, answer.text
    assert "0.088" in (await admin.sees("/admin/currency-rates")).text

    builder = await guest(house, Role.BUILDER)
    assert (await builder.sees("/admin/currency-rates", status=403)).status == 403
