"""Where one can go: the pages in the order of the bar, each for whom it is."""

from collections.abc import Callable
from dataclasses import dataclass

from service.domain.people import Person, Role
from service.domain.permissions import Right, may, reads_everything


@dataclass(frozen=True, slots=True)
class Place:
    """A page in the bar. `words` is the key of its name."""

    path: str
    words: str
    for_whom: Callable[[Person], bool]


def _decides(person: Person) -> bool:
    return bool(person.roles & {Role.ENABLER, Role.REVIEWER})


def _builds(person: Person) -> bool:
    return may(person.actor, Right.SUBMIT)


def _everybody(person: Person) -> bool:
    return True


PLACES = (
    Place("/queue", "nav.queue", _decides),
    Place("/new", "nav.new", _builds),
    Place("/use-cases", "nav.use_cases", _everybody),
    Place("/library", "nav.library", _everybody),
    Place("/board", "nav.board", lambda person: reads_everything(person.actor)),
    Place("/reports", "nav.reports", lambda person: may(person.actor, Right.READ_REPORTS)),
    Place("/portfolio", "nav.portfolio", lambda person: may(person.actor, Right.READ_REPORTS)),
    Place("/reviews", "nav.reviews", lambda person: may(person.actor, Right.READ_REPORTS)),
    Place("/lighthouses", "nav.lighthouses", lambda person: may(person.actor, Right.READ_REPORTS)),
    Place("/compare", "nav.compare", lambda person: may(person.actor, Right.READ_REPORTS)),
    Place("/admin", "nav.admin", lambda person: may(person.actor, Right.MANAGE_PEOPLE)),
)


@dataclass(frozen=True, slots=True)
class Link:
    """A place as it is shown to somebody who is at `path`."""

    path: str
    words: str
    here: bool


def navigation(person: Person, path: str) -> tuple[Link, ...]:
    """The places that are for this person."""
    return tuple(
        Link(place.path, place.words, path == place.path or path.startswith(place.path + "/"))
        for place in PLACES
        if place.for_whom(person)
    )


def home(person: Person) -> str:
    """The page that somebody begins on."""
    if _decides(person):
        return "/queue"
    if _builds(person):
        return "/use-cases"
    return "/reports" if may(person.actor, Right.READ_REPORTS) else "/use-cases"
