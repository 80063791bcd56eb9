"""Recipes: everything that a training needs, as one TOML file."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cloudchamber.errors import InputError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Simulated(_Frozen):
    """A data set that the recipe can simulate: the same numbers give the same bytes."""

    n: int = Field(ge=1)
    seed: int = Field(ge=0)
    setting: str = "challenge-2022"


class Data(_Frozen):
    """What to train and to validate on; thresholds are fitted on the validation set."""

    train: Simulated
    validation: Simulated


class ModelChoice(_Frozen):
    """A network of the registry and its options."""

    name: str
    log_input: bool = True
    options: dict[str, Any] = {}


class OneCycle(_Frozen):
    """One cycle of learning rate and momentum, cosine (Smith and Topin, arXiv:1708.07120)."""

    start: float = Field(default=1e-4, gt=0)
    peak: float = Field(default=1e-2, gt=0)
    final: float = Field(default=1e-7, gt=0)
    warm_up: float = Field(default=0.1, gt=0, lt=1, description="share of the steps up to the peak")
    momentum: tuple[float, float] = (0.85, 0.95)


class Training(_Frozen):
    """How to train."""

    epochs: int = Field(ge=1)
    batch: int = Field(default=256, ge=1)
    loss: Literal["soft-iou", "bce"] = "soft-iou"
    optimiser: Literal["adam", "adamw"] = "adam"
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: OneCycle = OneCycle()
    gradient_clip: float | None = Field(default=None, gt=0)
    symmetries: bool = True
    seed: int = 0
    precision: Literal["auto", "32", "bf16"] = "auto"


class Recipe(_Frozen):
    """One trained result."""

    name: str
    task: Literal["walls"]
    about: str
    data: Data
    model: ModelChoice
    training: Training
    thresholds: Literal["fixed", "global", "layers"] = "global"
    reached: str = Field(default="", description="the figure it reached, with data, error and command")


def list_recipes() -> list[str]:
    """Return the names of the recipes that come with the package."""
    folder = files("cloudchamber") / "recipes"
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def load_recipe(name: str) -> Recipe:
    """Read a recipe: one of the package's by name, or a TOML file by path.

    Raises
    ------
    InputError
        if there is neither, or it is not TOML.
    pydantic.ValidationError
        if an entry is unknown, missing or out of range.
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
        return Recipe.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(name, "", "TOML", str(error)) from error
