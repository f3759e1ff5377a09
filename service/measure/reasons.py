"""Why there is no verdict, or not more than "as is", in sentences."""

from collections.abc import Iterator, Sequence

from service.measure.rule import Found, Why
from service.measure.tiers import Direction, Tiers


def about(
    tiers: Tiers,
    found: Found | None,
    record: Sequence[str],
    intake: str,
    baseline: str | None,
) -> Iterator[str]:
    """What stands between the figures and a verdict, in words."""
    if tiers.pairs and tiers.missing:
        yield f"Too little is known for a verdict. Needed: {tiers.missing}."
    if found is None:
        if tiers.pairs:
            yield "All cases of an arm took no time at all: a ratio says nothing here."
        return
    why = found.why
    if Why.NOTHING_VARIES in why:
        yield (
            "The cases do not vary enough to tell how uncertain the ratio is: no interval is given."
        )
    if found.units.alone:
        yield (
            "All cases of an arm are of one business unit: what is the unit's doing cannot be told "
            "from what is the intake's, and no interval is given."
        )
    elif found.units.few:
        yield (
            f"The units count for {found.units.effective:.1f}: it holds in these units and says "
            "nothing of others."
        )
    if Why.INTERVAL in why and found.units_decide and not found.units.alone:
        yield (
            f"The business units differ, and count for {found.units.effective:.1f}: more cases of "
            "the same units would hardly narrow the interval, more units would."
        )
    yield from _against(tiers, found, intake, baseline)
    for sign in record:
        yield f"The record leaves something out ({sign}): no verdict rests on it."


def _against(tiers: Tiers, found: Found, intake: str, baseline: str | None) -> Iterator[str]:
    """What speaks against a difference that the interval shows."""
    why = found.why
    words = "faster" if found.time.direction is Direction.COMPRESSES else "slower"
    if Why.GUARD in why:
        more = intake if words == "faster" else baseline
        yield (
            f"Cases that stayed were {words}, but more of {more} were declined or withdrawn, and "
            "the time not in production, which counts those as never there, does not show it."
        )
    if Why.MIX in why:
        yield (
            "The cases spread over the tiers differently than before, and without the tiers the "
            "difference is not clear: a changed triage would show the same. If the triage is known "
            "to be the same, somebody can record that."
        )
    if Why.UNIT_MIX in why:
        yield (
            "The cases spread over the business units differently than before, and inside the "
            "units the difference is not clear."
        )
    if Why.TIER_OPPOSITE in why:
        others = [pair.tier for pair in tiers.pairs if pair.tier not in found.opposed]
        other = "slower" if words == "faster" else "faster"
        yield (
            f"The tiers disagree: {words} in {', '.join(others)}, {other} in "
            f"{', '.join(found.opposed)}."
        )
    if Why.TAU_OPPOSITE in why:
        yield "Over a shorter or a longer time the comparison says the opposite."
    if Why.TREND in why:
        yield _about_trend(found, intake, baseline)


def _about_trend(found: Found, intake: str, baseline: str | None) -> str:
    if not found.trend.known:
        return "Without dates a trend that was there anyway cannot be told from the intake."
    gap = abs(found.trend.gap_years)
    when = "after" if found.trend.gap_years > 0.0 else "before"
    return (
        f"The cases of {intake} began {gap:.1f} years {when} those of {baseline}; that everything "
        "became faster or slower in that time would explain the difference. Cases that go round "
        "the intake at the same time would settle it, or somebody who records, by name, that "
        "nothing else changed."
    )
