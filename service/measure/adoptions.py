"""Who took an asset of the library, and when on the way."""

from dataclasses import dataclass

from service.measure.cases import Codes
from service.measure.survival import Floats


@dataclass(frozen=True)
class Adoptions:
    """The cases that adopted one asset: their rows in `Cases`, each once, and `ages` in days.

    An age runs from the case's start; 0 is the start itself, and none is beyond the case's
    `duration_days`: an asset that is taken afterwards has not made anything faster or slower.
    """

    asset: str
    cases: Codes
    ages: Floats
