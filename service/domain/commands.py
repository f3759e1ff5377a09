"""The commands of the lifecycle."""

from enum import StrEnum


class Command(StrEnum):
    """What can be done to a use case."""

    SUBMIT = "submit"
    CLAIM = "claim"
    RELEASE = "release"
    ASSIGN = "assign"
    ASK = "ask"
    ANSWER = "answer"
    REFER = "refer"
    RETURN = "return"
    RECALL = "recall"
    APPROVE = "approve"
    HAND_OVER = "hand_over"
    SEND_BACK = "send_back"
    ATTACH = "attach"
    PARK = "park"
    RESUME = "resume"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    CHANGE_TIER = "change_tier"
    AGREE = "agree"
    REFUSE = "refuse"
    TRANSFER = "transfer"
    GO_LIVE = "go_live"
    TAKE_BACK = "take_back"
    PASS = "pass"  # noqa: S105
    REMIND = "remind"
    ESCALATE = "escalate"
