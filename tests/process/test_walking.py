"""Any process that the check accepts can be walked to an end, from wherever one can come to."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.commands import Command
from service.domain.lifecycle import Move
from service.domain.pathway import Pathway, StageKind
from service.domain.tiering import Tier
from service.intake.pathways import pathway_for
from service.process.checking import check
from service.process.document import Process, as_toml
from tests.domain.lives import CERTIFIED, HOUR, KINDS, START, Life, options, until
from tests.kit.examples import examples

HOLDERS = {"gate": ("enablement", "risk", "legal"), "help": ("enablement",), "build": ("builder",)}


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A process of three tiers, as a file: not every one is accepted."""
    kinds = st.sampled_from(list(StageKind))
    some = st.lists(st.sampled_from(KINDS), max_size=2, unique=True)
    pathways = []
    for number in range(3):
        stages = []
        for place in range(draw(st.integers(0, 4))):
            kind = draw(kinds)
            gate = kind is StageKind.GATE
            stage = {
                "key": f"s{place if draw(st.integers(0, 9)) else 0}",
                "title": "S",
                "kind": kind,
                "holder": draw(st.sampled_from(HOLDERS[kind])),
                "target_days": 2,
                "evidence": draw(some),
                "passes_with": draw(some) if gate else (),
                "approvers": draw(st.integers(1, 2)) if gate else 1,
            }
            if gate and draw(st.booleans()):
                stage["certification"] = CERTIFIED[0]
            if draw(st.integers(0, 3)) == 0:
                stage["only_if"] = {"risky": draw(st.booleans())}
            stages.append(stage)
        stages.append(
            {"key": "live", "title": "L", "kind": "build", "holder": "builder", "target_days": 5}
        )
        pathways.append(
            {
                "key": f"p{number}",
                "version": 1,
                "title": "P",
                "answer_target_days": 1,
                "referral_target_days": 1,
                "stages": stages,
            }
        )
    rules = [
        {"tier": "t1", "when": {"risky": True}, "reason": "risky"},
        {"tier": "t2", "when": {"risky": True, "worse": True}, "reason": "worse"},
    ]
    drawn = Process.model_validate(
        {
            "version": 1,
            "title": "Drawn",
            "tiers": [
                {"key": f"t{n}", "title": "T", "means": "T", "pathway": f"p{n}"} for n in range(3)
            ],
            "parties": [{"key": key, "title": key} for key in ("risk", "legal")],
            "questions": [
                {"key": key, "asks": "?", "title": key, "kind": "yes_no"}
                for key in ("risky", "worse")
            ],
            "rules": rules,
            "pathways": pathways,
        }
    )
    return as_toml(drawn).encode()


@settings(max_examples=examples(25))
@given(files(), st.data())
def test_an_accepted_process_is_walked_to_an_end_from_wherever_one_can_come_to(
    file: bytes, data: st.DataObject
) -> None:
    process = check(file).process
    if process is None:
        return
    answers = {"risky": data.draw(st.booleans()), "worse": data.draw(st.booleans())}
    ways = {
        tier: pathway_for(found.model_copy(update={"stages": found.stages_for(answers)}), tier)
        for tier, found in zip(Tier, process.pathways, strict=True)
    }
    life = Life.of(ways[data.draw(st.sampled_from(Tier))])
    now = START
    for _ in range(data.draw(st.integers(0, 6))):
        if life.standing.ended:
            break
        now += HOUR
        there = [own(move, ways) for move in options(life.standing, now)]
        life = life.moved(data.draw(st.sampled_from(there)), now)

    assert until(life, lambda standing: standing.ended is not None).standing.ended


def own(move: Move, ways: dict[Tier, Pathway]) -> Move:
    """A change of tier onto this process's own pathway."""
    if move.command is Command.CHANGE_TIER and move.pathway is not None:
        return replace(move, pathway=ways[move.pathway.tier])
    return move
