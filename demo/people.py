"""The people of the sample organisation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.people import ENABLEMENT, Person, Role
from service.people.directory import add_person

DOMAIN = "demo.headway.example"
ORGANISATION = "Sample Mutual"
CERTIFIED = ("responsible-ai",)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the sample organisation, before they are added."""

    name: str
    role: Role
    party: str | None = None
    certifications: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Their first name, as the ideas name their owner."""
        return self.name.split()[0].lower()

    @property
    def email(self) -> str:
        """Where nobody reads."""
        return f"{'.'.join(self.name.lower().split())}@{DOMAIN}"


MEMBERS = (
    Member("Amara Nkosi", Role.BUILDER, certifications=CERTIFIED),
    Member("Tomas Horak", Role.BUILDER, certifications=CERTIFIED),
    Member("Lucia Ferreira", Role.BUILDER),
    Member("Noah Adler", Role.BUILDER, certifications=CERTIFIED),
    Member("Mei Tanaka", Role.BUILDER),
    Member("Ravi Menon", Role.BUILDER, certifications=CERTIFIED),
    Member("Greta Lund", Role.ENABLER),
    Member("Samuel Okoro", Role.ENABLER),
    Member("Ines Duarte", Role.ENABLER),
    Member("Pavel Sokol", Role.ENABLER),
    Member("Hanna Weiss", Role.REVIEWER, party="risk"),
    Member("Omar Haddad", Role.REVIEWER, party="risk"),
    Member("Claire Moreau", Role.REVIEWER, party="legal"),
    Member("Jonas Beck", Role.REVIEWER, party="legal"),
    Member("Edith Vance", Role.LEADER),
)


@dataclass(frozen=True, slots=True)
class Cast:
    """The sample organisation's people, once they have been added."""

    builders: Mapping[str, Person]
    """By first name."""
    holders: Mapping[str, Sequence[Person]]
    """Who may act for enablement, and for each third party."""
    everyone: Sequence[Person]
    certified: Mapping[str, tuple[str, ...]]
    """By id, what each holds."""


async def add_people(session: AsyncSession, *, at: datetime) -> Cast:
    """Let the sample organisation in. `Conflict` when one of its emails is taken."""
    people: dict[Member, Person] = {}
    for member in MEMBERS:
        people[member] = await add_person(
            session,
            name=f"{member.name} (sample)",
            email=member.email,
            roles=[member.role],
            party=member.party,
            at=at,
            sample=True,
        )
    return cast_of(people)


def cast_of(people: Mapping[Member, Person]) -> Cast:
    """Who plays what."""
    holders: dict[str, list[Person]] = {}
    for member, person in people.items():
        if member.role is Role.ENABLER:
            holders.setdefault(ENABLEMENT, []).append(person)
        elif member.party is not None:
            holders.setdefault(member.party, []).append(person)
    builders = {
        member.key: person for member, person in people.items() if member.role is Role.BUILDER
    }
    certified = {person.id: member.certifications for member, person in people.items()}
    return Cast(builders, holders, tuple(people.values()), certified)
