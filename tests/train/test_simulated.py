"""Data sets that recipes name: with a range of exposures, in either setting."""

import pytest
from pydantic import ValidationError

from cloudchamber.train.recipe import ModelChoice, Simulated, load_recipe


def test_no_range_unless_asked_for() -> None:
    assert Simulated(n=3, seed=1).muons is None
    assert load_recipe("walls/tracks").data.train.muons is None


@pytest.mark.parametrize("muons", [(0, 5), (5, 4), (1,), (1, 2, 3), "300:500"])
def test_malformed_ranges(muons: object) -> None:
    with pytest.raises(ValidationError, match="muons"):
        Simulated.model_validate({"n": 1, "seed": 0, "muons": muons})


def test_unknown_setting() -> None:
    with pytest.raises(ValidationError, match="setting"):
        Simulated.model_validate({"n": 1, "seed": 0, "setting": "moon"})


@pytest.mark.parametrize(("name", "setting"), [("exposures", "challenge-2022"), ("full", "full")])
def test_recipes_for_a_range_of_exposures(name: str, setting: str) -> None:
    recipe = load_recipe(f"walls/{name}")
    for data in (recipe.data.train, recipe.data.validation):
        assert data.muons == (300, 100_000)
        assert data.setting == setting
    assert recipe.model.log_input == {"score": "arcsinh"}


def test_unknown_scale() -> None:
    with pytest.raises(ValidationError, match="log_input"):
        ModelChoice.model_validate({"name": "walls-resnet", "log_input": {"score": "cubic"}})
