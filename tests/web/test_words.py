"""The catalogue of strings: every key that is asked for is there, and none is left over."""

import re
from pathlib import Path

from service.domain.certification import Effect, RequiredOf
from service.domain.commands import Command
from service.domain.lifecycle import LIFECYCLE, Who
from service.domain.passing import By as Sees
from service.domain.pathway import StageKind
from service.domain.people import Role
from service.domain.standing import Mode, Position
from service.domain.tiering import Tier
from service.effort.hours import TAPS, About
from service.errors import Fault
from service.harness.gates import Gate
from service.harness.judging import Verdict
from service.harness.result import Format
from service.intake.queue import Whose
from service.library.assets import MOVES, Kind, Status
from service.library.effects import EffectVerdict
from service.library.told import What
from service.lighthouses.rules import Criterion, Standing
from service.measure.tiers import Direction
from service.notices.kinds import Kind as NoticeKind
from service.offers.offers import Answer, Change, ForRole, Per
from service.offers.offers import Kind as OfferKind
from service.portfolio.portfolio import Gap, Sort
from service.reach.milestones import Obstacle
from service.reports.question import Grouping as Groups
from service.reports.registry import Name
from service.reviews.reading import CameOut
from service.reviews.rules import Choice, Phase
from service.reviews.rules import Kind as Happened
from service.tries.redone import Why
from service.value.delivered import Quantity
from service.value.evidence import State
from service.value.grades import Method
from service.value.held import Kind as ValueKind
from service.value.terms import Benefit
from service.value.terms import Direction as BetterWay
from web.certification.pages import CERTIFICATE, KIND, REQUIREMENT, WAIVER
from web.certification.pages import DONE as CERTIFICATION_DONE
from web.harness.shown import Brought
from web.history.files import Doing
from web.history.mapping import COLUMNS, DELIMITERS, MORE_COLUMNS, OUTCOMES
from web.history.mapping import Way as MapWay
from web.intake.handing_in import FIELDS, QUESTIONS
from web.intake.queue import By
from web.kit.navigation import PLACES
from web.kit.strings import catalogue, counted, t
from web.library.pages import DONE as LIBRARY_DONE
from web.library.pages import FIELDS as LIBRARY_FIELDS
from web.library.pages import FILTERS as LIBRARY_FILTERS
from web.library.shown import Checked, Taken
from web.lighthouses.pages import DONE as LIGHTHOUSES_DONE
from web.offers.pages import DONE as OFFERS_DONE
from web.offers.pages import FIELDS as OFFERS_FIELDS
from web.portfolio.pages import COLUMNS as PORTFOLIO_COLUMNS
from web.portfolio.pages import FIELDS as PORTFOLIO_FIELDS
from web.portfolio.pages import STATES as PORTFOLIO_STATES
from web.portfolio.pages import TOTAL_HEADS
from web.reach.forms import FIELDS as REACH_FIELDS
from web.reach.shown import Told
from web.reports.pages import FIELDS as REPORT_FIELDS
from web.reports.pages import SUMMARY
from web.reviews.pages import DATES as REVIEWS_DATES
from web.reviews.pages import DONE as REVIEWS_DONE
from web.reviews.pages import FIELDS as REVIEWS_FIELDS
from web.value.forms import CASE, MEASUREMENT
from web.value.shown import Noted

CERTIFICATION_FIELDS = {*REQUIREMENT, *KIND, *CERTIFICATE, *WAIVER, "csv"} - {"replaces"}
VALUE_TERMS = ("kpi", "plan")
VALUE_HINTS = (
    *("observations", "standard_error", "attribution", "quantity", "ramp_months"),
    "milestones",
)
WEB = Path(__file__).parents[2] / "web"
SOURCES = [path.read_text() for path in (*WEB.rglob("*.py"), *WEB.rglob("*.html"))]
PLAIN = re.compile(r"""\bt\(\s*["']([a-z_]+\.[a-z0-9_]+)["']\s*[,)]""")
COUNTED = re.compile(r"""\bcounted\(\s*["']([a-z_]+\.[a-z0-9_]*[a-z0-9])["']""")
ANY = re.compile(r"""["']([a-z_]+\.[a-z0-9_]+)["']""")


def kinds_of(fault: type[Fault]) -> set[type[Fault]]:
    """A kind of fault with all that are of it."""
    return {fault}.union(*(kinds_of(kind) for kind in fault.__subclasses__()))


def composed() -> set[str]:
    """Keys that are put together from a section and a value."""
    by_people = {rule.command for rule in LIFECYCLE if Who.SYSTEM not in rule.who}
    ended = {Position.IN_PRODUCTION, Position.DECLINED, Position.WITHDRAWN, Position.PARKED}
    takes = {name for rule in LIFECYCLE for name in rule.takes}
    simple = {Command.CLAIM, Command.TAKE_BACK, Command.HAND_OVER, Command.GO_LIVE, Command.RESUME}
    simple.add(Command.AGREE)
    decided = {Position.QUEUED, Position.CLAIMED}
    others = {Position.ASKED, Position.REFERRED, Position.REVIEWING, Position.BUILDING}
    others.add(Position.LOWERING)
    assert ended | decided | others == set(Position)
    todo = {f"{position}_{kind}" for position in decided for kind in ("gate", "help")}
    todo |= {*others, "launching", "only_stage"}
    errors = {f"error.{status}" for status in (403, 404, 405, 409, 413, 422, 429, 500)}
    errors |= {f"error.{kind.words}" for kind in kinds_of(Fault) if kind.words}
    errors.add("error.database_away")
    return {
        *(f"tier.{tier}" for tier in Tier),
        *(f"mode.{mode}" for mode in Mode),
        *(f"role.{role}" for role in Role),
        *(f"position.{one}" for one in (*Position, "launching")),
        *(f"use_case.since_{how}" for how in ("open", *(ended - {Position.PARKED}))),
        *(f"command.{command}" for command in by_people),
        *(f"event.{command}" for command in Command),
        *(f"done.{command}" for command in Command),
        *(f"does.{command}" for command in by_people - simple - {Command.RELEASE}),
        "does.approve",
        *(f"act.{name}" for name in takes),
        *(f"move.{position}" for position in ended),
        *(f"todo.{position}" for position in ended),
        *(f"todo.{what}_{whom}" for what in todo for whom in ("you", "they")),
        *(f"field.{name}" for name in FIELDS if name not in {*QUESTIONS, "autonomy"}),
        "missing.evidence",
        *(f"missing.certified_{by}" for by in (Sees.OWNER, Sees.OWNERS, Sees.YOU)),
        *(f"missing.by_{by}" for by in Sees),
        *(f"{error}_{part}" for error in errors for part in ("title", "next")),
        *(place.words for place in PLACES),
        *(f"reports.{name}" for name in Name),
        *(f"reports.field_{name}" for name in REPORT_FIELDS),
        *(f"reports.made_{one}" for one in ("all", "submission", "later")),
        *(f"reports.verdict_{one}" for one in Direction),
        *(f"reports.more_{one}" for one in SUMMARY),
        *(f"reports.effect_{one.name.lower()}" for one in EffectVerdict),
        *(f"reports.by_{by}" for by in Groups if by is not Groups.NOTHING),
        *(f"compare.{word}_{one}" for word in ("column", "without", "short") for one in COLUMNS),
        *(f"compare.{word}_{one}" for word in ("column", "without") for one in MORE_COLUMNS),
        *(f"compare.reason_{one}" for one in (*COLUMNS, *MORE_COLUMNS, "row")),
        *(f"compare.is_{one}" for one in OUTCOMES),
        *(f"compare.delimiter_{one}" for one in DELIMITERS.values()),
        *(f"compare.way_{one}" for one in MapWay),
        *(f"compare.doing_{one}" for one in Doing),
        *(f"library.kind_{one}" for one in Kind),
        *(f"library.status_{one}" for one in (*Status, "any")),
        *(f"library.field_{one}" for one in (*LIBRARY_FIELDS, *LIBRARY_FILTERS, "tiers", "stages")),
        *(f"library.hint_{one}" for one in ("kind", "key", "owner", "text", "links", "tags")),
        *(f"library.hint_{one}" for one in ("tiers", "stages", "rules", "changed", "asset")),
        *(f"library.{word}_{one}" for word in ("do", "means") for one in MOVES),
        *(f"library.done_{one}" for one in (*LIBRARY_DONE, *Taken)),
        *(f"certification.{word}_{one}" for word in ("role", "of", "you") for one in RequiredOf),
        *(f"certification.effect_{one}" for one in Effect),
        *(f"certification.done_{one}" for one in CERTIFICATION_DONE),
        *(f"certification.field_{one}" for one in CERTIFICATION_FIELDS),
        *(f"library.told_{one}" for one in What),
        *(f"offers.kind_{one}" for one in OfferKind),
        *(f"offers.role_{one}" for one in ForRole),
        *(f"offers.{word}_{one}" for word in ("per", "full") for one in Per),
        *(f"offers.left_{per}_{form}" for per in Per for form in ("one", "many")),
        *(f"offers.was_{one}" for one in (*Answer, *Change)),
        *(f"offers.done_{one}" for one in (*OFFERS_DONE, Answer.TAKEN, Answer.DECLINED)),
        *(f"offers.do_{one}" for one in Change),
        *(f"offers.field_{one}" for one in (*OFFERS_FIELDS, "tiers", "reason")),
        *(f"offers.hint_{one}" for one in ("text", "moment", "tiers", "places", "giver")),
        *(f"library.check_{one}" for one in Checked),
        *(f"notices.kind_{one}" for one in NoticeKind),
        *(f"harness.verdict_{one}" for one in Verdict),
        *(f"harness.gate_{one}" for one in Gate if one is not Gate.NONE),
        *(f"harness.format_{one}" for one in Format),
        *(f"harness.field_{one}" for one in ("label", "days", "business_unit")),
        *(f"harness.done_{one}" for one in Brought),
        *(f"reviews.phase_{one}" for one in Phase),
        *(f"reviews.{word}_{one}" for word in ("choice", "means") for one in Choice),
        *(f"reviews.event_{one}" for one in Happened),
        *(f"reviews.out_{one}" for one in CameOut),
        *(f"reviews.state_{one}" for one in State),
        *(f"reviews.done_{one}" for one in REVIEWS_DONE),
        *(f"reviews.field_{one}" for one in (*REVIEWS_FIELDS, *REVIEWS_DATES, "quarter")),
        *(
            f"reviews.{form}{part}"
            for form in ("dates", "close", "lock")
            for part in ("", "_hint", "_do")
        ),
        *(f"portfolio.{one.name}" for one in PORTFOLIO_COLUMNS),
        *(f"portfolio.gap_{one}" for one in Gap),
        *(f"portfolio.by_{one}" for one in ValueKind),
        *(f"portfolio.sort_{one}" for one in Sort if one is not Sort.PROMISED),
        *(f"portfolio.state_{one}" for one in PORTFOLIO_STATES),
        *(f"portfolio.field_{one}" for one in (*PORTFOLIO_FIELDS, "cursor")),
        *(f"portfolio.{one}" for one in TOTAL_HEADS),
        *(f"lighthouses.{word}_{one}" for word in ("criterion", "short") for one in Criterion),
        *(f"lighthouses.standing_{one}" for one in Standing),
        *(f"lighthouses.done_{one}" for one in LIGHTHOUSES_DONE),
        *(f"lighthouses.field_{one}" for one in ("name", "starts_on", "horizon_days", "target")),
        *(f"process.{kind}" for kind in StageKind),
        *(f"process.why_{why}" for why in Why),
        *(f"queue.{one}" for one in Whose),
        *(f"queue.empty_{one}" for one in Whose),
        *(f"queue.by_{one}" for one in By),
        *(f"party.{one}" for one in ("builder", "enablement", "parked")),
        *(f"status.{one}" for one in ("open", "production", "declined", "withdrawn")),
        *(f"value.{name}" for name in (*CASE, *MEASUREMENT, *VALUE_TERMS)),
        *(f"value.hint_{name}" for name in VALUE_HINTS),
        *(f"value.direction_{one}" for one in BetterWay),
        *(f"value.benefit_{one}" for one in Benefit),
        *(f"value.method_{one}" for one in Method),
        *(f"value.quantity_{one}" for one in Quantity),
        *(f"value.state_{one}" for one in State),
        *(f"value.done_{one}" for one in Noted),
        *(f"reach.{name}" for fields in REACH_FIELDS.values() for name in fields),
        *(f"reach.obstacle_{one}" for one in Obstacle),
        *(f"reach.done_{one}" for one in Told),
        *(f"effort.ask_{one}" for one in About),
        *(f"effort.{tap}" for tap in TAPS),
        *(
            f"value.{hint}series_{one}"
            for hint in ("", "hint_")
            for one in ("series", "comparison")
        ),
        *(f"admin.done_{one}" for one in ("added", "changed", "revoked", "signed_out")),
    }


def test_every_string_that_is_asked_for_is_there() -> None:
    there = set(catalogue())
    asked = {key for source in SOURCES for key in PLAIN.findall(source)} | composed()
    asked |= {
        f"{key}_{form}"
        for source in SOURCES
        for key in COUNTED.findall(source)
        for form in ("one", "many")
    }
    assert asked - there == set()
    assert len(asked) > 250


def test_no_string_is_left_over() -> None:
    text = "\n".join(SOURCES)
    named = composed() | set(ANY.findall(text))
    named |= {f"{key}_{form}" for key in set(COUNTED.findall(text)) for form in ("one", "many")}
    # The rest of the key varies; tests/reports/test_tables.py has those of tables.
    prefixes = ("keys.", "hint.", "admin.", "token.wrong_", "column.", "reports.table_")
    left = {key for key in catalogue() if key not in named and not key.startswith(prefixes)}
    assert left == set()


def test_words_are_filled_in_and_never_read_as_a_pattern_again() -> None:
    assert t("move.person", name="{0} {stage}") == "It is {0} {stage}’s move"
    assert counted("use_case.events", 1) == "1 event"
    assert counted("use_case.events", 1200) == "1,200 events"
