"""What people type into forms: numbers as they write them, and what is wrong in plain words."""

import re
from collections.abc import Mapping
from typing import Any

from web.kit.strings import t

NUMBER = re.compile(r"-?(\d+|\d{1,3}([,  '’]\d{3})+)(\.\d+)?")


def number(text: str) -> float | None:
    """A number as people write one, with or without marks between the thousands; None if it is
    none."""
    return float(re.sub(r"[,  '’]", "", text)) if NUMBER.fullmatch(text) else None


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
