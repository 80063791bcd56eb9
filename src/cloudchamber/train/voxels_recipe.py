"""Recipes for the labelling of voxels, as TOML files."""

from typing import Any, Literal

from pydantic import Field

from cloudchamber.prepare.voxel_features import EnergyScale
from cloudchamber.train.recipe import Fitting, Frozen, OneCycle, find_budget, read_recipe, with_fewer


class SimulatedEvents(Frozen):
    """A data set that the recipe can simulate: the same numbers give the same bytes."""

    n: int = Field(ge=1)
    seed: int = Field(ge=0)
    setting: str = "bomb-512"


class VoxelsData(Frozen):
    """What to train and to validate on."""

    train: SimulatedEvents
    validation: SimulatedEvents
    relabel: bool = Field(default=True, description="only primary ionisation is Michel, or delta")


class VoxelsModel(Frozen):
    """A network of the registry, its options, and what it reads of a voxel."""

    name: str = "voxels-uresnet"
    energy: EnergyScale = "log"
    options: dict[str, Any] = Field(default={})


class VoxelsTraining(Fitting):
    """How to train on voxels: cross-entropy, mean over an event's voxels, then over the batch's events."""

    batch: int = Field(default=64, ge=1)
    schedule: OneCycle = OneCycle()
    precision: Literal["32"] = "32"
    class_weights: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="power of N / (classes present * voxels of the class): 0 none, 1 as published",
    )


class VoxelsBudget(Frozen):
    """A smaller training after the same recipe."""

    train: int = Field(ge=1)
    validation: int = Field(ge=1)
    epochs: int = Field(ge=1)


class VoxelsRecipe(Frozen):
    """One trained result."""

    name: str
    task: Literal["voxels"]
    about: str
    data: VoxelsData
    model: VoxelsModel = VoxelsModel()
    training: VoxelsTraining
    published: str = Field(default="", description="whose published result this is")
    budgets: dict[str, VoxelsBudget] = Field(default={})
    reached: str = Field(default="", description="the figure it reached, with data, error and command")


def load_voxels_recipe(name: str, budget: str | None = None) -> VoxelsRecipe:
    """Read a recipe: one of the package's by name, or a TOML file by path; cut down to a budget if asked.

    Raises
    ------
    InputError
        if there is no such recipe or budget, or it is not TOML.
    pydantic.ValidationError
        if an entry is unknown, missing or out of range.
    """
    recipe = VoxelsRecipe.model_validate(read_recipe(name))
    if budget is None:
        return recipe
    less = find_budget(name, recipe.budgets, budget)
    changed = with_fewer(recipe.data, less.train, less.validation)
    training = recipe.training.model_copy(update={"epochs": less.epochs})
    return recipe.model_copy(update={"data": changed, "training": training, "budgets": {}})
