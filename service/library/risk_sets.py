"""Who waits with and who without an asset whenever a case has the event.

A case is without until it adopts and with from then on. So at each moment it is enough to know how
many wait on each side, whoever they are: every figure here is made of these counts.
"""

from dataclasses import dataclass

import numpy as np

from service.library.places import Places
from service.measure.cases import Codes
from service.measure.survival import Flags, Floats


@dataclass(frozen=True)
class Moments:
    """Each moment of an event, in each stratum.

    `at_risk` cases waited just before, `at_risk_with` of them with the asset; `events` of them had
    the event, `events_with` of these with the asset.
    """

    at_risk: Floats
    at_risk_with: Floats
    events: Floats
    events_with: Floats

    @property
    def compared(self) -> "Moments":
        """Those while some waited with the asset and some without: the others say nothing of it."""
        both = (self.at_risk_with > 0.0) & (self.at_risk_with < self.at_risk)
        if both.all():
            return self
        return Moments(
            self.at_risk[both],
            self.at_risk_with[both],
            self.events[both],
            self.events_with[both],
        )


class Ages:
    """The ages at which cases ended or were last seen, and the places of other ages among them.

    `until` has one for each case, in days; `entries` are the ages at which the cases became known
    (None: all from the start on).
    """

    def __init__(self, until: Floats, entries: Floats | None = None) -> None:
        self.until = until
        self._entries = entries
        ordered, place = np.unique(until, return_inverse=True)
        self._ordered = Places(ordered)
        self.different = int(ordered.size)
        """How many different ages there are."""
        self.places = place + 1
        """Of each case: which of all different ages its own is, counted from 1."""
        self.came = np.zeros(until.size, dtype=np.int64)
        """Of each case: how many of them it has not lived, as far as is known."""
        if entries is not None:
            self.came = self._ordered.upto(entries)

    def since(self, cases: Codes, ages: Floats) -> Codes:
        """How many of all ages these cases lived without an asset that they adopted at `ages`.

        Just after its age an adoption counts. A case that adopts at its very end has done so before
        it ended, so that its own end counts with the asset, however coarse the record is.
        ValueError for an adoption after the end of its case.
        """
        until = self.until[cases]
        if (ages > until).any():
            raise ValueError("an asset that is adopted after the end has no effect on it")
        place: Codes = self._ordered.upto(ages) - (ages == until)
        return place if self._entries is None else np.maximum(place, self.came[cases])


class RiskSets:
    """The moments of the events in each stratum, worked out once for all assets.

    `strata` are codes from 0 on, `events` marks the cases whose end is the event. A case is at risk
    at t if it was known before t and lived until t or longer, as everywhere in `measure`.
    """

    def __init__(self, strata: Codes, ages: Ages, events: Flags) -> None:
        self._events = events
        # Stratum and place of the age as one number: all comparisons are exact.
        self._before = strata * (ages.different + 1)
        own = self._before + ages.places
        keys, events_at = np.unique(own[events], return_counts=True)
        self._keys = Places(keys)
        self._events_at = events_at.astype(np.float64)
        self._until = self._keys.upto(own)
        self._came = self._keys.upto(self._before + ages.came)
        self._at_risk = self._running(self._came, self._until)

    def with_asset(self, cases: Codes, since: Codes | None = None) -> Moments:
        """The moments while some of these cases were with an asset: `since` as `Ages.since` has it,
        None if from the start on."""
        until = self._until[cases]
        lived = None if since is None else self._before[cases] + since
        came = self._came[cases] if lived is None else self._keys.upto(lived)
        ended = until[self._events[cases]] - 1
        events_with = np.bincount(ended, minlength=self._events_at.size).astype(np.float64)
        return Moments(self._at_risk, self._running(came, until), self._events_at, events_with)

    def _running(self, came: Codes, left: Codes) -> Floats:
        """How many are there at each moment, who came before it and have not left."""
        size = self._events_at.size
        change = np.bincount(came, minlength=size + 1) - np.bincount(left, minlength=size + 1)
        return np.cumsum(change[:size], dtype=np.float64)
