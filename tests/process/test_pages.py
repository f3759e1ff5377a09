"""The process on a page: what is in force for everybody, a draft for those who may try one."""

from service.domain.people import Role
from service.process.in_force import process, shipped
from tests.kit.browsing import guest
from tests.kit.house import House

SHIPPED = shipped().decode()
EVIL = "<b>Legal</b>"


async def test_everybody_sees_the_process_and_only_some_may_try_another(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    page = await builder.sees("/process")

    for question in process().questions:
        assert question.asks in page.text
    for pathway in process().pathways:
        assert all(stage.title in page.text for stage in pathway.stages)
    assert "passes by itself with approved pattern" in page.text
    assert not page.offers("process")
    assert "a draft cannot be published yet" not in page.text

    for role in (Role.LEADER, Role.ENABLER, Role.ADMIN):
        page = await (await guest(house, role)).sees("/process")
        assert page.offers("process")
    assert "a draft cannot be published yet" in page.text


async def test_a_draft_is_checked_compared_and_tried_and_nothing_is_kept(house: House) -> None:
    leader = await guest(house, Role.LEADER)
    page = await leader.sees("/process")

    page = await leader.sends(page.form("/process"), status=422, toml="version = ")
    assert "It cannot be used yet." in page.text
    assert "Line 1" in page.text
    assert page.form("/process").values["toml"] == "version = "
    page = await leader.sends(page.form("/process"), status=422, toml="")
    assert "Paste a process, or choose a file." in page.text
    page = await leader.sends(page.form("/process"), status=422, toml=SHIPPED, since="soon")
    assert "Write the day like 2026-03-31." in page.text

    # By this edit the first stage of the two, that of the middle tier.
    edited = SHIPPED.replace('title = "Shape"', f'title = "{EVIL}"', 1).replace(
        "target_days = 30", "target_days = 25"
    )
    page = await leader.sends(page.form("/process"), toml=edited, since="2026-01-01")
    assert "It can be used." in page.text
    assert "Build on Standard has a shorter target: 25 days, it was 30 days." in page.text
    assert "What past cases would have met" in page.text
    assert EVIL in page.text
    assert "<b>" not in page.html
    assert EVIL not in (await leader.sees("/process")).text


async def test_a_draft_of_somebody_who_may_not_try_one_is_refused(house: House) -> None:
    leader, builder = await guest(house, Role.LEADER), await guest(house, Role.BUILDER)
    form = (await leader.sees("/process")).form("/process")
    own = (await builder.sees("/new")).form("/new")

    answer = await builder.http.post(
        "/process",
        data={**form.values, "form_token": own.values["form_token"], "toml": SHIPPED},
    )
    assert answer.status_code == 403
