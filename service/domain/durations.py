"""How long something took, in words. Under a day that is hours and minutes: never 0 days."""

MINUTES = 24 * 60
MINUS = "\N{MINUS SIGN}"


def duration(days: float) -> str:
    """A number of days as a sentence has it: 3.2 days, 1 day, 5 h 30 min, <1 min."""
    sign, size = (MINUS, -days) if days < 0 else ("", days)
    if _is_short(size):
        return _short(size, sign)
    text = f"{size:,.0f}" if size >= 99.95 else f"{size:.1f}".removesuffix(".0")
    return f"{sign}{text} {'day' if text == '1' else 'days'}"


def figure(days: float) -> str:
    """The same where a heading says that these are days: 3.2, 1,250, 3.2M, but 5 h 30 min."""
    sign, size = (MINUS, -days) if days < 0 else ("", days)
    if _is_short(size):
        return _short(size, sign)
    if size >= 999_950:
        return f"{sign}{size / 1e6:,.1f}M"
    return f"{sign}{size:,.0f}" if size >= 9.95 else f"{sign}{size:.1f}"


def label(days: float, unit: str = "d") -> str:
    """The same with its unit, as on a picture: 3.2 d, 5 h 30 min."""
    return figure(days) if is_short(days) else f"{figure(days)} {unit}"


def between(low: float, high: float) -> str:
    """From one to another: 4.1 to 8.9; with units, if one of the two is short."""
    if is_short(low) or is_short(high):
        return f"{label(low)} to {label(high)}"
    return f"{figure(low)} to {figure(high)}"


def is_short(days: float) -> bool:
    """Whether it is said in hours and minutes."""
    return _is_short(abs(days))


def _is_short(days: float) -> bool:
    return round(days * MINUTES) < MINUTES


def _short(days: float, sign: str) -> str:
    minutes = round(days * MINUTES)
    if minutes == 0:
        return "0 min" if days == 0 else "<1 min"  # too little to tell more from less
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] * (hours > 0) + [f"{rest} min"] * (rest > 0)
    return sign + " ".join(parts)
