"""Event maps: how another system's events become cases on clocks. Data in TOML."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from service.domain.case import Outcome
from service.domain.naming import fold, key_of
from service.domain.standing import Mode
from service.history.csv.errors import MapError
from service.history.csv.maps import SHIPPED as MAPS
from service.history.csv.maps import (
    UTF8,
    Dates,
    Table,
    TextSource,
    map_text,
    read_dates,
    read_delimiter,
    read_encoding,
    read_started_from,
    read_text_source,
    read_word,
    shipped_in,
)
from service.history.csv.toml import read_toml

SHIPPED = MAPS / "events"
OF_CASE = "case:"
"""What the name of a trace's attribute begins with, next to those of its events."""

_TOP = (
    *("description", "encoding", "delimiter", "snapshot", "dates", "case_id", "cohort"),
    *("tier", "business_unit", "observed_until", "activity", "timestamp", "lifecycle", "instance"),
    *("stage", "holder", "outcome", "rework", "started"),
)


class Move(StrEnum):
    """What an event says about its activity."""

    SCHEDULE = "schedule"
    ASSIGN = "assign"
    START = "start"
    SUSPEND = "suspend"
    RESUME = "resume"
    COMPLETE = "complete"
    ENTER = "enter"
    """The case is there from now on: an event of a log of states (`States.ENTERED`)."""


STANDARD_WORDS: Mapping[str, Move] = {
    "schedule": Move.SCHEDULE,
    "assign": Move.ASSIGN,
    "reassign": Move.ASSIGN,
    "start": Move.START,
    "suspend": Move.SUSPEND,
    "resume": Move.RESUME,
    "complete": Move.COMPLETE,
    "autoskip": Move.COMPLETE,
    "manualskip": Move.COMPLETE,
    "withdraw": Move.COMPLETE,
    "ate_abort": Move.COMPLETE,
    "pi_abort": Move.COMPLETE,
    "unknown": Move.COMPLETE,
    "": Move.COMPLETE,
}
"""The words of XES's standard lifecycle, and none at all."""


class Unlisted(StrEnum):
    """What to do with an event that no rule fits."""

    KEEP = "keep"
    IGNORE = "ignore"
    REJECT = "reject"


class States(StrEnum):
    """What an event names: what was done until then, or where the case is from then on."""

    ENDED = "ended"
    ENTERED = "entered"


class Rework(StrEnum):
    """Which time counts as rework where no event and no rule says."""

    RETURNS = "returns"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ActivityRule:
    """What the events that it fits mean; it fits if every part of `when` does.

    `when` lists, per column, the folded keys that fit. `stage` and `holder` None: as the map's
    sources say. `mode` is that of the time before a completion that has no
    start, or that of a status that is entered. `outcome` ends
    the case; `outcome_if_last` does so where nothing follows. `reject` is a reason, and so is
    `reject_if_first`, for a case whose beginning is not in the log.
    """

    when: Mapping[str, frozenset[str]]
    ignore: bool = False
    reject: str = ""
    stage: str | None = None
    holder: str | None = None
    mode: Mode = Mode.WAITING
    outcome: Outcome | None = None
    outcome_if_last: Outcome | None = None
    reject_if_first: str = ""
    rework: bool | None = None


# Tools that keep a log as a table write "nan" and "NaT" where an attribute was not given.
_OWN_OUTCOME = TextSource(
    ("headway:outcome",),
    values={"nan": Outcome.OPEN.value, **{outcome.value: outcome.value for outcome in Outcome}},
    blank=Outcome.OPEN.value,
)


@dataclass(frozen=True, slots=True)
class EventMap:
    """How one kind of event log becomes cases.

    A column is a column of a CSV file, or an attribute of an XES event; one whose name begins with
    `case:` is an attribute of the trace. `snapshot` is the moment that the log describes.
    `started_from` names cohorts by when a case started, in the order of time. `started` is the
    column of when the work began that an event completes.
    """

    name: str = "Headway's own event log"
    encoding: str = UTF8
    delimiter: str = ","
    snapshot: datetime | None = None
    dates: Dates = field(default_factory=lambda: Dates(none=frozenset({"nat"})))
    case_id: str = "case:concept:name"
    activity: str = "concept:name"
    timestamp: str = "time:timestamp"
    lifecycle: TextSource = field(
        default_factory=lambda: TextSource(("lifecycle:transition",), blank="complete")
    )
    instance: str = "concept:instance"
    stage: TextSource = field(default_factory=lambda: TextSource(("concept:name",)))
    holder: TextSource = field(default_factory=lambda: TextSource(("org:group",)))
    rules: tuple[ActivityRule, ...] = ()
    unlisted: Unlisted = Unlisted.KEEP
    status: States = States.ENDED
    started: str | None = None
    outcome: TextSource | None = field(default_factory=lambda: _OWN_OUTCOME)
    rework: Rework = Rework.NONE
    rework_column: str | None = "headway:rework"
    cohort: TextSource = field(default_factory=lambda: TextSource(("case:headway:cohort",)))
    started_from: tuple[tuple[datetime, str], ...] = ()
    tier: TextSource = field(default_factory=lambda: TextSource(("case:headway:tier",)))
    business_unit: TextSource = field(
        default_factory=lambda: TextSource(("case:headway:business_unit",), blank="")
    )
    observed_until: str | None = "case:headway:observed_until"

    def with_cohort(self, name: str) -> Self:
        """This map with every case in the cohort `name`, whatever the log says."""
        return replace(self, cohort=TextSource(constant=name), started_from=())

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is looked at, but for the case id."""
        sources = [self.lifecycle, self.stage, self.holder, self.cohort, self.tier]
        sources += [self.business_unit, *([self.outcome] if self.outcome else [])]
        named = [self.activity, self.timestamp, self.instance]
        named += [
            name
            for name in (self.rework_column, self.observed_until, self.started)
            if name is not None
        ]
        named += [name for source in sources for name in source.columns]
        named += [name for rule in self.rules for name in rule.when]
        return tuple(dict.fromkeys(named))


OWN = EventMap()
"""Reads what `write_xes` and `write_csv` write; needs no file."""

_PLAIN = EventMap(
    holder=TextSource(("org:group", "org:role", "org:resource")),
    outcome=None,
    rework=Rework.RETURNS,
    rework_column=None,
    cohort=TextSource(("case:cohort", "cohort")),
    tier=TextSource(("case:tier", "tier")),
    business_unit=TextSource(("case:business_unit", "business_unit"), blank=""),
    observed_until=None,
)
"""What a map leaves unsaid."""


def shipped_event_maps() -> tuple[str, ...]:
    """The names of the event maps that come with Headway."""
    return shipped_in(SHIPPED)


def load_event_map(name_or_path: str) -> EventMap:
    """The shipped map of that name, or the one in that TOML file.

    Raises `MapError` if there is none or it is not valid.
    """
    return parse_event_map(*map_text(SHIPPED, name_or_path, "event map"))


def parse_event_map(text: str, name: str) -> EventMap:
    """The map that a TOML text describes; raises `MapError` naming the key that is wrong."""
    raw = read_toml(text, name)
    try:
        return _map(Table(raw, ""), name)
    except MapError as error:
        raise MapError(f"map {name}: {error}") from None


def _map(top: Table, name: str) -> EventMap:
    top.allow(*_TOP)
    top.text("description")
    found = replace(
        _PLAIN,
        name=name,
        encoding=read_encoding(top),
        delimiter=read_delimiter(top),
        snapshot=top.snapshot(),
        dates=read_dates(top),
        case_id=_column(top, "case_id", _PLAIN.case_id),
        timestamp=_column(top, "timestamp", _PLAIN.timestamp),
        instance=_column(top, "instance", _PLAIN.instance),
        observed_until=_column(top, "observed_until", "") or None,
        started=_column(top, "started", "") or None,
        stage=_source(top, "stage", _PLAIN.stage),
        holder=_source(top, "holder", _PLAIN.holder),
        tier=_source(top, "tier", _PLAIN.tier),
        business_unit=_source(top, "business_unit", _PLAIN.business_unit),
        lifecycle=_lifecycle(top),
        outcome=_outcomes(top),
    )
    return _rework(top, _cohorts(top, _activities(top, found)))


def _column(top: Table, key: str, otherwise: str) -> str:
    table = top.table(key)
    if table is None:
        return otherwise
    table.allow("column")
    column = table.text("column")
    if column is None or not fold(column):
        raise MapError(f"{key}.column: is needed")
    return column


def _source(top: Table, key: str, otherwise: TextSource) -> TextSource:
    table = top.table(key)
    return otherwise if table is None else read_text_source(table)


def _lifecycle(top: Table) -> TextSource:
    table = top.table("lifecycle")
    if table is None:
        return _PLAIN.lifecycle
    source = read_text_source(table)
    results = [source.constant, source.otherwise, source.blank, *(source.values or {}).values()]
    for result in results:
        if result is not None and result.casefold() not in STANDARD_WORDS:
            raise MapError(
                f"lifecycle: {result!r} is none of {', '.join(filter(None, STANDARD_WORDS))}"
            )
    return source if source.blank is not None else replace(source, blank="complete")


def _outcomes(top: Table) -> TextSource | None:
    table = top.table("outcome")
    if table is None:
        return None
    source = read_text_source(table)
    results = [source.constant, source.otherwise, source.blank, *(source.values or {}).values()]
    for result in results:
        if result is not None:
            _outcome(result, "outcome")
    return source if source.blank is not None else replace(source, blank="open")


def _activities(top: Table, found: EventMap) -> EventMap:
    table = top.table("activity")
    if table is None:
        return found
    table.allow("column", "unlisted", "status", "rules")
    rules: tuple[ActivityRule, ...] = ()
    if "rules" in table.raw:
        raw = table.raw["rules"]
        if not isinstance(raw, list) or not raw or not all(isinstance(item, dict) for item in raw):
            raise MapError("activity.rules: must be tables, each under [[activity.rules]]")
        rules = tuple(
            _rule(Table(item, f"activity.rules[{i}]")) for i, item in enumerate(raw, start=1)
        )
    default = Unlisted.REJECT if rules else Unlisted.KEEP
    column = table.text("column") or found.activity
    stage = found.stage if "stage" in top.raw else TextSource((column,))
    status = read_word(table, "status", States, States.ENDED)
    if status is States.ENTERED and found.started:
        raise MapError("started: an event that enters a status completes no work")
    return replace(
        found,
        activity=column,
        stage=stage,
        rules=rules,
        unlisted=read_word(table, "unlisted", Unlisted, default),
        status=status,
    )


def _rule(table: Table) -> ActivityRule:
    table.allow(
        *("when", "ignore", "reject", "stage", "holder", "mode"),
        *("outcome", "outcome_if_last", "reject_if_first", "rework"),
    )
    conditions = table.table("when")
    if conditions is None or not conditions.raw:
        raise MapError(f"{table.at('when')}: is needed: which events the rule fits")
    when = {
        column: frozenset(key_of(word) for word in conditions.texts(column))
        for column in conditions.raw
    }
    if _flag(table, "ignore") or "reject" in table.raw:
        if len(table.raw) > 2:
            raise MapError(f"{table.place}: ignore and reject go with when only, one of the two")
        reason = table.text("reject")
        if reason is not None and not fold(reason):
            raise MapError(f"{table.at('reject')}: is blank; say the reason")
        return ActivityRule(when, ignore=reason is None, reject=fold(reason or ""))
    ends, ends_if_last = _end(table, "outcome"), _end(table, "outcome_if_last")
    if ends is not None and ends_if_last is not None:
        raise MapError(f"{table.place}: give outcome or outcome_if_last, not both")
    return ActivityRule(
        when,
        stage=_name(table, "stage"),
        holder=_name(table, "holder"),
        mode=read_word(table, "mode", Mode, Mode.WAITING),
        outcome=ends,
        outcome_if_last=ends_if_last,
        reject_if_first=_name(table, "reject_if_first") or "",
        rework=_flag(table, "rework"),
    )


def _cohorts(top: Table, found: EventMap) -> EventMap:
    table = top.table("cohort")
    if table is None:
        return found
    starts = table.table("started_from")
    if starts is None:
        return replace(found, cohort=read_text_source(table))
    table.allow("started_from")
    return replace(found, cohort=TextSource(), started_from=read_started_from(starts))


def _rework(top: Table, found: EventMap) -> EventMap:
    table = top.table("rework")
    if table is None:
        return found
    table.allow("column", "rule")
    column = table.text("column")
    if column is not None and not fold(column):
        raise MapError("rework.column: is blank")
    default = Rework.RETURNS if column is None else Rework.NONE
    return replace(found, rework_column=column, rework=read_word(table, "rule", Rework, default))


def _flag(table: Table, key: str) -> bool | None:
    value = table.raw.get(key)
    if value is not None and not isinstance(value, bool):
        raise MapError(f"{table.at(key)}: must be true or false")
    return value


def _name(table: Table, key: str) -> str | None:
    value = table.text(key)
    if value is not None and not fold(value):
        raise MapError(f"{table.at(key)}: is blank")
    return None if value is None else fold(value)


def _end(table: Table, key: str) -> Outcome | None:
    word = table.text(key)
    if word is None:
        return None
    outcome = _outcome(word, table.at(key))
    if outcome is Outcome.OPEN:
        raise MapError(f"{table.at(key)}: a case is open as long as nothing ends it; leave it out")
    return outcome


def _outcome(word: str, place: str) -> Outcome:
    try:
        return Outcome(word.casefold())
    except ValueError:
        raise MapError(f"{place}: {word!r} is none of {', '.join(Outcome)}") from None
