"""Recipes for the separation of beam and cosmics, as TOML files."""

from typing import Any, Literal

from pydantic import Field

from cloudchamber.prepare.beam_images import BeamImageConfig
from cloudchamber.prepare.beam_input import SignalScale
from cloudchamber.train.beam_batches import BeamChanges
from cloudchamber.train.beam_loss import BeamLossConfig
from cloudchamber.train.recipe import (
    Constant,
    Fitting,
    Frozen,
    OneCycle,
    find_budget,
    read_recipe,
    with_fewer,
)


class SimulatedWires(Frozen):
    """A data set that the recipe can simulate: the same numbers give the same bytes."""

    n: int = Field(ge=1)
    seed: int = Field(ge=0)
    setting: str = "protodune-sp"


class BeamData(Frozen):
    """What to train and to validate on, and how images are made of it."""

    train: SimulatedWires
    validation: SimulatedWires
    images: BeamImageConfig = BeamImageConfig()
    train_least_beam: int | None = Field(
        default=None, ge=0, description="beam hits of events to train on, if not as many as to score"
    )

    @property
    def train_images(self) -> BeamImageConfig:
        """How the images to train on are made."""
        if self.train_least_beam is None:
            return self.images
        least = min(self.train_least_beam, self.images.least_beam)
        return self.images.model_copy(update={"least_beam": least})


class BeamModel(Frozen):
    """A network of the registry, its options, what it reads; channels and classes follow from the data."""

    name: str = "beam-small"
    scale: SignalScale = "arcsinh"
    coordinates: bool = Field(default=True, description="read where on wires and drift a pixel lies")
    options: dict[str, Any] = Field(default={})


class Plateau(Frozen):
    """A learning rate that falls each time the validation loss stays where it is."""

    kind: Literal["plateau"]
    rate: float = Field(default=1e-3, gt=0)
    factor: float = Field(default=0.75, gt=0, lt=1)
    patience: int = Field(default=3, ge=0, description="epochs without a lower loss that change nothing")
    least: float = Field(default=1e-7, gt=0)

    @property
    def text(self) -> str:
        """The schedule in words."""
        return f"learning rate {self.rate:g}, times {self.factor:g} after {self.patience} epochs without gain"


class BeamTraining(Fitting):
    """How to train on images."""

    batch: int = Field(default=4, ge=1)
    schedule: OneCycle | Constant | Plateau = OneCycle()  # type: ignore[assignment]
    loss: BeamLossConfig = BeamLossConfig()
    changes: BeamChanges = BeamChanges()
    symmetries: Literal[False] = False


class BeamBudget(Frozen):
    """A smaller training after the same recipe."""

    train: int = Field(ge=1)
    validation: int = Field(ge=1)
    epochs: int = Field(ge=1)
    least_beam: int | None = Field(default=None, ge=0)
    options: dict[str, Any] | None = Field(default=None, description="of the network, if other ones")


class BeamRecipe(Frozen):
    """One trained result."""

    name: str
    task: Literal["beam"]
    about: str
    data: BeamData
    model: BeamModel = BeamModel()
    training: BeamTraining
    published: str = Field(default="", description="whose published result this is")
    budgets: dict[str, BeamBudget] = Field(default={})
    reached: str = Field(default="", description="the figure it reached, with data, error and command")


def load_beam_recipe(name: str, budget: str | None = None) -> BeamRecipe:
    """Read a recipe: one of the package's by name, or a TOML file by path; cut down to a budget if asked.

    Raises
    ------
    InputError
        if there is no such recipe or budget, or it is not TOML.
    pydantic.ValidationError
        if an entry is unknown, missing or out of range.
    """
    recipe = BeamRecipe.model_validate(read_recipe(name))
    if budget is None:
        return recipe
    less = find_budget(name, recipe.budgets, budget)
    images = recipe.data.images
    if less.least_beam is not None:
        images = images.model_copy(update={"least_beam": less.least_beam})
    model = recipe.model
    if less.options is not None:
        model = model.model_copy(update={"options": less.options})
    changed = with_fewer(recipe.data, less.train, less.validation).model_copy(update={"images": images})
    training = recipe.training.model_copy(update={"epochs": less.epochs})
    return recipe.model_copy(update={"data": changed, "model": model, "training": training, "budgets": {}})
