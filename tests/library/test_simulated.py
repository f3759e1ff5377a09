"""How often an asset that does nothing is said to help, in short; the benchmark has it in full."""

import pytest

from benchmarks.adoption import COLUMNS, power, shares
from benchmarks.simulated_adoptions import NOTHING, WORLDS, World

pytestmark = pytest.mark.long

RUNS = 200


def said(world: World, size: int) -> dict[str, float]:
    return dict(zip((*COLUMNS, "adopters"), shares(world, size, RUNS, seed=7), strict=True))


@pytest.mark.parametrize("size", [200, 500])
def test_an_asset_without_effect_rarely_helps_and_naively_mostly_differs(size: int) -> None:
    found = said(NOTHING, size)
    assert 0.2 < found["adopters"] < 0.4
    assert found["helps"] <= 0.05
    assert found["hurts"] <= 0.05
    assert found["Cox ever slower"] > 0.5
    assert found["means slower"] > 0.5
    if size == 500:
        assert found["share better"] > 0.5


@pytest.mark.parametrize(
    "world",
    [world for world in WORLDS if world.hazard == world.rest == 1.0 and not world.nearly_done],
    ids=lambda world: world.name,
)
def test_nothing_else_makes_an_asset_help(world: World) -> None:
    found = said(world, 500)
    assert found["helps"] <= 0.05 + 0.015  # one standard error of 200 runs
    if world.at_the_end:
        assert found["unguarded helps"] > 0.5


@pytest.mark.parametrize(("size", "adopters"), [(100, 8), (300, 30)])
def test_with_few_adopters_hardly_anything_is_said(size: int, adopters: int) -> None:
    """Neither of an asset without effect nor of one whose effect is 25%: it takes more."""
    nothing, quarter, twice, *_ = power(size, adopters, 60, seed=3)
    assert nothing <= 0.05
    assert quarter < 0.3
    assert quarter < twice


def test_an_effect_is_found() -> None:
    assert said(World("25%", hazard=1.25), 1_500)["helps"] > 0.7
    assert said(World("50%", hazard=1.5), 500)["helps"] > 0.7
