"""What ``cloudchamber compare energy`` compares: recipes, bundles and trees, and how each is scored."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

    from cloudchamber.cli.score_energy import Scored
    from cloudchamber.score.bootstrap import Estimate
    from cloudchamber.train.energy_recipe import EnergyRecipe

RECIPES = (
    "energy/paper", "energy/no-norm", "energy/no-identity", "energy/nominal-norm", "energy/no-e-pass",
    "energy/no-squeeze", "energy/no-pooling", "energy/features", "energy/cnn", "energy/sparse",
)  # fmt: skip
LEAST_MEV = 1.0  # of the sparse counterparts: 56% of the cells, 98.6% of the energy
TREES = "boosted trees on the 28 features"


class System(NamedTuple):
    """What was scored: its name, its line of the published table if it has one, training muons, scores.

    ``raw_gev`` are its predictions before any correction.
    """

    name: str
    published: str
    n_train: int
    found: "Scored"
    raw_gev: "Float[np.ndarray, 'event']"


class Files(NamedTuple):
    """The data that all systems share."""

    train: Path
    validation: Path
    test: Path


def at_cells(recipe: "EnergyRecipe") -> "EnergyRecipe":
    """Return a recipe with the sparse counterpart of its network, at the cells from ``LEAST_MEV`` up.

    Flags of the ablation are the same in both. What is not the paper's network stays what it is.
    """
    model = recipe.model
    if model.name != "energy-paper" or not model.options.get("cnn", True):
        return recipe
    changed = {"name": "energy-sparse", "options": {**model.options, "least_mev": LEAST_MEV}}
    return recipe.model_copy(
        update={"name": f"{recipe.name}-at-cells", "model": model.model_copy(update=changed)}
    )


def trained_like(recipe: "EnergyRecipe", guide: "EnergyRecipe") -> "EnergyRecipe":
    """Return a recipe whose network reads cells and features, and learns, as that of another recipe.

    Optimiser, learning rates and clipping are the guide's; how long it trains, its batches, its output and
    all else of the network stay what they are.
    """
    options, scale = dict(recipe.model.options), guide.model.options.get("cells")
    if scale is not None:
        options["cells"] = scale
    model = recipe.model.model_copy(update={"features": guide.model.features, "options": options})
    kept = {name: getattr(recipe.training, name) for name in ("epochs", "batch", "steps", "patience")}
    name = f"{recipe.name}-like-{guide.name.rpartition('/')[2]}"
    training = guide.training.model_copy(update=kept)
    return recipe.model_copy(update={"name": name, "model": model, "training": training})


def load_plan(
    recipes: str | None,
    budget: str,
    *,
    sparse: bool = False,
    epochs: int | None = None,
    like: str | None = None,
) -> list["EnergyRecipe"]:
    """Return the recipes, all cut down to the same muons: as few as the budget of any of them has.

    With ``sparse`` networks that have a sparse counterpart are replaced by it (see ``at_cells``); ``epochs``
    takes the place of the recipes'; ``like`` names a recipe to read and learn as (see ``trained_like``).

    Raises
    ------
    InputError
        if there is no such recipe, or it has no such budget, or other muons than the package's recipes.
    """
    from cloudchamber.train.energy_recipe import load_energy_recipe

    names = list(RECIPES) if recipes is None else [name for name in recipes.split(",") if name]
    given = None if budget == "full" else budget
    loaded = {name: load_energy_recipe(name, given) for name in dict.fromkeys([*RECIPES, *names])}
    least = {
        part: min(getattr(recipe.data, part).n for recipe in loaded.values())
        for part in ("train", "validation")
    }
    guide = None if like is None else load_energy_recipe(like)
    first, plan = loaded[RECIPES[0]].data, []
    for name in names:
        recipe = loaded[name]
        for part, n in least.items():
            ours, theirs = (getattr(each, part).model_copy(update={"n": n}) for each in (first, recipe.data))
            if ours != theirs:
                raise InputError(name, f"data.{part}", f"the muons of {RECIPES[0]}: {ours}", str(theirs))
        data = {part: getattr(first, part).model_copy(update={"n": n}) for part, n in least.items()}
        changed: dict[str, object] = {"data": recipe.data.model_copy(update=data)}
        if epochs is not None:
            changed["training"] = recipe.training.model_copy(update={"epochs": epochs})
        recipe = recipe.model_copy(update=changed)
        recipe = at_cells(recipe) if sparse else recipe
        plan.append(recipe if guide is None else trained_like(recipe, guide))
    return plan


def score_bundle(bundle: str | Path, files: Files, out: Path, published: str = "") -> System:
    """Predict the test set with a bundle and score it."""
    from cloudchamber.cli.score_energy import read_curves, read_energy_pair, score_all
    from cloudchamber.infer.energy_bundle import load_energy_bundle
    from cloudchamber.infer.energy_predict import predict_energy_file

    loaded = load_energy_bundle(bundle)
    predict_energy_file(loaded, files.test, out)
    predicted, true_gev = read_energy_pair(out, files.test)
    found = score_all(predicted, true_gev, read_curves(predicted, out))
    return System(loaded.config.name, published, loaded.config.n_train, found, predicted.raw_gev)


def _features(
    path: Path, stop: int | None = None
) -> tuple["Float[np.ndarray, 'event 28']", "Float[np.ndarray, 'event']"]:
    """Return features and true energies of the first muons of a file, block by block."""
    import numpy as np

    from cloudchamber.prepare.muon_features import muon_features
    from cloudchamber.source.energy import iterate_muons

    features, energies, done = [], [], 0
    for block in iterate_muons(path, truth=True):
        if block.muons is None or (stop is not None and done >= stop):
            break
        features.append(muon_features(block))
        energies.append(block.muons["energy_gev"].astype(np.float64))
        done += len(block)
    return np.concatenate(features)[:stop], np.concatenate(energies)[:stop]


def score_trees(files: Files, n_train: int, n_validation: int) -> System:
    """Fit trees to the features of the training muons; calibrate and score them as the networks are."""
    from cloudchamber.cli.score_energy import Scored
    from cloudchamber.infer.energy_finish import fit_curves
    from cloudchamber.infer.energy_predict import finish_energies, with_fixed_ruler
    from cloudchamber.score.energy import score_energy
    from cloudchamber.score.energy_trees import fit_energy_trees

    trees = fit_energy_trees(*_features(files.train, n_train))
    features, energies = _features(files.validation, n_validation)
    curves = fit_curves(energies[::2], with_fixed_ruler(trees.predict(features[::2])))
    features, energies = _features(files.test)
    raw = with_fixed_ruler(trees.predict(features))
    done = finish_energies(raw, curves.calibration, curves.intervals)
    found = Scored(
        score_energy(energies, done.energy_gev, done.low_gev, done.high_gev),
        score_energy(energies, raw.energy_gev),
        None if curves.deck is None else score_energy(energies, raw.energy_gev, calibration=curves.deck),
    )
    return System(TREES, "", n_train, found, raw.energy_gev)


def published_mi(found: "Scored") -> "Estimate":
    """Return MI as it is published, with the published curve; nothing where that could not be fitted."""
    from cloudchamber.score.bootstrap import Estimate

    return Estimate(value=None, error=None) if found.deck is None else found.deck.mi
