"""Whether the latest moment of a file can be its end, or stands alone far after everything else."""

from math import log

import numpy as np
from numpy.typing import NDArray

GAPS = 20
UNLIKELY = log(1000.0)
"""Gaps that come by chance are this many times as long as the others once in a thousand."""


def alone_by(days: NDArray[np.int64]) -> int | None:
    """By how many days the latest of `days` stands alone; None if it does not.

    `days` are those on which anything starts or ends, in any order, as often as they come. The
    last gap between them is compared with the mean of the twenty before it: if those come by
    chance, their lengths are about exponential, and one is longer than log(1000) times the mean
    once in a thousand. With fewer gaps than that nothing is said.
    """
    gaps = np.diff(np.unique(days)[-GAPS - 2 :])
    if gaps.size <= GAPS or gaps[-1] <= UNLIKELY * gaps[:-1].mean():
        return None
    return int(gaps[-1])
