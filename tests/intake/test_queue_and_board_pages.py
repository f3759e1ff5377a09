"""The queue and the board: who sees what, moving several at once, taking it back."""

from datetime import timedelta

import pytest

from service.domain.people import Role
from service.forecasts.forecaster import Forecaster
from tests.kit.browsing import Guest, Page, guest
from tests.kit.house import House
from tests.kit.stories import act, staged
from web.intake import queue
from web.intake.expected import Usual


@pytest.fixture(scope="module")
async def house(quiet_house: House) -> House:
    """Nothing waits here but what these tests bring."""
    return quiet_house


def lines(page: Page) -> list[str]:
    """The keys of the queue's lines, in order."""
    return page.attributes("li", "data-line")


def buttons(page: Page) -> set[str]:
    """Everything that can be pressed in the queue's form."""
    return {value for _, value in page.form("/queue").buttons}


async def pressed(
    somebody: Guest, page: Page, command: str, *keys: str, status: int = 200, **more: str
) -> Page:
    """Tick these and press a button."""
    form = next(one for one in page.forms if one.action == "/queue" and "start" in one.values)
    return await somebody.sends(form, pick=list(keys), command=command, status=status, **more)


async def test_a_reviewer_sees_what_was_referred_and_nothing_else(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    enabler = await guest(house, Role.ENABLER)
    reviewer = await guest(house, Role.REVIEWER, party="works-council")
    await builder.api.hand_in()
    key = await builder.api.hand_in(title="Referred")
    assert "What is referred to you comes here by itself." in (await reviewer.sees("/queue")).text
    await reviewer.sees(f"/use-cases/{key}", status=404)

    page = await enabler.sees(f"/use-cases/{key}")
    await enabler.sends(page.form("refer"), party="works-council", reason="Your view?")

    page = await reviewer.sees("/queue")
    assert lines(page) == [key]
    assert f"approve:{key}" not in buttons(page)
    page = await pressed(reviewer, page, "return", key, reason="Fine with us.")
    assert lines(page) == []
    page = await enabler.sees(f"/use-cases/{key}")
    assert "Fine with us." in page.text
    await reviewer.sees("/board", status=403)


async def test_several_are_taken_up_at_once_and_put_back_with_undo(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    enabler = await guest(house, Role.ENABLER)
    keys = [await builder.api.hand_in() for _ in range(3)]
    page = await enabler.sees("/queue")
    assert set(keys) <= set(lines(page))

    page = await pressed(enabler, page, "claim", *keys[:2])
    assert "Taken up. It is yours now." in page.text
    mine = await enabler.sees("/queue", whose="mine")
    assert set(lines(mine)) == set(keys[:2])
    undo = next(form for form in page.forms if ("command", "take_back") in form.buttons)
    page = await enabler.sends(undo, command="take_back")
    assert "Taken back. It is as it was before." in page.text
    assert lines(await enabler.sees("/queue", whose="mine")) == []


async def test_what_cannot_be_done_is_named_and_the_rest_is_done(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    first, second = await guest(house, Role.ENABLER), await guest(house, Role.ENABLER)
    keys = [await builder.api.hand_in() for _ in range(2)]
    page = await first.sees("/queue")
    await second.api.does(keys[0], "claim")

    page = await pressed(first, page, "claim", *keys, status=409)

    assert "Take up: not done for" in page.text
    assert keys[0] in page.text
    assert lines(await first.sees("/queue", whose="mine")) == [keys[1]]
    page = await first.sees("/queue", whose="team")
    assert set(keys) <= set(lines(page))


async def test_asking_without_words_is_refused_and_nothing_ticked_is_lost(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    enabler = await guest(house, Role.ENABLER)
    key = await builder.api.hand_in()
    page = await enabler.sees("/queue")
    page = await pressed(enabler, page, "ask", key, reason=" ", status=409)
    assert "Say why: ask needs a reason." in page.text
    form = page.form("/queue")
    assert ("pick", key) in form.fields
    page = await pressed(enabler, page, "ask", key, reason="Which data?")
    assert "Asked. The builder’s clock runs now." in page.text
    page = await enabler.sees("/queue")
    page = await pressed(enabler, page, "claim", status=422)
    assert "Tick at least one use case first." in page.text


async def test_pressing_twice_does_it_once(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    enabler = await guest(house, Role.ENABLER)
    key = await builder.api.hand_in()
    page = await enabler.sees("/queue")
    for _ in range(2):
        again = await pressed(enabler, page, "approve", key)
        assert "Approved." in again.text
    steps = (await enabler.api.sees(f"use-cases/{key}/transitions"))["items"]
    assert [step["command"] for step in steps] == ["submit", "approve"]


async def test_one_button_on_the_line_moves_that_line_alone(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    enabler = await guest(house, Role.ENABLER)
    keys = [await builder.api.hand_in() for _ in range(2)]
    page = await enabler.sees("/queue")
    await enabler.sends(page.form("/queue"), pick=[keys[1]], one=f"claim:{keys[0]}")
    assert lines(await enabler.sees("/queue", whose="mine")) == [keys[0]]


async def test_a_use_case_of_ones_own_is_not_in_ones_queue(house: House) -> None:
    both = await guest(house, Role.BUILDER, Role.ENABLER)
    key = await both.api.hand_in()
    page = await both.sees("/queue", whose="team")
    assert key not in lines(page)


async def test_the_order_is_by_target_or_by_age(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    enabler = await guest(house, Role.ENABLER)
    # Older, in a stage with five days; younger, in one with two.
    older = await staged(
        house.sessions,
        builder.person,
        [act(enabler.person, "claim", 1), act(enabler.person, "approve", 23)],
        days_ago=4,
    )
    younger = await staged(house.sessions, builder.person, [], days_ago=3)
    by_target = lines(await enabler.sees("/queue", by="target"))
    by_age = lines(await enabler.sees("/queue", by="age"))
    assert by_target.index(younger) < by_target.index(older)
    assert by_age.index(older) < by_age.index(younger)


async def test_the_board_counts_marks_what_is_stuck_and_links_to_the_rest(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    leader = await guest(house, Role.LEADER)
    key = await staged(house.sessions, builder.person, [], days_ago=400, title="Long stuck")
    page = await leader.sees("/board")
    assert "over target" in page.text
    stuck = [given["class"] for tag, given in page.tags if "tile" in given.get("class", "")]
    assert any("stuck" in one.split() for one in stuck)
    assert f"/use-cases/{key}" in page.attributes("a", "href")
    for _ in range(13):
        await staged(house.sessions, builder.person, [], days_ago=1)
    page = await leader.sees("/board")
    (more,) = [link for link in page.attributes("a", "href") if "stage=triage" in link]
    assert (await leader.sees(more)).status == 200


async def test_the_board_holds_each_age_against_what_is_usual(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def known(_: Forecaster) -> dict[tuple[str, str], Usual]:
        return {("medium", "triage"): Usual(timedelta(days=2), timedelta(days=300))}

    monkeypatch.setattr("web.intake.board.usual", known)
    builder = await guest(house, Role.BUILDER)
    leader = await guest(house, Role.LEADER)
    await staged(house.sessions, builder.person, [], days_ago=350)
    page = await leader.sees("/board")
    assert "350 days old, usually 2 days" in page.text
    assert any(tag == "span" and given.get("class") == "old" for tag, given in page.tags)


async def test_a_queue_offers_no_approval_that_would_be_refused(house: House) -> None:
    builder, enabler = await guest(house, Role.BUILDER), await guest(house, Role.ENABLER)
    other = enabler.person
    key = await staged(
        house.sessions,
        builder.person,
        [
            act(other, "approve", 1),
            act(other, "hand_over", 1),
            act(builder.person, "hand_over", 1),
        ],
        days_ago=9,
    )
    page = await enabler.sees("/queue", by="age")
    (may,) = [given["data-may"] for _, given in page.tags if given.get("data-line") == key]
    assert "claim" in may.split()
    assert "approve" not in may.split()


async def test_builders_and_reviewers_have_no_board_and_builders_no_queue(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    await builder.sees("/board", status=403)
    page = await builder.sees("/queue", status=403)
    assert "A queue is for enablement and for third parties." in page.text


async def test_the_queue_can_be_ordered_by_the_days_that_a_decision_saves(
    quiet_house: House,
) -> None:
    enabler = await guest(quiet_house, Role.ENABLER)
    builder = await quiet_house.visitor(Role.BUILDER)
    key = await builder.hand_in()
    page = await enabler.sees("/queue?by=days")

    assert f"/use-cases/{key}" in page.attributes("a", "href")
    assert "days saved" in page.text


async def test_days_saved_come_first_and_beyond_those_that_are_ranked_the_target(
    quiet_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LIMIT", 1)
    monkeypatch.setattr(queue, "MOST_WAITING", 2)
    enabler = await guest(quiet_house, Role.ENABLER)
    builder = await quiet_house.visitor(Role.BUILDER)
    for _ in range(3):
        await builder.hand_in()

    pages = [await enabler.sees("/queue", start=start) for start in range(4)]
    by_target = [await enabler.sees("/queue", by="target", start=start) for start in range(4)]
    ranked, wanted = ([key for page in some for key in lines(page)] for some in (pages, by_target))

    assert len(ranked) == len(set(ranked)) == len(wanted) >= 3
    assert set(ranked[:2]) == set(wanted[:2])
    assert ranked[2:] == wanted[2:]
    assert "the 2 closest to their target are ordered" in pages[0].text
    assert "closest to their target are ordered" not in by_target[0].text
