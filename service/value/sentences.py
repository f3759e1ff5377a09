"""Realised value in a sentence that an executive can read."""

from service.measure.tiers import Interval
from service.value.realisation import Realisation

AS_PLANNED = 0.0005
"""From the plan, in parts of it: nearer is on plan, to the tenth of a per cent."""


def value_sentence(whole: Realisation, currency: str) -> str:
    """What was delivered of what was due: "10.0m EUR was due; of 6.1m measured, 0.62 (0.55 to 0.69)
    was delivered; use cases like these deliver 0.45 to 0.79; ..."."""
    if not whole.measured or whole.rate is None:
        return _nothing_measured(whole, currency)
    parts = [
        f"{money(whole.due, currency)} was due; of {money(whole.due_measured)} measured, "
        f"{whole.rate:.2f}{_between(whole.ci)} was delivered"
    ]
    if whole.ci_like is not None:
        parts.append(f"use cases like these deliver {_span(whole.ci_like)}")
    if whole.unproven or whole.beyond > 0.0:
        parts.append(
            f"if the rest delivered nothing, {whole.worst:.2f}, and as promised, {whole.best:.2f}"
        )
    return f"{'; '.join(parts)}."


def cost_sentence(whole: Realisation, currency: str) -> str:
    """What was spent of what was planned. Above 1 is over plan, and nobody calls it good."""
    if not whole.measured or whole.rate is None:
        return _nothing_measured(whole, currency).replace("due", "planned", 1)
    over = whole.rate - 1.0
    side = "on plan"
    if abs(over) >= AS_PLANNED:
        side = f"{100.0 * abs(over):.1f}% {'over' if over > 0 else 'under'} plan"
    parts = [
        f"{money(whole.due, currency)} was planned; of {money(whole.due_measured)} with a known "
        f"cost, {money(whole.delivered)} was spent, {whole.rate:.3f} times the plan: {side}"
    ]
    if whole.ci_like is not None:
        within = whole.ci_like.low <= 1.0 <= whole.ci_like.high
        parts.append(
            f"use cases like these cost {_span(whole.ci_like)} times their plan"
            + (", on plan included" if within else "")
        )
    if whole.unproven:
        parts.append(
            f"if the rest cost nothing, {whole.worst:.2f}, and as planned, {whole.best:.2f}"
        )
    return f"{'; '.join(parts)}."


def money(amount: float, currency: str = "") -> str:
    """An amount, short: 10.0m EUR, 48,592 USD million, 930.50."""
    size = abs(amount)
    if size >= 1e9:
        text = f"{amount / 1e9:,.1f}bn"
    elif size >= 1e6:
        text = f"{amount / 1e6:.1f}m"
    elif size >= 1e4:
        text = f"{amount:,.0f}"
    else:
        text = f"{amount:,.2f}".removesuffix(".00")
    return f"{text} {currency}".rstrip()


def _nothing_measured(whole: Realisation, currency: str) -> str:
    if not whole.unproven:
        return "Nothing is due yet."
    return (
        f"{money(whole.due, currency)} was due and nothing of it is measured: anything between "
        "nothing and all of it may be there."
    )


def _between(interval: Interval | None) -> str:
    if interval is None or interval.low == interval.high:
        return ""
    return f" ({_span(interval)})"


def _span(interval: Interval) -> str:
    return f"{interval.low:.2f} to {interval.high:.2f}"
