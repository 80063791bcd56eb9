from pathlib import Path

import pytest
from pydantic import ValidationError

from cloudchamber.errors import InputError
from cloudchamber.model.registry import build_network
from cloudchamber.score.published import SOLUTIONS
from cloudchamber.train.epochs import make_optimiser, make_schedule
from cloudchamber.train.fit import helpful_precision
from cloudchamber.train.recipe import OneCycle, list_recipes, load_recipe, with_budget


@pytest.mark.parametrize("name", list_recipes("walls"))
def test_recipes_of_the_package(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.data.train.seed != recipe.data.validation.seed
    for change in recipe.ensemble.options:
        build_network(recipe.model.name, {**recipe.model.options, **change})
    if recipe.pseudo_labels:
        seeds = {recipe.data.train.seed, recipe.data.validation.seed}
        assert recipe.pseudo_labels.unlabelled.seed not in seeds
    for name_of in recipe.budgets:
        assert with_budget(recipe, name_of).data.train.n <= recipe.data.train.n


def test_every_published_solution_has_one() -> None:
    recipes = [load_recipe(name) for name in list_recipes("walls")]
    published = {recipe.published for recipe in recipes}
    assert {row.name for row in SOLUTIONS} <= published


PARAMETERS = {"gonzalez": 776_375, "bury": 231_430, "strong": 2_695_606, "auclair": 27_751}


@pytest.mark.parametrize("name", PARAMETERS)
def test_published_networks_to_the_last_parameter(name: str) -> None:
    model = load_recipe(f"walls/{name}").model
    network = build_network(model.name, model.options)
    assert sum(p.numel() for p in network.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", ["no-such-recipe", "missing.toml"])
def test_missing_recipes(name: str) -> None:
    with pytest.raises(InputError):
        load_recipe(name)


def test_not_toml(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("name = ")
    with pytest.raises(InputError, match="expected TOML"):
        load_recipe(str(path))


def test_unknown_key(tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text('name = "odd"\nepoch = 3\n')
    with pytest.raises(ValidationError, match="epoch"):
        load_recipe(str(path))


def test_one_cycle_rises_and_falls() -> None:
    recipe = load_recipe("walls/strong-unet")
    network = build_network(recipe.model.name, {"features": 2, "levels": 1, "gravnet": None})
    optimiser = make_optimiser(network, recipe.training)
    training = recipe.training.model_copy(update={"epochs": 4})
    schedule = make_schedule(optimiser, training, 50)
    rates, momenta = [], []
    for _ in range(200):
        rates.append(optimiser.param_groups[0]["lr"])
        momenta.append(optimiser.param_groups[0]["betas"][0])
        optimiser.step()
        schedule.step()
    cycle = recipe.training.schedule
    assert isinstance(cycle, OneCycle)
    assert rates[0] == pytest.approx(cycle.start)
    assert max(rates) == pytest.approx(cycle.peak, rel=1e-3)
    assert rates.index(max(rates)) == pytest.approx(200 * cycle.warm_up, abs=2)
    assert rates[-1] < 1e-2 * cycle.peak
    assert (momenta[0], min(momenta)) == pytest.approx((0.95, 0.85), rel=1e-3)


def test_precision_names() -> None:
    assert helpful_precision("32") == "32-true"
    assert helpful_precision("bf16") == "bf16-mixed"
    assert helpful_precision("auto") in ("32-true", "bf16-mixed")
