"""Which share of the cases each end stands for, when some are still open.

Every function takes cases in the order of their days, ends before open cases on the same day, and
`ended`: whether a case ended, in whatever way, or is still open (censored).
"""

import numpy as np

from service.measure.survival import Flags, Floats


def masses(ended: Flags) -> Floats:
    """The Aalen-Johansen share of all cases that each end stands for; 0 for open ones.

    An open case hands its share on to those that were watched for longer (Efron's redistribution
    to the right, 1967). What is missing to 1 belongs to cases that were open beyond the last end.
    Sums over the ends of one kind are the Aalen-Johansen incidence of that kind.
    """
    size = ended.size
    at_risk = np.arange(size, 0, -1, dtype=np.float64)
    handed_on = np.where(ended, 1.0, at_risk / np.maximum(at_risk - 1.0, 1.0))
    share = np.concatenate([np.ones(min(1, size)), np.cumprod(handed_on)[:-1]]) / max(size, 1)
    return np.where(ended, share, 0.0)


def influences(parts: Floats, ended: Flags) -> Floats:
    """How a sum of masses moves with the weight of each case (the infinitesimal jackknife).

    `parts` is what each case adds to the sum: its mass times a number of its own. The sum of the
    squares estimates the variance of that sum; first added up inside clusters, it does so for
    cases that come in clusters. The influences add up to 0.
    """
    size = ended.size
    at_risk = np.arange(size, 0, -1, dtype=np.float64)
    later = np.cumsum(parts[::-1])[::-1] - parts
    handed_on = ~ended & (at_risk > 1.0)
    own = np.where(handed_on, later / at_risk, 0.0)
    others = np.where(handed_on, own / np.maximum(at_risk - 1.0, 1.0), 0.0)
    before = np.cumsum(others) - others
    found: Floats = parts - parts.sum() / max(size, 1) + own - before
    return found
