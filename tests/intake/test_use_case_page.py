"""The page of one use case: whose move it is, the clock, what one can do, and doing it."""

from service.domain.people import Role
from tests.kit.browsing import guest
from tests.kit.house import House


async def test_a_builder_sees_whose_move_it_is_and_what_they_have_to_do(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    key = await builder.api.hand_in(title="Answer <b>suppliers</b>")

    page = await builder.sees(f"/use-cases/{key}")

    assert "It is Enablement’s move , since " in page.text
    assert ": Triage waits for a decision, and nobody has taken it up yet " in page.text
    assert "Answer <b>suppliers</b>" in page.text
    assert page.offers("withdraw")
    assert not page.offers("approve")


async def test_the_way_to_production_over_the_pages_alone(house: House) -> None:
    builder = await guest(house, Role.BUILDER)
    enabler = await guest(house, Role.ENABLER)
    key = await builder.api.hand_in()
    path = f"/use-cases/{key}"

    page = await enabler.sees(path)
    page = await enabler.sends(page.form("claim"))
    assert "Taken up. It is yours now." in page.text
    page = await enabler.sends(page.form("ask"), reason="Which data?\nAll of it?")
    assert f"It is {builder.person.name}’s move , since" in page.text

    page = await builder.sees(path)
    assert "It is your move , since" in page.text
    assert ": answer the question " in page.text
    assert "Which data? All of it?" in page.text
    await builder.sends(page.form("answer"), reason="Orders of two years.")

    page = await enabler.sees(path)
    assert "Orders of two years." in page.text
    page = await enabler.sends(page.form("approve"))
    page = await enabler.sends(page.form("hand_over"))
    page = await builder.sees(path)
    await builder.sends(page.form("hand_over"))
    page = await enabler.sees(path)
    assert "Before it can pass Evidence: evaluation report (the owners or enablement" in page.text
    assert page.form("attach").values["evidence_kind"] == "evaluation-report"
    assert not page.offers("approve")
    page = await enabler.sends(
        page.form("attach"),
        evidence_kind="evaluation-report",
        evidence_reference="https://wiki.example/eval-1",
    )
    assert "https://wiki.example/eval-1" in page.attributes("a", "href")
    page = await enabler.sends(page.form("approve"))
    await enabler.sends(page.form("approve"))
    page = await builder.sees(path)
    assert "Before it can pass Evidence: measurement plan" in page.text
    assert not page.offers("go_live")
    page = await builder.sends(
        page.form("investment-case"),
        plan_method="before_after",
        plan_how="Handling time from the ticket system.",
        plan_by="Bea",
        plan_starts="2027-05-01",
        reason="How we shall measure it.",
    )
    assert "investment case, version 2" in page.text
    page = await builder.sends(page.form("go_live"))

    assert "It has been in production since" in page.text
    assert ": all clocks have stopped ." in page.text
    assert not page.offers("withdraw")
