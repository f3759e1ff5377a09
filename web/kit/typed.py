"""What people type into forms: numbers as they write them, and what is wrong in plain words."""

import re
from collections.abc import Mapping
from typing import Any

from service.errors import BadInput
from service.kinds import LONGEST_PROSE
from web.kit.strings import t

NUMBER = re.compile(r"-?(\d+|\d{1,3}([,  '’]\d{3})+)(\.\d+)?")


def number(text: str) -> float | None:
    """A number as people write one, with or without marks between the thousands; None if it is
    none."""
    return float(re.sub(r"[,  '’]", "", text)) if NUMBER.fullmatch(text) else None


def legible(name: str, text: str, longest: int = LONGEST_PROSE) -> str:
    """What was typed into a field. `BadInput` where it is too long or cannot be stored."""
    if len(text) > longest:
        raise BadInput(name, f"keep it under {longest} characters")
    if any(mark < " " and mark not in "\t\n\r" for mark in text):
        raise BadInput(name, "control characters cannot be stored")
    return text


def in_words(kind: str, context: Mapping[str, Any]) -> str | None:
    """What is wrong with a field, from pydantic's kind of error and its context; None where more
    has to be known of the field."""
    if kind == "string_too_short":
        return t("new.missing")
    if kind == "string_too_long":
        return t("new.too_long", most=context.get("max_length", ""))
    if kind == "greater_than":
        return t("new.not_above", least=f"{context['gt']:g}")
    if kind == "greater_than_equal":
        return t("new.too_small", least=f"{context['ge']:g}")
    if kind in {"less_than", "less_than_equal"}:
        return t("new.too_large", most=f"{context.get('lt', context.get('le')):,.0f}")
    if kind == "too_long":
        return t("new.too_many", most=context.get("max_length", ""))
    return None
