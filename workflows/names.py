"""Names on the wire: of workflows, updates, queries and activities."""

from enum import StrEnum


class Name(StrEnum):
    """Names on the wire. They outlive the functions that carry them today."""

    WORKFLOW = "use-case"
    DECIDE = "decide"
    STANDING = "standing"
    KNOWN = "known"
    RECORD = "record-transitions"
    LOCK_QUARTERS = "lock-quarters"
    REVIEW = "value-review"
    MOVE_REVIEW = "move-review"
    REVIEW_STANDING = "review-standing"
    RECORD_REVIEW = "record-review"
    OPEN_REVIEW = "open-review"
