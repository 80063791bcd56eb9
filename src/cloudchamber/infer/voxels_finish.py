"""From a recipe for voxels to a bundle: train, score on the validation events, write the card."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cloudchamber.infer.voxels_bundle import VoxelsBundle, VoxelsBundleConfig
from cloudchamber.infer.voxels_predict import predict_events
from cloudchamber.labels import VoxelLabel
from cloudchamber.score.voxels import VoxelsScore, score_voxels
from cloudchamber.train.voxels_loss import mean_log_weights
from cloudchamber.train.voxels_recipe import VoxelsRecipe
from cloudchamber.train.voxels_run import TrainedVoxels, train_voxels
from cloudchamber.voxel_events import VoxelEvents

_CARD = """# {name}

{about} Trained on {train_n:,} simulated events for {epochs} epochs.

- **Task**: voxels: from place and energy of each voxel of {voxel_mm:g} mm to one of HIP, MIP, shower, delta
  ray, Michel electron.
- **Network**: {network}, {parameters:,} parameters; options: {options}; energy on a {energy} scale.
- **Trained on** {train_n:,} events of cloudchamber's simulation, setting {setting}, seed {seed}, {labels}
  labels; {epochs} epochs of batches of {batch}, {schedule}{symmetries}{weights}; {minutes:.0f} min.
- **Validation accuracy** {accuracy} over non-zero voxels (bootstrap over events), on {val_n:,} events, seed
  {val_seed}, on cloudchamber's simulation. Per class: {classes}.
- **To make it again**: `cloudchamber train {name}{budget} -o run`.

## Limits

- It knows events as the simulation draws them: particles from a vertex with kinetic energies up to 2 GeV,
  protons to 400 MeV, and crossing muons; deposits without diffusion, noise or dead channels. On other
  detectors train it again.
"""


@dataclass(frozen=True)
class FinishedVoxels:
    """A trained model and its score on the validation events."""

    bundle: VoxelsBundle
    score: VoxelsScore
    seconds: float


def write_voxels_card(
    recipe: VoxelsRecipe, trained: TrainedVoxels, score: VoxelsScore, voxel_mm: float, budget: str | None
) -> str:
    """Return the text of the card."""
    data, training = recipe.data, recipe.training
    return _CARD.format(
        name=recipe.name,
        about=recipe.about,
        train_n=data.train.n,
        epochs=training.epochs,
        voxel_mm=voxel_mm,
        network=recipe.model.name,
        parameters=sum(p.numel() for p in trained.network.parameters()),
        options=", ".join(f"{k} = {v}" for k, v in recipe.model.options.items()) or "default",
        energy=recipe.model.energy,
        setting=data.train.setting,
        seed=data.train.seed,
        labels="relabelled" if data.relabel else "regular",
        batch=training.batch,
        schedule=training.schedule.text,
        symmetries=", the 48 symmetries of the cube" if training.symmetries else "",
        weights=", class weights that predictions take back" if training.class_weights else "",
        minutes=trained.seconds / 60,
        accuracy=score.accuracy.text(4),
        val_n=score.n_events,
        val_seed=data.validation.seed,
        classes=", ".join(f"{each.label.name} {each.accuracy.text()}" for each in score.classes),
        budget=f" --budget {budget}" if budget else "",
    )


def log_weights_of(train: VoxelEvents, power: float) -> tuple[float, ...]:
    """Return the mean logarithm of the weights of each class in a training, none if there were no weights."""
    if not power or train.label is None:
        return ()
    event, label = torch.from_numpy(train.event_of_voxel()), torch.from_numpy(train.label.astype(np.int64))
    means = mean_log_weights(event, label, len(train), len(VoxelLabel), power)
    return tuple(round(each, 4) for each in means.tolist())


def train_voxels_recipe(
    recipe: VoxelsRecipe,
    folder: Path,
    train: VoxelEvents,
    validation: VoxelEvents,
    *,
    threads: int | None = None,
    budget: str | None = None,
) -> FinishedVoxels:
    """Train what a recipe asks for, in a folder; what is done there already is not done again.

    Raises
    ------
    InputError
        if the folder holds a run of another recipe, or a damaged checkpoint.
    """
    trained = train_voxels(recipe, train, validation, folder, threads=threads)
    config = VoxelsBundleConfig(
        name=recipe.name,
        network=recipe.model.name,
        options=recipe.model.options,
        energy=recipe.model.energy,
        voxel_mm=train.voxel_mm,
        relabelled=recipe.data.relabel,
        log_weights=log_weights_of(train, recipe.training.class_weights),
    )
    bundle = VoxelsBundle(config, trained.network, "")
    score = score_voxels(validation, *predict_events(bundle, validation))
    card = write_voxels_card(recipe, trained, score, train.voxel_mm, budget)
    return FinishedVoxels(VoxelsBundle(config, trained.network, card), score, trained.seconds)
