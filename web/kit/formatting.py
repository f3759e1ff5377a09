"""How values are written on the pages. Templates call these by name."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from service.domain.durations import label as label  # noqa: PLC0414 - for templates
from web.kit.strings import t

_DAY = timedelta(days=1)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second: for machines, and for whoever points at a time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(at: datetime) -> str:
    """A time as it stands until the script writes it in the reader's own time zone."""
    return f"{at.astimezone(UTC):%d %b %Y, %H:%M} UTC".lstrip("0")


def day(of: date) -> str:
    """A day."""
    return f"{of:%d %b %Y}".lstrip("0")


def how_long(time: timedelta) -> str:
    """A stretch of time in its two largest units."""
    seconds = max(int(time.total_seconds()), 0)
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes = rest // 60
    if days >= 10:
        return t("time.days", days=f"{days:,}")
    if days:
        words = t("time.day" if days == 1 else "time.days", days=days)
        return f"{words} {t('time.hours', hours=hours)}" if hours else words
    if hours:
        words = t("time.hours", hours=hours)
        return f"{words} {t('time.minutes', minutes=minutes)}" if minutes else words
    return t("time.minutes", minutes=minutes) if minutes else t("time.moment")


def about(time: timedelta) -> str:
    """A stretch of time in whole days, if it is a day at least."""
    return how_long(time) if time < _DAY else how_long(_DAY * round(time / _DAY))


def target(time: timedelta) -> str:
    """A target, which is always whole or half days."""
    days = time.total_seconds() / 86_400
    return t("time.day" if days == 1 else "time.days", days=f"{days:g}")


def number(value: float) -> str:
    """A number with thousands separated, and no decimals that say nothing."""
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


def percent(share: float) -> str:
    """A share of 1."""
    return f"{share:.0%}" if share == 0 or share >= 0.01 else "<1%"


def width(share: float) -> str:
    """A share of 1 as an SVG length."""
    return f"{100 * share:.4f}%"


def is_web_address(reference: str) -> bool:
    """Whether evidence can be opened with a click: nothing but the web is made into a link."""
    try:
        parts = urlsplit(reference.strip())
    except ValueError:
        return False
    return parts.scheme.lower() in {"http", "https"} and bool(parts.netloc)


def sentence(detail: str) -> str:
    """A fact from the service or the domain as a sentence of its own. One that begins with an
    email address keeps it as it is."""
    if "@" not in detail.partition(" ")[0]:
        detail = detail[:1].upper() + detail[1:]
    return detail if detail.endswith((".", "?", "!")) else detail + "."


def together(words: str) -> str:
    """The words with the keys of use cases kept on one line."""
    return words.replace("UC-", "UC\N{NON-BREAKING HYPHEN}")
