"""The report of realised value: all use cases, and by group; as data, and in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass

from service.domain.naming import listed
from service.measure.figures import interval_json, number
from service.value.evidence import Evidence, Widening
from service.value.grades import WIDENING
from service.value.realisation import Realisation, realise
from service.value.shrinkage import Groups, group_rates

UNEQUAL = 0.5
"""Of the use cases: where fewer would tell as much, their sizes are worth a sentence."""
FAR = 0.25
"""Of a group's rate: where its own is farther away, that is worth a sentence."""
_DIGITS = 12
"""Of amounts: to the cent up to ten thousand millions."""


@dataclass(frozen=True, slots=True)
class ValueReport:
    """What use cases delivered of what was due, and the same by group, where there are groups."""

    whole: Realisation
    by_group: Groups | None

    def as_json(self) -> dict[str, object]:
        """The report as JSON-able data; no NaN, no infinity."""
        whole, by_group = self.whole, self.by_group
        pooled = by_group.pooled if by_group is not None else None
        return {
            "rate": number(whole.rate),
            "ci": interval_json(whole.ci),
            "ci_like": interval_json(whole.ci_like),
            "worst": number(whole.worst),
            "best": number(whole.best),
            "due": amount(whole.due),
            "delivered": amount(whole.delivered),
            "measured": whole.measured,
            "unproven": whole.unproven,
            "not_due": whole.not_due,
            "cases": whole.cases,
            "exact_share": number(whole.exact_share),
            "heterogeneity": {
                "tau2": number(pooled.tau2 if pooled else None),
                "i2": number(pooled.i2 if pooled else None),
                "q": number(pooled.q if pooled else None),
            },
            "groups": [
                {
                    "group": one.group,
                    "cases": one.cases,
                    "own_rate": number(one.own_rate),
                    "rate": number(one.rate),
                    "ci": interval_json(one.ci),
                    "shrunk": one.shrunk,
                }
                for one in (by_group.rates if by_group is not None else ())
            ],
        }

    def notes(self, cost: bool) -> Iterator[str]:
        """What a reader of the figures is told. `cost`: more than promised is bad."""
        whole = self.whole
        if not whole.measured:
            yield "Nothing that is due is measured: there is no rate."
        if whole.unproven:
            left = (whole.due - whole.due_measured - whole.beyond) / whole.due
            yield (
                f"Unproven: {whole.unproven} of {whole.unproven + whole.measured} use cases that "
                f"are due, {_percent(left)} of what was due. They count neither as nothing nor as "
                f"{'spent' if cost else 'delivered'}; worst and best hold them to either."
            )
        if whole.beyond > 0.0:
            yield (
                f"Of what is measured {_percent(whole.beyond / whole.due)} of what was due lies "
                "outside of the measured windows: it is unproven, too."
            )
        if whole.stopped:
            unproven = (
                f", {whole.stopped_unproven} of them unproven" if whole.stopped_unproven else ""
            )
            yield f"Stopped, and still counted: {whole.stopped}{unproven}."
        if whole.exact:
            yield (
                f"Equal to their plan to the digit: {whole.exact} of {whole.measured} "
                f"({_percent(whole.exact_share)}). A figure that was copied is no measurement."
            )
        if whole.below_zero:
            yield f"Delivered less than nothing: {whole.below_zero}."
        yield from self._errors()
        if whole.measured and whole.ci_like is None:
            yield (
                "What use cases like these deliver cannot be said: one of them is nearly all that "
                "is measured."
            )
        elif whole.effective < UNEQUAL * whole.measured:
            yield (
                f"The {whole.measured} measured are of so unequal size that they tell as much as "
                f"{whole.effective:.0f} of one size."
            )
        yield from self._groups()

    def _errors(self) -> Iterator[str]:
        whole = self.whole
        if whole.without_error and whole.without_grade == whole.measured:
            yield (
                f"Without a standard error or a grade: {whole.without_error} of {whole.measured}. "
                "They are taken as booked; the first interval knows of no error in them."
            )
        elif whole.without_error:
            yield (
                f"Without a standard error: {whole.without_error} of {whole.measured} measured. "
                "Their grade alone says how sure they are."
            )
        if whole.widened:
            yield (
                "Grades of evidence widen the intervals, by judgement: "
                + ", ".join(f"{grade} {b:.0%}" for grade, b in WIDENING.items())
                + " of what was due, shared by all of a grade."
            )

    def _groups(self) -> Iterator[str]:
        if self.by_group is None:
            return
        pooled = self.by_group.pooled
        there = sum(one.measured > 0 for one in self.by_group.rates)
        if pooled is None and there:
            why = "only one has anything measured" if there == 1 else "no rate differs inside them"
            yield f"Groups have their own rates: {why}."
        elif pooled is not None and pooled.q <= usual_q(pooled.count - 1):
            yield (
                f"The {pooled.count} groups differ no more than chance would have it (Q "
                f"{pooled.q:.1f} on {pooled.count - 1} degrees of freedom): each is shown close to "
                "the mean of all, with its own rate beside it."
            )
        far = [
            (abs(one.own_rate - one.rate), f"{one.group} {one.own_rate:.2f}")
            for one in self.by_group.rates
            if one.own_rate is not None and one.rate is not None
            if abs(one.own_rate - one.rate) > FAR * abs(one.rate)
        ]
        if far:
            names = listed([name for _, name in sorted(far, reverse=True)], 5)
            yield (
                f"Own rates far from the rate shown: {names}. They rest on few use cases, or on a "
                "few extreme ones: look at those before using either."
            )


def report_of(evidence: Evidence, widening: Widening = WIDENING) -> ValueReport:
    """The report on these use cases; by group where they are in groups."""
    by_group = group_rates(evidence, widening) if evidence.groups else None
    return ValueReport(realise(evidence, widening), by_group)


def usual_q(df: int) -> float:
    """What Q stays below in 95 of 100 cases if nothing but chance makes groups differ: chi squared,
    by Wilson and Hilferty's approximation."""
    ninth = 2.0 / (9.0 * df)
    return float(df * (1.0 - ninth + 1.645 * ninth**0.5) ** 3)


def amount(value: float) -> float:
    """An amount as it is written in reports."""
    return float(f"{value:.{_DIGITS}g}")


def _percent(part: float | None) -> str:
    return "?" if part is None else f"{100.0 * part:.1f}%"
