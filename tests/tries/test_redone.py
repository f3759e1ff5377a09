"""Past cases under another process: by hand, what holds for every try, and whether it is right."""

import pytest

from benchmarks import tries as simulated
from service.domain.case import Outcome
from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.measure.traces import of
from service.process.checking import check
from service.process.document import Process
from service.process.in_force import process, shipped
from service.tries.redone import Kept
from service.tries.result import Past, Tried, try_process
from tests.measure.traced import case, day

SHIPPED = shipped().decode()
WAITING, WORKING = Mode.WAITING, Mode.WORKING
CUSTOMERS: dict[str, bool | str] = {"customer_facing": True, "autonomy": "suggests"}
STANDARD = SHIPPED.index('key = "standard"')
TRIAGE = SHIPPED[SHIPPED.index("[[pathways.stages]]", STANDARD) :]
TRIAGE = TRIAGE[: TRIAGE.index("[[", 2)]
GATE = """[[pathways.stages]]
key = "legal"
title = "Legal"
kind = "gate"
holder = "risk"
target_days = 8

"""


def edited(wrong: str, right: str, *, text: str = SHIPPED) -> Process:
    """The shipped process with the first `wrong` of the standard pathway as `right`."""
    at = text.index(wrong, text.index('key = "standard"'))
    checked = check((text[:at] + right + text[at + len(wrong) :]).encode())
    assert checked.process is not None, checked.findings
    return checked.process


def with_gate() -> Process:
    """A gate of risk's between building and evaluating."""
    evaluate = '[[pathways.stages]]\nkey = "evaluate"'
    return edited(evaluate, GATE + evaluate)


def way(triage: float, build: float, evaluate: float) -> list[tuple[str, str, Mode, float]]:
    return [
        ("triage", "enablement", WAITING, triage),
        ("build", "builder", WORKING, build),
        ("evaluate", "enablement", WAITING, evaluate),
        ("launch", "builder", WORKING, 1.0),
    ]


def risky(assessed: float) -> list[tuple[str, str, Mode, float]]:
    return [("risk-assessment", "risk", WAITING, assessed), ("launch", "builder", WORKING, 1.0)]


def tried(
    traced: list[TracedCase],
    after: Process,
    *,
    kept: dict[str, Kept] | None = None,
    end: float = 99,
) -> Tried:
    """What a try of these cases says; all of them have customers, but for what is `kept`."""
    kept = kept or {}
    return try_process(
        process(),
        after,
        Past(
            of(traced, day(99)),
            [kept.get(one.case.case_id, Kept(CUSTOMERS)) for one in traced],
            [one.case.case_id for one in traced],
            "intake",
        ),
    )


def medium(name: str, *stays: float) -> TracedCase:
    return case(name, way(*stays), tier="medium")


def test_a_gate_that_is_gone_by_hand() -> None:
    """Two cases of 2+10+4+1 and 6+10+8+1 days: 21 on average, 4 of them in triage. tau is twice the
    median and both are through by then: without triage they take 17, and 6 days of gate tax."""
    found = tried([medium("a", 2, 10, 4), medium("b", 6, 10, 8)], edited(TRIAGE, ""))

    assert found.whole.time is not None
    assert found.whole.gate_tax is not None
    assert (found.whole.time.before, found.whole.time.after) == pytest.approx((21.0, 17.0))
    assert (found.whole.gate_tax.before, found.whole.gate_tax.after) == pytest.approx((10.0, 6.0))
    # Of the four samples that there are, two are one case twice: 2 and 6 days of triage.
    assert found.whole.time.change_interval == pytest.approx((-6.0, -2.0))
    assert [(one.stage, one.why, one.stays, one.days) for one in found.vanished] == [
        ("triage", "gone", 2, 8.0)
    ]
    assert (found.longer, found.moves, found.added) == (False, (), ())
    assert found.sentence == (
        "Shorter: time to production would change by -4.0 days (-6.0 to -2.0), 17.0 days in place "
        "of 21.0, over 2 cases."
    )
    # Four stays of enablement in the 99 days from the first start on; two of them are triage.
    [load] = found.whole.parties
    assert load.party == "enablement"
    assert (load.before, load.after) == pytest.approx((4 / (99 / 7), 2 / (99 / 7)), rel=1e-4)
    assert any("how it would have gone on" in note for note in found.notes)


def test_a_new_gate_takes_as_long_as_its_party_has_taken_by_hand() -> None:
    """Risk has taken 3 and 5 days. Each of the two cases of the middle tier gets one of them."""
    high = [case(name, risky(days), tier="high") for name, days in (("x", 3.0), ("y", 5.0))]
    answers = Kept({"regulated": True, "autonomy": "suggests"})
    found = tried(
        [medium("a", 2, 10, 4), medium("b", 2, 10, 4), *high],
        with_gate(),
        kept={"x": answers, "y": answers},
    )

    [new] = found.added
    assert (new.stage, new.party, new.stays, new.days, new.drawn_from) == ("legal", "risk", 2, 8, 2)
    [medium_tier] = [one for one in found.tiers if one.name == "medium"]
    assert medium_tier.time is not None
    assert (medium_tier.time.before, medium_tier.time.after) == pytest.approx((17.0, 21.0))
    assert found.longer
    assert found.sentence.startswith("Longer: time to production would change by +2.0 days")
    [risk] = [one for one in found.whole.parties if one.party == "risk"]
    assert (risk.before, risk.after) == pytest.approx((2 / (99 / 7), 4 / (99 / 7)), rel=1e-4)


def test_a_party_without_stays_is_taken_at_its_target_and_it_is_said() -> None:
    found = tried([medium("a", 2, 10, 4)], with_gate())

    assert [(one.days, one.drawn_from) for one in found.added] == [(8.0, 0)]
    assert any("No stay of risk is recorded" in note for note in found.notes)


def test_a_case_that_never_came_so_far_gets_no_new_stay() -> None:
    early = case("a", way(2, 10, 4)[:2], tier="medium", outcome=Outcome.WITHDRAWN)
    building = case("b", way(2, 97, 4)[:2], tier="medium", outcome=Outcome.OPEN)

    assert tried([early, building, medium("c", 1, 1, 1)], with_gate()).added[0].stays == 1


def test_evidence_from_before_lets_a_gate_pass_and_evidence_from_later_does_not() -> None:
    opened = TRIAGE.replace('passes_with = ["approved-pattern"]', 'passes_with = ["harness-pass"]')
    after = edited(TRIAGE, opened)
    at_once, later = (
        Kept(CUSTOMERS, ((0.0, "harness-pass"),)),
        Kept(CUSTOMERS, ((1.0, "harness-pass"),)),
    )
    found = tried(
        [medium("a", 2, 10, 4), medium("b", 2, 10, 4)], after, kept={"a": at_once, "b": later}
    )

    assert [(one.stage, one.why, one.stays) for one in found.vanished] == [
        ("triage", "by_itself", 1)
    ]
    # At a gate to which it comes again, what was attested before it left says nothing.
    again = [*way(2, 10, 4)[:2], *way(3, 10, 4)]
    back = tried([case("a", again, tier="medium")], after, kept={"a": at_once})
    assert [(one.stays, one.days) for one in back.vanished] == [(1, 2.0)]


def test_another_tier_takes_its_pathway() -> None:
    """Customers alone are low now: triage and evaluate are gone, building stays."""
    begin = SHIPPED.index('[[rules]]\ntier = "medium"\nwhen = { customer_facing = true }')
    unread = check((SHIPPED[:begin] + SHIPPED[SHIPPED.index("[[", begin + 2) :]).encode()).process
    assert unread is not None
    by_hand, imported = Kept({"autonomy": "suggests"}), Kept()
    found = tried(
        [medium("a", 2, 10, 4), medium("b", 2, 10, 4), medium("c", 2, 10, 4)],
        unread,
        kept={"b": by_hand, "c": imported},
    )

    [move] = found.moves
    assert (move.before, move.after, move.pathway, move.cases) == ("medium", "low", "light", 1)
    assert move.use_cases == ("a",)
    assert (found.kept_by_hand, found.kept_without_answers) == (1, 1)
    assert {(one.stage, one.stays) for one in found.vanished} == {("triage", 1), ("evaluate", 1)}
    assert found.whole.another_tier == 1


def test_a_tier_that_is_refused_is_left_out_and_counted() -> None:
    text = SHIPPED[: SHIPPED.index("# No human gate")] + SHIPPED[STANDARD - len("[[pathways]]\n") :]
    refusing = check(text.replace('pathway = "light"', 'refused = "We do not."').encode()).process
    assert refusing is not None
    found = tried([medium("a", 2, 10, 4), case("b", [("build", "builder", WORKING, 9)])], refusing,
                  kept={"b": Kept({"autonomy": "suggests"})})  # fmt: skip

    assert (found.left_out, found.whole.cases) == (1, 1)
    assert found.whole.time is not None
    assert found.whole.time.before == pytest.approx(17.0)
    assert any("would be refused" in note for note in found.notes)


def test_the_process_in_force_changes_nothing() -> None:
    traced = [medium(str(n), n % 3, 10 + n, 4) for n in range(6)]
    found = tried(
        [*traced, case("o", way(2, 9, 4)[:2], tier="medium", outcome=Outcome.OPEN)], process()
    )

    assert found.whole.time is not None
    assert (found.whole.time.change, found.whole.time.change_interval) == (0.0, (0.0, 0.0))
    assert (found.moves, found.vanished, found.added) == ((), (), ())
    assert found.sentence.startswith("Time to production would be the same")
    # The same cases give the same figures, whatever their order.
    turned = tried([*reversed(traced)], with_gate())
    assert turned.whole.time == tried(traced, with_gate()).whole.time


def test_no_past_case_is_said() -> None:
    found = tried([], process())

    assert found.sentence == "Nothing can be said: there is no past case to replay."


@pytest.mark.long
def test_the_interval_holds_where_behaviour_does_not_change() -> None:
    """A short form of `benchmarks.tries`, which holds in 94% of 150."""
    found = simulated.runs(seed=3, number=25, cases=60)

    assert simulated.held(found) >= 0.9
    said = sum(one.whole.time.change for one, _ in found if one.whole.time) / len(found)
    true = sum(change for _, change in found) / len(found)
    assert said == pytest.approx(true, abs=1.0)
