"""Recipes for the energy of muons, as TOML files."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from cloudchamber.model.energy_output import EnergyOutput
from cloudchamber.prepare.feature_scale import Transform
from cloudchamber.train.recipe import Fitting, Frozen, OneCycle, find_budget, read_recipe, with_fewer


class SimulatedMuons(Frozen):
    """A data set that the recipe can simulate: the same numbers give the same bytes."""

    n: int = Field(ge=1)
    seed: int = Field(ge=0)
    setting: str = "paper"


class EnergyData(Frozen):
    """What to train and to validate on."""

    train: SimulatedMuons
    validation: SimulatedMuons


class EnergyModel(Frozen):
    """A network of the registry and its options; shape and number of outputs follow from data and output."""

    name: str = "energy-paper"
    features: Transform = Field(
        default="linear", description="what of the high-level features is standardised"
    )
    options: dict[str, Any] = Field(default={})


class Steps(Frozen):
    """What comes after the cycle of learning rates."""

    cycle_epochs: int = Field(default=20, ge=1, description="epochs that the cycle takes")
    factor: float = Field(default=0.5, gt=0, lt=1, description="of the learning rate, at each step")
    patience: int = Field(
        default=2,
        ge=1,
        description="epochs without a lower validation loss before a step, from the best epoch",
    )


class EnergyTraining(Fitting):
    """How to train on muons. The defaults are the authors'."""

    epochs: int = Field(default=50, ge=1)
    schedule: OneCycle = OneCycle(start=5e-5, peak=5e-3, final=5e-4, warm_up=0.1)
    steps: Steps | None = Field(default=Steps(), description="none: the cycle takes all epochs")
    patience: int | None = Field(default=10, ge=1)
    precision: Literal["auto", "32", "bf16"] = "32"
    bins_gev: tuple[float, ...] = Field(
        default=(50, 1640, 3230, 4820, 6410, 8000), min_length=2, description="edges of the thresholds' bins"
    )
    weigh_high: bool = Field(default=True, description="less weight to muons above 5 TeV")

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if self.steps is not None and self.patience is None:
            raise ValueError("steps begin at the best epoch, which is kept only with a patience")
        if list(self.bins_gev) != sorted(set(self.bins_gev)):
            raise ValueError("bins_gev: edges in rising order")
        return self

    @property
    def cycle_epochs(self) -> int:
        """How many epochs the cycle takes."""
        return self.epochs if self.steps is None else min(self.epochs, self.steps.cycle_epochs)


class EnergyBudget(Frozen):
    """A smaller training after the same recipe."""

    train: int = Field(ge=1)
    validation: int = Field(ge=1)
    epochs: int = Field(ge=1)
    cycle_epochs: int | None = Field(default=None, ge=1, description="none: the cycle takes all epochs")
    batch: int | None = Field(default=None, ge=1)
    final: float | None = Field(
        default=None, gt=0, description="learning rate at the end of a cycle that nothing follows"
    )
    copies: int | None = Field(default=None, ge=1)


class EnergyRecipe(Frozen):
    """One trained result."""

    name: str
    task: Literal["energy"]
    about: str
    data: EnergyData
    model: EnergyModel = EnergyModel()
    output: EnergyOutput = EnergyOutput()
    training: EnergyTraining = EnergyTraining()
    copies: int = Field(default=1, ge=1, description="networks, each with its seed, weighted by 1/loss")
    published: str = Field(
        default="", description="key of its line in the published table, score.published_energy"
    )
    budgets: dict[str, EnergyBudget] = Field(default={})
    reached: str = Field(default="", description="the figure it reached, with data, error and command")


def load_energy_recipe(name: str, budget: str | None = None) -> EnergyRecipe:
    """Read a recipe: one of the package's by name, or a TOML file by path; cut down to a budget if asked.

    Raises
    ------
    InputError
        if there is no such recipe or budget, or it is not TOML.
    pydantic.ValidationError
        if an entry is unknown, missing or out of range.
    """
    recipe = EnergyRecipe.model_validate(read_recipe(name))
    if budget is None:
        return recipe
    less, training = find_budget(name, recipe.budgets, budget), recipe.training
    changed = with_fewer(recipe.data, less.train, less.validation)
    steps = training.steps
    if steps is not None:
        steps = (
            steps.model_copy(update={"cycle_epochs": less.cycle_epochs})
            if less.cycle_epochs is not None
            else None
        )
    schedule = training.schedule.model_copy(update={"final": less.final or training.schedule.final})
    shorter = training.model_copy(
        update={
            "epochs": less.epochs,
            "steps": steps,
            "batch": less.batch or training.batch,
            "schedule": schedule,
        }
    )
    return recipe.model_copy(
        update={
            "data": changed,
            "training": shorter,
            "copies": less.copies or recipe.copies,
            "budgets": {},
        }
    )
