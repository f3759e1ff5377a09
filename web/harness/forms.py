"""What the forms of a new token hold."""

from service.errors import BadInput
from service.kinds import LONGEST_NAME
from web.kit.forms import Form


def label_of(form: Form) -> str:
    """What it is for."""
    return short("label", form.text("label"))


def days_of(form: Form) -> int:
    """For how long; how long is too long the service says."""
    days = form.text("days")
    if not (days.isdecimal() and days.isascii() and len(days) < 6):
        raise BadInput("days", "a number of days")
    return int(days)


def short(name: str, text: str) -> str:
    """A field that is not left empty, nor endless."""
    if not text or len(text) > LONGEST_NAME:
        raise BadInput(name, f"say it in up to {LONGEST_NAME} characters")
    return text
