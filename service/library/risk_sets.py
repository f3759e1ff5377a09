"""Who waits with and who without an asset whenever a case has the event.

A case is without until it adopts and with from then on. So at each moment it is enough to know how
many wait on each side, whoever they are: every figure here is made of these counts.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from service.measure.cases import Codes
from service.measure.survival import Flags, Floats

FROM_THE_START = -1.0
"""The age of an adoption before everything, also before an event at age 0."""


@dataclass(frozen=True)
class Moments:
    """Each moment of an event, in each stratum, while some waited with the asset.

    `at_risk` cases waited just before, `at_risk_with` of them with the asset; `events` of them had
    the event, `events_with` of these with the asset.
    """

    at_risk: Floats
    at_risk_with: Floats
    events: Floats
    events_with: Floats

    @cached_property
    def compared(self) -> "Moments":
        """Those while some waited without it, too: the others say nothing of an effect."""
        both = self.at_risk > self.at_risk_with
        return Moments(
            self.at_risk[both],
            self.at_risk_with[both],
            self.events[both],
            self.events_with[both],
        )


class RiskSets:
    """The moments of the events in each stratum, worked out once for all assets.

    `strata` are codes from 0 on, `ages` days to each case's end or to when it was last seen open,
    `events` marks the ends that are the event. `entries` are the ages at which cases became known
    (None: all from the start on): a case is at risk at t if entry < t <= age, as everywhere in
    `measure`.
    """

    def __init__(
        self, strata: Codes, ages: Floats, events: Flags, entries: Floats | None = None
    ) -> None:
        self._ages = ages
        self._events = events
        self._entries = entries
        # An age as its rank, and stratum and rank as one number: all comparisons are exact.
        self._ranked, rank = np.unique(ages, return_inverse=True)
        self._lowest = strata * (self._ranked.size + 2)
        own = self._lowest + rank + 1
        self._keys, events_at = np.unique(own[events], return_counts=True)
        self._events_at = events_at.astype(np.float64)
        self._until = np.searchsorted(self._keys, own, side="right")
        start = FROM_THE_START if entries is None else entries
        came = self._first(np.arange(ages.size), np.broadcast_to(start, ages.shape))
        self._at_risk = self._running(came, self._until)

    def with_asset(self, cases: Codes, ages: Floats) -> Moments:
        """The moments when these cases are with an asset since these ages.

        Just after its age an adoption counts. A case that adopts at its very end has done so before
        it ended, so its own end counts with the asset, whatever the resolution of the record.
        """
        if self._entries is not None:
            ages = np.maximum(ages, self._entries[cases])
        first = self._first(cases, ages)
        until = self._until[cases]
        there = first < until
        first, until = first[there], until[there]
        at_risk_with = self._running(first, until)
        ended = until[self._events[cases[there]]] - 1
        events_with = np.bincount(ended, minlength=self._keys.size)
        some = np.flatnonzero(at_risk_with)
        return Moments(
            self._at_risk[some],
            at_risk_with[some],
            self._events_at[some],
            events_with[some].astype(np.float64),
        )

    def _first(self, cases: Codes, ages: Floats) -> Codes:
        """The first moment of each case's stratum after an age; at it, if that is the case's own
        last."""
        rank = np.searchsorted(self._ranked, ages, side="right")
        rank -= ages == self._ages[cases]
        found: Codes = np.searchsorted(self._keys, self._lowest[cases] + rank + 1, side="left")
        return found

    def _running(self, came: Codes, left: Codes) -> Floats:
        """How many are there at each moment, who came before it and have not left."""
        size = self._keys.size
        change = np.bincount(came, minlength=size + 1) - np.bincount(left, minlength=size + 1)
        return np.cumsum(change[:size]).astype(np.float64)
