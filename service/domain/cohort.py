"""Which cases are compared: a cohort by name, or the part of it that some conditions pick.

Written `intake`, or `intake[started=2026-H1]`, `intake[evidence=approved-pattern; tier=high]`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_FORM = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<conditions>[^\[\]]*)\])?")
_PERIOD = re.compile(r"(?P<year>[0-9]{4})(?:-(?P<part>H[12]|Q[1-4]|0[1-9]|1[0-2]))?")
_PATHWAY = re.compile(r"(?P<key>[^@]+)@(?P<version>[0-9]{1,6})")
INTAKE = "intake"
"""The cohort of live use cases."""
LONGEST = 400
"""Characters of a written cohort."""
CONDITIONS = "started, unit, tier, pathway, evidence, evidence!"
ADOPTION = frozenset({"asset", "pattern", "adopted", "adoption"})
"""Conditions that somebody would write for cases that took an asset."""


class BadCohort(ValueError):  # noqa: N818 - named for the fact
    """What was written names no cohort; the message says how to write one."""


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment (inclusive) until another (exclusive), with the name it was given."""

    name: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Cohort:
    """A named group of cases, or the part of it that fulfils all conditions that are given.

    `started` is when the case began; `evidence` a kind that was attached to it, for instance a
    pattern of the library, `without_evidence` one that was not; `pathway_version` a version of
    `pathway` (any, if None).
    """

    name: str
    started: Period | None = None
    unit: str | None = None
    tier: str | None = None
    pathway: str | None = None
    pathway_version: int | None = None
    evidence: str | None = None
    without_evidence: str | None = None

    @property
    def by_evidence(self) -> bool:
        """Whether it is picked by what is only attached on the way."""
        return self.evidence is not None or self.without_evidence is not None

    def __str__(self) -> str:
        version = "" if self.pathway_version is None else f"@{self.pathway_version}"
        conditions = {
            "started=": self.started and self.started.name,
            "unit=": self.unit,
            "tier=": self.tier,
            "pathway=": self.pathway and f"{self.pathway}{version}",
            "evidence=": self.evidence,
            "evidence!=": self.without_evidence,
        }
        given = "; ".join(f"{key}{value}" for key, value in conditions.items() if value is not None)
        return f"{self.name}[{given}]" if given else self.name


def cohort_from(written: str) -> Cohort:
    """Read a cohort as people write it; `BadCohort` says what is wrong."""
    match = _FORM.fullmatch(written.strip())
    if match is None or len(written) > LONGEST:
        raise BadCohort("write a cohort as NAME or NAME[condition; condition]")
    given: dict[str, str] = {}
    for condition in filter(None, map(str.strip, (match["conditions"] or "").split(";"))):
        key, equals, value = (part.strip() for part in condition.partition("="))
        if not equals or not value or key in given:
            raise BadCohort(f"{condition!r}: a condition is written once, as key=value")
        given[key] = value
    started = given.pop("started", None)
    pathway, version = _pathway(given.pop("pathway", None))
    cohort = Cohort(
        name=match["name"].strip(),
        started=period_from(started) if started else None,
        unit=given.pop("unit", None),
        tier=given.pop("tier", None),
        pathway=pathway,
        pathway_version=version,
        evidence=given.pop("evidence", None),
        without_evidence=given.pop("evidence!", None),
    )
    if {key.removesuffix("!") for key in given} & ADOPTION:
        raise BadCohort(
            "a case is without an asset until it adopts it, so that cohorts by adoption are not "
            "compared: the report library says what each asset does, from its adoption on"
        )
    if given:
        raise BadCohort(f"there is no condition {', '.join(given)}; there are: {CONDITIONS}")
    return cohort


def period_from(written: str) -> Period:
    """A year (2026), half (2026-H1), quarter (2026-Q3), month (2026-07), or FROM..TO in days with
    both included. Days are UTC. `BadCohort` for anything else."""
    first, dots, last = written.partition("..")
    try:
        if dots:
            begin, end = _day(first), _day(last) + timedelta(days=1)
        else:
            begin, end = _calendar(written)
    except (ValueError, OverflowError):
        raise BadCohort(
            f"{written!r} is no period: write 2026, 2026-H1, 2026-Q3, 2026-07 or "
            "2026-01-15..2026-03-31"
        ) from None
    if end <= begin:
        raise BadCohort(f"{written!r}: the period ends before it begins")
    return Period(written, begin, end)


def quarter_of(moment: datetime) -> Period:
    """The calendar quarter (UTC) in which a moment lies."""
    utc = moment.astimezone(UTC)
    return period_from(f"{utc.year:04d}-Q{(utc.month + 2) // 3}")


def _calendar(written: str) -> tuple[datetime, datetime]:
    match = _PERIOD.fullmatch(written)
    if match is None:
        raise ValueError(written)
    year, part = int(match["year"]), match["part"]
    if part is None:
        return _month(year, 1), _month(year + 1, 1)
    if part[0] == "H":
        month, length = 6 * int(part[1]) - 5, 6
    elif part[0] == "Q":
        month, length = 3 * int(part[1]) - 2, 3
    else:
        month, length = int(part), 1
    return _month(year, month), _month(year, month + length)


def _month(year: int, month: int) -> datetime:
    return datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)


def _day(written: str) -> datetime:
    return datetime.strptime(written.strip(), "%Y-%m-%d").replace(tzinfo=UTC)


def _pathway(written: str | None) -> tuple[str | None, int | None]:
    match = _PATHWAY.fullmatch(written or "")
    return (match["key"].strip(), int(match["version"])) if match else (written, None)
