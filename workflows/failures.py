"""How a workflow says that a move is refused, and how whoever sent it reads that."""

from pydantic import TypeAdapter
from temporalio.exceptions import ApplicationError

from service.domain.refusals import Refusal, RefusalFacts

REFUSED = "Refused"
"""Type of the failure that carries `RefusalFacts`."""
FACTS: TypeAdapter[RefusalFacts] = TypeAdapter(RefusalFacts)


def refused(refusal: Refusal) -> ApplicationError:
    """A refusal as a workflow's failure."""
    return ApplicationError(
        refusal.detail, RefusalFacts.of(refusal), type=REFUSED, non_retryable=True
    )


def refusal_in(cause: BaseException | None) -> Refusal | None:
    """The refusal that a failure was caused by; None where it was something else."""
    if isinstance(cause, ApplicationError) and cause.type == REFUSED:
        return FACTS.validate_python(cause.details[0]).raised()
    return None
