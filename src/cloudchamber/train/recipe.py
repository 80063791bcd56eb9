"""Recipes: everything that a training needs, as one TOML file."""

import tomllib
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cloudchamber.errors import InputError
from cloudchamber.prepare.normalise import Scale
from cloudchamber.toml import with_none
from cloudchamber.train.losses import LOSSES

LessT = TypeVar("LessT")
DataT = TypeVar("DataT", bound=BaseModel)


class Frozen(BaseModel):
    """A part of a recipe: nothing unknown in it, nothing changed afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Simulated(Frozen):
    """A data set that the recipe can simulate: the same numbers give the same bytes."""

    n: int = Field(ge=1)
    seed: int = Field(ge=0)
    setting: Literal["challenge-2022", "full"] = "challenge-2022"
    muons: tuple[int, int] | None = Field(
        default=None, description="fewest and most muons of a volume, log-uniform; none: the setting's number"
    )

    @field_validator("muons")
    @classmethod
    def _in_order(cls, muons: tuple[int, int] | None) -> tuple[int, int] | None:
        if muons is not None and not 1 <= muons[0] <= muons[1]:
            raise ValueError("fewest and most muons in order, from 1 up")
        return muons


class Data(Frozen):
    """What to train and to validate on; thresholds are fitted on the validation set."""

    train: Simulated
    validation: Simulated


class ModelChoice(Frozen):
    """A network of the registry and its options."""

    name: str
    log_input: bool | dict[str, Scale] = Field(
        default=True,
        description="logarithms of what spans orders of magnitude; a table gives maps a scale of their own",
    )
    inputs: tuple[str, ...] = Field(default=("x0",), min_length=1, description="maps it reads, in order")
    options: dict[str, Any] = {}


class OneCycle(Frozen):
    """One cycle of learning rate and momentum, cosine (Smith and Topin, arXiv:1708.07120)."""

    kind: Literal["one-cycle"] = "one-cycle"
    start: float = Field(default=1e-4, gt=0)
    peak: float = Field(default=1e-2, gt=0)
    final: float = Field(default=1e-7, gt=0)
    warm_up: float = Field(default=0.1, gt=0, lt=1, description="share of the steps up to the peak")
    momentum: tuple[float, float] = (0.85, 0.95)

    @property
    def text(self) -> str:
        """The schedule in words."""
        return f"one-cycle learning rate up to {self.peak:g}"


class Constant(Frozen):
    """One learning rate throughout."""

    kind: Literal["constant"]
    rate: float = Field(default=1e-3, gt=0)

    @property
    def text(self) -> str:
        """The schedule in words."""
        return f"learning rate {self.rate:g}"


class Triangular(Frozen):
    """Learning rate up and down, the height halved after each cycle ("triangular2", arXiv:1506.01186)."""

    kind: Literal["triangular2"]
    low: float = Field(default=1e-4, gt=0)
    high: float = Field(default=1e-2, gt=0)
    half_period: float = Field(default=10.0, gt=0, description="epochs from low to high")

    @property
    def text(self) -> str:
        """The schedule in words."""
        return f"cyclic learning rate {self.low:g} to {self.high:g}"


class InverseTime(Frozen):
    """A learning rate of rate / (1 + decay * steps): Keras's ``decay``."""

    kind: Literal["inverse-time"] = "inverse-time"
    rate: float = Field(default=1e-2, gt=0)
    decay: float = Field(default=1e-4, ge=0, description="per step")

    @property
    def text(self) -> str:
        """The schedule in words."""
        return f"learning rate {self.rate:g} / (1 + {self.decay:g} x steps)"


class Fitting(Frozen):
    """How to train a network of any task."""

    epochs: int = Field(ge=1)
    batch: int = Field(default=256, ge=1)
    optimiser: Literal["adam", "adamw", "muon", "sgd"] = "adam"
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: OneCycle | Constant | Triangular | InverseTime = OneCycle()
    patience: int | None = Field(
        default=None,
        ge=1,
        description="stop after so many epochs without a lower validation loss; keep the best",
    )
    gradient_clip: float | None = Field(default=None, gt=0)
    symmetries: bool = True
    seed: int = 0
    precision: Literal["auto", "32", "bf16"] = "auto"


class Training(Fitting):
    """How to train on walls."""

    loss: str = Field(default="soft-iou", description="one of cloudchamber.train.losses.LOSSES")
    structure: float = Field(
        default=0.0,
        ge=0,
        description="weight of the loss of the walls' structure, for networks with its heads",
    )

    @field_validator("loss")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in LOSSES:
            raise ValueError(f"one of {', '.join(LOSSES)}")
        return name


class Ensemble(Frozen):
    """Several networks in place of one: their mean probability, or a vote."""

    copies: int = Field(default=1, ge=1, description="networks of each kind, with seeds of their own")
    options: tuple[dict[str, Any], ...] = Field(
        default=({},), min_length=1, description="one kind each: what it changes in the model's options"
    )
    vote_cut: float | None = Field(
        default=None, gt=0, lt=1, description="a network votes for wall above this; none: mean probability"
    )
    boost: float = Field(
        default=0.0, ge=0,
        description="later networks draw volumes with weight 1 + boost (1 - IOU)/mean(1 - IOU) so far",
    )  # fmt: skip

    @property
    def size(self) -> int:
        """How many networks there are."""
        return self.copies * len(self.options)


class PseudoLabels(Frozen):
    """A second round on volumes without labels, which the networks of the first label themselves."""

    unlabelled: Simulated
    rounds: int = Field(default=1, ge=1)


class Budget(Frozen):
    """A smaller training after the same recipe, for less time than the author had."""

    train: int = Field(ge=1, description="training volumes, the first ones of the recipe's")
    validation: int = Field(ge=1)
    epochs: int = Field(ge=1)
    copies: int | None = Field(default=None, ge=1, description="networks of each kind, if fewer")


class Recipe(Frozen):
    """One trained result."""

    name: str
    task: Literal["walls"]
    about: str
    data: Data
    model: ModelChoice
    training: Training
    ensemble: Ensemble = Ensemble()
    pseudo_labels: PseudoLabels | None = None
    thresholds: Literal["fixed", "global", "layers", "layers-alone", "expected-iou"] = "global"
    fixed_cut: float = Field(default=0.5, gt=0, lt=1, description='the cut of thresholds = "fixed"')
    symmetries: bool = Field(default=True, description="average predictions over symmetric views")
    begin_with: str = Field(default="", description="recipe whose trained weights this one begins with")
    published: str = Field(default="", description="whose published solution this is")
    budgets: dict[str, Budget] = {}
    reached: str = Field(default="", description="the figure it reached, with data, error and command")


def with_budget(recipe: Recipe, name: str) -> Recipe:
    """Return a recipe cut down to one of its budgets; the rest stays as it is.

    Raises
    ------
    InputError
        if the recipe has no budget of that name.
    """
    if name not in recipe.budgets:
        raise InputError(recipe.name, "budget", f"one of {', '.join(recipe.budgets) or 'none'}", repr(name))
    budget = recipe.budgets[name]
    data = Data(
        train=recipe.data.train.model_copy(update={"n": budget.train}),
        validation=recipe.data.validation.model_copy(update={"n": budget.validation}),
    )
    copies = budget.copies or recipe.ensemble.copies
    return recipe.model_copy(
        update={
            "data": data,
            "training": recipe.training.model_copy(update={"epochs": budget.epochs}),
            "ensemble": recipe.ensemble.model_copy(update={"copies": copies}),
            "budgets": {},
            "begin_with": "",
        }
    )


def list_recipes(task: str = "") -> list[str]:
    """Return the names of the recipes that come with the package, of one task or of all."""
    with as_file(files("cloudchamber") / "recipes") as folder:
        names = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.toml"))
    return [name for name in names if name.startswith(f"{task}/" if task else "")]


def read_recipe(name: str) -> dict[str, Any]:
    """Read a recipe of any task as it stands: one of the package's by name, or a TOML file by path.

    Raises
    ------
    InputError
        if there is neither, or it is not TOML.
    """
    path = Path(name)
    if path.suffix == ".toml":
        if not path.is_file():
            raise InputError(path, "", "a recipe file", "no such file")
        text = path.read_text(encoding="utf-8")
    elif name in list_recipes():
        text = (files("cloudchamber") / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
    else:
        raise InputError("recipe", name, f"one of {', '.join(list_recipes())} or a .toml file", "neither")
    try:
        found: dict[str, Any] = with_none(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(name, "", "TOML", str(error)) from error
    return found


def find_budget(name: str, budgets: Mapping[str, LessT], budget: str) -> LessT:
    """Return a budget of a recipe.

    Raises
    ------
    InputError
        if the recipe has none of this name.
    """
    if budget not in budgets:
        raise InputError(name, "budget", f"one of {', '.join(budgets) or 'none'}", repr(budget))
    return budgets[budget]


def with_fewer(data: DataT, train: int, validation: int) -> DataT:
    """Return a recipe's data with other numbers of training and validation samples."""
    sets = {"train": train, "validation": validation}
    return data.model_copy(
        update={part: getattr(data, part).model_copy(update={"n": n}) for part, n in sets.items()}
    )


def load_recipe(name: str) -> Recipe:
    """Read a recipe of walls: one of the package's by name, or a TOML file by path.

    Raises
    ------
    InputError
        if there is neither, or it is not TOML.
    pydantic.ValidationError
        if an entry is unknown, missing or out of range.
    """
    return Recipe.model_validate(read_recipe(name))
