"""A pathway: the ordered stages that a use case of one tier goes through."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from service.domain.people import BUILDER, ENABLEMENT, PARKED, SYSTEM
from service.domain.tiering import Tier

APPROVED_PATTERN = "approved-pattern"
"""The evidence that a use case follows a pattern that enablement has published."""
HARNESS_PASS = "harness-pass"  # noqa: S105 - no password
"""The evidence that a run of a harness that enablement has published passed by its rules."""
EVALUATION_REPORT = "evaluation-report"
"""The evidence that somebody has evaluated it."""
MEASUREMENT_PLAN = "measurement-plan"
"""The evidence that somebody has said how, by whom and from when the value will be measured."""


class StageKind(StrEnum):
    """What a stage is for."""

    GATE = "gate"
    """A decision that somebody waits for."""
    HELP = "help"
    """Work that enablement does with the builder."""
    BUILD = "build"
    """The builder builds."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a pathway.

    `target` counts only time on the holder's own clock. `evidence` are the kinds that must be
    attached before the stage is left. A gate whose `passes_with` kinds have all been attached by
    enablement (and not as an owner) is passed without waiting for a human. `certification` is what
    the accountable owner must hold before the gate can be approved.
    """

    key: str
    title: str
    kind: StageKind
    holder: str
    target: timedelta
    approvers: int = 1
    evidence: tuple[str, ...] = ()
    certification: str | None = None
    passes_with: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        builds = self.kind is StageKind.BUILD
        if builds != (self.holder == BUILDER):
            raise ValueError(f"stage {self.key}: builders hold build stages, and only those")
        if self.holder in {PARKED, SYSTEM}:
            raise ValueError(f"stage {self.key}: nobody can hold it as {self.holder!r}")
        if self.kind is StageKind.HELP and self.holder != ENABLEMENT:
            raise ValueError(f"stage {self.key}: help is given by enablement")
        if self.approvers < 1 or (self.approvers > 1 and self.kind is not StageKind.GATE):
            raise ValueError(f"stage {self.key}: {self.approvers} approvers")
        if self.kind is not StageKind.GATE and (self.passes_with or self.certification):
            raise ValueError(f"stage {self.key}: only a gate passes or asks for a certification")
        if self.target <= timedelta(0):
            raise ValueError(f"stage {self.key}: a target is longer than nothing")


@dataclass(frozen=True, slots=True)
class Pathway:
    """Stages in order, for one tier, at one version. A running case keeps its version."""

    key: str
    version: int
    title: str
    tier: Tier
    stages: tuple[Stage, ...]
    answer_target: timedelta
    referral_target: timedelta

    def __post_init__(self) -> None:
        keys = [stage.key for stage in self.stages]
        if len(set(keys)) != len(keys):
            raise ValueError(f"pathway {self.key}: two stages share a key")
        if min(self.answer_target, self.referral_target) <= timedelta(0):
            raise ValueError(f"pathway {self.key}: a target is longer than nothing")
        if not self.stages or self.stages[-1].kind is not StageKind.BUILD:
            raise ValueError(f"pathway {self.key}: the last stage is the builder's, who goes live")

    def stage(self, key: str) -> Stage:
        """The stage of that key; KeyError when there is none."""
        for stage in self.stages:
            if stage.key == key:
                return stage
        raise KeyError(key)
