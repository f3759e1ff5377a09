"""Every template is accepted, says that it is an example, and can be compared and tried."""

import pytest

from service.domain.standing import Mode
from service.measure.traces import of
from service.process.checking import check
from service.process.differences import differences
from service.process.in_force import process
from service.process.templates import templates
from service.tries.redone import Kept
from service.tries.result import Past, try_process
from tests.measure.traced import case, day

WAY = [("triage", "enablement", Mode.WAITING, 2.0), ("build", "builder", Mode.WORKING, 9.0)]


@pytest.mark.parametrize("name", templates())
def test_a_template_is_accepted_compared_and_tried(name: str) -> None:
    file = templates()[name]
    checked = check(file)

    assert checked.process is not None
    assert checked.findings == ()
    assert "example to be checked" in " ".join(file.decode().replace("# ", "").split())
    assert differences(process(), checked.process).sentences
    traced = [case("a", WAY, tier="medium"), case("b", WAY, tier="medium")]
    answers = Kept({"personal_data": True, "autonomy": "suggests"})
    past = Past(of(traced, day(30)), [answers, Kept()], ["a", "b"], "intake")
    tried = try_process(process(), checked.process, past)
    assert tried.cases == 2
    # A tier that the template has not: what has no answers is left out.
    there = checked.process.tier("medium") is not None
    assert tried.left_out == (0 if there else 1)


def test_what_article_5_prohibits_is_refused_with_the_article() -> None:
    act = check(templates()["eu-ai-act"]).process
    assert act is not None

    tiered = act.tier_of({"scores_people": True, "area": "services", "narrow_task": False})
    assert (tiered.tier, tiered.reasons) == (
        "prohibited",
        ("it is social scoring (Article 5, 1 c)",),
    )
    tier = act.tier("prohibited")
    assert tier is not None
    assert (tier.pathway, "Article 5" in (tier.refused or "")) == (None, True)
    assert act.pathway_of("prohibited") is None
