"""How many examples a property gets: all in `make test`, a fifth in `make quick`."""

from hypothesis import HealthCheck, settings

ALL, QUICK = "all", "quick"
"""Profiles; tests/conftest.py takes one of them."""
MOST = settings().max_examples

# How long an example takes says more of what else the machine does than of the test.
settings.register_profile(
    ALL, settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(QUICK, settings.get_profile(ALL), max_examples=MOST // 5)


def examples(number: int) -> int:
    """Of so many that a property has of its own, those that this run tries."""
    return number * settings().max_examples // MOST
