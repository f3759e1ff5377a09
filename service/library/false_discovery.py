"""Many tests at once: of what is called an effect, at most so many in a hundred are none."""

from collections.abc import Sequence


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The adjusted p-values, in the same order.

    Calling an effect what is adjusted to 0.05 or less makes at most 5% of what is called so wrong,
    in expectation (Benjamini and Hochberg 1995, JRSS B 57:289-300).
    """
    adjusted = [1.0] * len(p_values)
    least = 1.0
    ordered = sorted(enumerate(p_values), key=lambda pair: pair[1], reverse=True)
    for behind, (place, p) in enumerate(ordered):
        least = min(least, p * len(p_values) / (len(p_values) - behind))
        adjusted[place] = least
    return adjusted
