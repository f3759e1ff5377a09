"""Reconciling without its whole pause."""

import pytest

import workflows.intake.reconcile


@pytest.fixture
def looks_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it believes what it found, reconciling waits for decisions that are under way. Where a
    test takes none meanwhile, half a second will do."""
    monkeypatch.setattr(workflows.intake.reconcile, "LOOK_AGAIN_AFTER", 0.5)
