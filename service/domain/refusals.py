"""Why a move is refused: facts with what the reader needs to act on them."""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus


class Because(StrEnum):
    """What kind of reason a refusal has."""

    NOT_POSSIBLE = "not_possible"
    """Not in this position; something else may have to happen first."""
    NOT_YOURS = "not_yours"
    """Not for this person."""
    BAD_INPUT = "bad_input"
    """Something in the command's own details."""

    @property
    def status(self) -> HTTPStatus:
        """What it is over HTTP."""
        match self:
            case Because.NOT_POSSIBLE:
                return HTTPStatus.CONFLICT
            case Because.NOT_YOURS:
                return HTTPStatus.FORBIDDEN
            case Because.BAD_INPUT:
                return HTTPStatus.UNPROCESSABLE_ENTITY


class Refusal(Exception):  # noqa: N818
    """A move that the lifecycle does not allow. Nothing has changed.

    `detail` is a sentence for people; `about` names the field or thing it is about. Where the
    sentence speaks of a person it does so by id, and `person` is that id.
    """

    because = Because.NOT_POSSIBLE

    def __init__(self, detail: str, about: str = "", *, person: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.about = about
        self.person = person

    def naming(self, name: str) -> "Refusal":
        """The same refusal with the person's name in the sentence."""
        named = Refusal(self.detail.replace(self.person, name), self.about, person=self.person)
        named.because = self.because
        return named


class NotPossible(Refusal):
    """The command has no place in this position."""

    def __init__(self, command: str, position: str, stage: str) -> None:
        words = command.replace("_", " ")
        super().__init__(f"cannot {words} while it is {position.replace('_', ' ')} in {stage}")


class AlreadyClaimed(Refusal):
    """Somebody has it already."""

    def __init__(self, by: str) -> None:
        super().__init__(f"already claimed by {by}", person=by)


class AlreadyApproved(Refusal):
    """The same person cannot approve twice in one stage."""

    def __init__(self, missing: int) -> None:
        super().__init__(f"you have approved already; {missing} more must, and not you")


class Overtaken(Refusal):
    """Something has happened since the caller looked."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"expected sequence {expected}, but it is at {actual}: look again")


class NothingToTakeBack(Refusal):
    """Somebody has moved since, or the last thing that happened cannot be taken back."""

    def __init__(self) -> None:
        super().__init__("there is nothing to take back: something has happened since")


class TooLate(Refusal):
    """The time in which a decision can be taken back is over."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"a decision can be taken back for {seconds} seconds, and they are over")


class EvidenceMissing(Refusal):
    """The stage cannot be left without this evidence; `about` lists the kinds."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        listed = ", ".join(kinds)
        super().__init__(f"evidence is missing: {listed}", listed)


class CertificationMissing(Refusal):
    """The accountable owner, or whoever gives the command, must be certified first; `about` names
    the certificate."""

    def __init__(self, certificate: str, *, of_owner: bool = True) -> None:
        who = "the accountable owner is" if of_owner else "you are"
        super().__init__(f"{who} not certified: {certificate}", certificate)


class TooLong(Refusal):
    """So much has happened, or been written, that only what leads to an end is possible."""

    def __init__(self) -> None:
        super().__init__("enough has happened and been written here: bring it to an end now")


class NotYours(Refusal):
    """This person may not give this command here."""

    because = Because.NOT_YOURS


class BadMove(Refusal):
    """A detail of the command is missing or wrong; `about` is the field."""

    because = Because.BAD_INPUT

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail, field)


@dataclass(frozen=True, slots=True)
class RefusalFacts:
    """A refusal as it travels from the workflow to whoever gave the command."""

    because: Because
    detail: str
    about: str = ""
    person: str = ""

    @classmethod
    def of(cls, refusal: Refusal) -> "RefusalFacts":
        """The facts of a refusal."""
        return cls(refusal.because, refusal.detail, refusal.about, refusal.person)

    def raised(self) -> Refusal:
        """The refusal again, on the other side."""
        refusal = Refusal(self.detail, self.about, person=self.person)
        refusal.because = self.because
        return refusal
