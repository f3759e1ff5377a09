"""Which adoptions are checked afterwards: a draw that anybody can make again."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

OF = 2**64


@dataclass(frozen=True, slots=True)
class Draw:
    """How adoptions are drawn: the share of them, 0 to 1, and a seed."""

    share: float
    seed: str

    def takes(self, asset: str, number: int, case_id: str, adopted_at: datetime) -> bool:
        """Whether an adoption is in the sample: a version of an asset, taken by a case at a moment.

        The first 64 bits of SHA-256 of the seed and these four, a line each, lie under the share.
        The moment is the server's, to the microsecond: nobody knows before whether theirs will be.
        """
        lines = (self.seed, asset, str(number), case_id, adopted_at.astimezone(UTC).isoformat())
        digest = hashlib.sha256("\n".join(lines).encode()).digest()
        return int.from_bytes(digest[:8]) < self.share * OF
