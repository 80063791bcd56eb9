"""Recipes for hits, as TOML files."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from cloudchamber.prepare.hit_augment import HitAugment
from cloudchamber.prepare.hit_draw import HitDraw
from cloudchamber.prepare.hit_images import HitScale
from cloudchamber.prepare.hit_patches import PatchShares
from cloudchamber.train.recipe import (
    Constant,
    Fitting,
    Frozen,
    InverseTime,
    OneCycle,
    Triangular,
    find_budget,
    read_recipe,
    with_fewer,
)

Reads = Literal["patch", "plane", "vertex-patch"]
READS: dict[str, Reads] = {"hits-patch": "patch", "hits-plane": "plane", "hits-vertex": "vertex-patch"}


class SimulatedWires(Frozen):
    """A data set that the recipe can simulate: the same numbers give the same bytes."""

    n: int = Field(ge=1)
    seed: int = Field(ge=0)
    setting: str = "protodune-sp"


class HitsData(Frozen):
    """What to train and to validate on, and which pixels or crops of it."""

    train: SimulatedWires
    validation: SimulatedWires
    shares: PatchShares = PatchShares()
    empty: int = Field(default=4, ge=0, description="empty pixels per vertex, for the network for vertices")
    on_track: int = Field(default=8, ge=0, description="pixels on tracks per vertex, likewise")
    crop: int = Field(default=256, ge=16, description="pixels a side of a crop, for whole planes")
    validation_patches: int = Field(default=20_000, ge=1, description="lit pixels that patches validate on")


class HitsModel(Frozen):
    """A network of the registry, its options, and how its input is scaled."""

    name: str = "hits-patch"
    scale: HitScale = HitScale()
    options: dict[str, Any] = Field(default={})

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.name not in READS:
            raise ValueError(f"one of {', '.join(READS)}")
        return self

    @property
    def reads(self) -> Reads:
        """What the network reads."""
        return READS[self.name]


class HitsLossOptions(Frozen):
    """Weights of the losses. The defaults are the published ones."""

    classes: float = Field(default=0.1, ge=0, description="of the cross-entropy of track, em and none")
    michel: float = Field(default=1.0, ge=0, description="of the loss of Michel electrons")
    michel_kind: Literal["mse", "cross-entropy"] = "mse"
    michel_positive: float = Field(default=1.0, gt=0, description="weight of Michel pixels in their loss")
    soft: float = Field(
        default=0.0, ge=0, le=1, description="share of the teacher's answers in the loss, at its pixels"
    )


class Teacher(Frozen):
    """A network of patches that teaches one of planes (Hinton et al., arXiv:1503.02531)."""

    recipe: str = Field(default="hits/paper", description="trained first, unless a bundle is given")
    per_event: int = Field(default=2000, ge=1, description="lit pixels of each plane that it answers for")


class HitsTraining(Fitting):
    """How to train on hits."""

    epochs: int = Field(default=10, ge=1)
    batch: int = Field(default=256, ge=1, description="patches, or crops")
    optimiser: Literal["adam", "adamw", "muon", "sgd"] = "sgd"
    schedule: OneCycle | Constant | Triangular | InverseTime = InverseTime()
    precision: Literal["auto", "32", "bf16"] = "32"
    symmetries: Literal[False] = False  # said by augment
    loss: HitsLossOptions = HitsLossOptions()
    draw: HitDraw = HitDraw()
    augment: HitAugment = HitAugment()


class HitsBudget(Frozen):
    """A smaller training after the same recipe."""

    train: int = Field(ge=1)
    validation: int = Field(ge=1)
    epochs: int = Field(ge=1)
    per_epoch: int | None = Field(default=None, ge=1, description="patches or crops; none: the recipe's")


class HitsRecipe(Frozen):
    """One trained result."""

    name: str
    task: Literal["hits"]
    about: str
    data: HitsData
    model: HitsModel = HitsModel()
    training: HitsTraining = HitsTraining()
    teacher: Teacher | None = None
    published: str = Field(default="", description="whose published network this is")
    budgets: dict[str, HitsBudget] = Field(default={})
    reached: str = Field(default="", description="the figure it reached, with data, error and command")

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if self.teacher is not None and self.model.reads != "plane":
            raise ValueError("a teacher teaches a network of planes")
        if (self.teacher is None) != (self.training.loss.soft == 0):
            raise ValueError("a teacher, and a share of its answers in the loss, go together")
        return self


def load_hits_recipe(name: str, budget: str | None = None) -> HitsRecipe:
    """Read a recipe: one of the package's by name, or a TOML file by path; cut down to a budget if asked.

    Raises
    ------
    InputError
        if there is no such recipe or budget, or it is not TOML.
    pydantic.ValidationError
        if an entry is unknown, missing or out of range.
    """
    recipe = HitsRecipe.model_validate(read_recipe(name))
    if budget is None:
        return recipe
    less, training = find_budget(name, recipe.budgets, budget), recipe.training
    changed = with_fewer(recipe.data, less.train, less.validation)
    draw = training.draw.model_copy(update={"per_epoch": less.per_epoch or training.draw.per_epoch})
    shorter = training.model_copy(update={"epochs": less.epochs, "draw": draw})
    return recipe.model_copy(update={"data": changed, "training": shorter, "budgets": {}})
