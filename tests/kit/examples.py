"""How many examples a property gets: all in `make test`, a fifth in `make quick`."""

from hypothesis import settings

ALL = settings.get_profile("default").max_examples
QUICK = "quick"
"""The profile of `make quick`; tests/conftest.py takes it."""

settings.register_profile(QUICK, max_examples=ALL // 5)


def examples(number: int) -> int:
    """Of so many that a property has of its own, those that this run tries."""
    return number * settings().max_examples // ALL
