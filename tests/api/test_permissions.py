"""Who may do what with value, reach, reviews, programmes and rates: every operation, every role.

What those who may can do stands in the tests of each. This one has all operations of the OpenAPI
document below these addresses, so that none can be added without saying whose it is.
"""

from typing import Any

from service.domain.people import Role
from tests.api.test_openapi import CONTRACT
from tests.kit.house import House, Visitor
from tests.value.test_api import in_production

QUARTER = "2022-Q3"
EVERYBODY_BUT_STRANGERS = {Role.ENABLER, Role.LEADER, Role.ADMIN}
"""Who neither owns a use case nor was asked about it does not know that it is there."""
ENABLEMENT, LEADERSHIP = {Role.ENABLER}, {Role.LEADER}
CHOOSE, WRITE_RATES = {Role.LEADER, Role.ADMIN}, {Role.ADMIN}
BELOW = (
    *("/v1/reviews", "/v1/lighthouses", "/v1/currency-rates", "/v1/portfolio"),
    *("/v1/use-cases/{key}/investment-case", "/v1/use-cases/{key}/measurements"),
    *("/v1/use-cases/{key}/reach", "/v1/use-cases/{key}/obstacles", "/v1/use-cases/{key}/hours"),
)
MAY = {
    "GET /v1/portfolio": EVERYBODY_BUT_STRANGERS,
    "GET /v1/currency-rates": EVERYBODY_BUT_STRANGERS,
    "POST /v1/currency-rates": WRITE_RATES,
    "GET /v1/use-cases/{key}/investment-case": EVERYBODY_BUT_STRANGERS,
    "POST /v1/use-cases/{key}/investment-case": ENABLEMENT,
    "GET /v1/use-cases/{key}/measurements": EVERYBODY_BUT_STRANGERS,
    "POST /v1/use-cases/{key}/measurements": ENABLEMENT,
    "POST /v1/use-cases/{key}/measurements/effect": EVERYBODY_BUT_STRANGERS,
    "POST /v1/use-cases/{key}/measurements/{number}/confirm": ENABLEMENT,
    "GET /v1/use-cases/{key}/reach": EVERYBODY_BUT_STRANGERS,
    "POST /v1/use-cases/{key}/reach": ENABLEMENT,
    "POST /v1/use-cases/{key}/reach/series": ENABLEMENT,
    "POST /v1/use-cases/{key}/obstacles": ENABLEMENT,
    "POST /v1/use-cases/{key}/hours": ENABLEMENT,
    "GET /v1/reviews": EVERYBODY_BUT_STRANGERS,
    "POST /v1/reviews": EVERYBODY_BUT_STRANGERS,
    "GET /v1/reviews/{quarter}": EVERYBODY_BUT_STRANGERS,
    "POST /v1/reviews/{quarter}/decisions": LEADERSHIP,
    "POST /v1/reviews/{quarter}/dates": EVERYBODY_BUT_STRANGERS,
    "POST /v1/reviews/{quarter}/close": EVERYBODY_BUT_STRANGERS,
    "POST /v1/reviews/{quarter}/lock": LEADERSHIP,
    "GET /v1/lighthouses": EVERYBODY_BUT_STRANGERS,
    "POST /v1/lighthouses": CHOOSE,
    "GET /v1/lighthouses/{programme_id}": EVERYBODY_BUT_STRANGERS,
    "POST /v1/lighthouses/{programme_id}/candidates": EVERYBODY_BUT_STRANGERS,
    "POST /v1/lighthouses/{programme_id}/candidates/{key}/criteria": EVERYBODY_BUT_STRANGERS,
    "POST /v1/lighthouses/{programme_id}/candidates/{key}/choices": CHOOSE,
    "POST /v1/lighthouses/{programme_id}/end": CHOOSE,
}
"""Of those who own nothing and whom nobody asked."""


async def test_every_role_and_every_operation(quiet_house: House) -> None:
    house = quiet_house
    live = await in_production(house)
    assert (await live.measure(live.owner)).status_code == 201
    leader = await house.visitor(Role.LEADER)
    opened = await leader.http.post("/v1/reviews", json={"quarter": QUARTER})
    assert opened.status_code == 201, opened.text
    made = (await leader.http.post("/v1/lighthouses", json={"name": "Autumn"})).json()["id"]
    candidate = {"use_case": await live.owner.hand_in()}
    proposed = await leader.http.post(f"/v1/lighthouses/{made}/candidates", json=candidate)
    assert proposed.status_code == 201, proposed.text
    there = {"key": live.key, "quarter": QUARTER, "programme_id": made, "number": "1"}
    ours = [one for one in CONTRACT.operations if one.path.startswith(BELOW)]
    assert {str(one) for one in ours} == set(MAY)

    for role in Role:
        visitor = await house.visitor(role, party="risk" if role is Role.REVIEWER else None)
        for one in ours:
            body = next(iter(CONTRACT.examples(one).values()), None)
            places = {**there, "key": candidate["use_case"]} if "candidates" in one.path else there
            status = await _asked(visitor, one.method, one.path.format(**places), body, places)
            may = role in MAY[str(one)]
            assert status in ({200, 201, 409, 422} if may else {403, 404}), (role, str(one), status)


async def _asked(visitor: Visitor, method: str, path: str, body: Any, there: dict[str, str]) -> int:
    """The status of an operation with what the document shows, of what there is."""
    if body is not None:
        places = {"use_case": there["key"], "quarter": QUARTER}
        body = {**body, **{name: value for name, value in places.items() if name in body}}
    answer = await visitor.http.request(method, path, json=body)
    return answer.status_code
