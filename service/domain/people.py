"""Who acts: roles, parties and the person behind a command."""

from dataclasses import dataclass
from enum import StrEnum

BUILDER = "builder"
ENABLEMENT = "enablement"
PARKED = "parked"
SYSTEM = "system"

RESERVED_PARTIES = frozenset({BUILDER, ENABLEMENT, PARKED, SYSTEM})
"""Names that no third party can take: they are sides of the chess clock already."""


class Role(StrEnum):
    """What a person does here. One person may have several roles."""

    BUILDER = "builder"
    ENABLER = "enabler"
    REVIEWER = "reviewer"
    LEADER = "leader"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person as the rules see them: an id, roles, and the third party a reviewer speaks for."""

    person_id: str
    roles: frozenset[Role] = frozenset()
    party: str | None = None

    def belongs_to(self, holder: str) -> bool:
        """Whether this person is one of those who hold a stage: enablement, or a third party."""
        if holder == ENABLEMENT:
            return Role.ENABLER in self.roles
        return Role.REVIEWER in self.roles and self.party == holder

    @property
    def parties(self) -> tuple[str, ...]:
        """The holders that this person is one of, apart from the builder."""
        found = (ENABLEMENT,) if Role.ENABLER in self.roles else ()
        return (*found, self.party) if Role.REVIEWER in self.roles and self.party else found


THE_SYSTEM = Actor(SYSTEM)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uses Headway."""

    id: str
    name: str
    email: str
    roles: frozenset[Role]
    party: str | None = None
    active: bool = True

    @property
    def actor(self) -> Actor:
        """This person as the rules see them."""
        return Actor(self.id, self.roles, self.party)
