"""Recipes cut down to what two cores do in minutes: to see the parts work, not to see how good they are."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudchamber.train.recipe import Recipe

QUICK = "quick"
TRAIN_VOLUMES, VALIDATION_VOLUMES, TEST_VOLUMES = 4000, 500, 1000
EPOCHS = 2  # of recipes that have no budget for it


def shorten(recipe: "Recipe") -> "Recipe":
    """Return a recipe within its budget for a quick look, or else with few volumes, epochs and networks."""
    from cloudchamber.train.recipe import Budget, with_budget

    data = recipe.data
    if QUICK not in recipe.budgets:
        budget = Budget(
            train=min(TRAIN_VOLUMES, data.train.n),
            validation=min(VALIDATION_VOLUMES, data.validation.n),
            epochs=min(EPOCHS, recipe.training.epochs),
            copies=1,
        )
        recipe = recipe.model_copy(update={"budgets": {QUICK: budget}})
    return with_budget(recipe, QUICK).model_copy(update={"pseudo_labels": None})


def left_out(full: "Recipe", short: "Recipe") -> str:
    """Say what a shortened recipe leaves out, besides volumes and epochs."""
    said = []
    if short.ensemble.size < full.ensemble.size:
        said.append(f"{short.ensemble.size} of {full.ensemble.size} networks")
    if full.pseudo_labels and not short.pseudo_labels:
        said.append("no pseudo-labels")
    if full.begin_with and not short.begin_with:
        said.append(f"does not begin with {full.begin_with}")
    return ", ".join(said)
