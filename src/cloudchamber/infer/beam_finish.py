"""From a recipe for beam and cosmics to a bundle: train, score on the validation images, write the card."""

import json
from dataclasses import dataclass
from pathlib import Path

from cloudchamber.infer.beam_bundle import BeamBundle, BeamBundleConfig
from cloudchamber.infer.beam_predict import predict_images
from cloudchamber.infer.energy_bundle import round_weights
from cloudchamber.prepare.beam_images import BeamImages
from cloudchamber.score.beam import BeamScore, score_beam
from cloudchamber.train.beam_recipe import BeamRecipe
from cloudchamber.train.beam_run import TrainedBeam, train_beam

_CARD = """# {name}

{about} Trained on {train_n:,} simulated images for {epochs} epochs.

- **Task**: beam: from collection wires of a LArTPC, {plane_wires} wires x {plane_drifts} pixels of {rebin}
  ticks, as images of {wires} x {drifts} ({downsampling}), to one class per pixel: {classes}.
- **Network**: {network}, {parameters:,} parameters; options: {options}; signal on a scale {scale}.
- **Trained on** {train_n:,} images of cloudchamber's simulation, setting {setting}, seed {seed}, of events
  with {least_beam} beam hits or more; {epochs} epochs of batches of {batch}, loss {loss}, {schedule};
  {minutes:.0f} min.
- **Validation** mean IOU {miou}, without background {without} (bootstrap over images), on {val_n:,} images,
  seed {val_seed}, on cloudchamber's simulation. IOU per class: {ious}.{chose}
- **Truth**: a pixel of the plane is background below {least_signal:g} {unit} per tick, else the class of what
  left most charge; of an image's pixel, that of the largest {label}.
- **To make it again**: `cloudchamber train {name}{budget} -o run`.

## Limits

- It knows events as the simulation draws them: one beam particle that enters at one place and time, with
  cosmics and halo. Where the beam enters elsewhere, train it again. Without a beam particle it may still
  find one.
- Whole planes are labelled through the image: two tracks in one window get one class.
"""


@dataclass(frozen=True)
class FinishedBeam:
    """A trained model and its score on the validation images."""

    bundle: BeamBundle
    score: BeamScore
    seconds: float


def _card(
    recipe: BeamRecipe, trained: TrainedBeam, config: BeamBundleConfig, score: BeamScore, budget: str | None
) -> str:
    data, training, images = recipe.data, recipe.training, recipe.data.images
    options = {k: v for k, v in trained.options.items() if k not in ("inputs", "classes", "fine")}
    return _CARD.format(
        name=recipe.name, about=recipe.about, train_n=config.n_train, epochs=len(trained.metrics),
        plane_wires=config.plane_wires, plane_drifts=config.plane_drifts, rebin=images.rebin,
        wires=images.wires, drifts=images.drifts, downsampling=images.downsampling,
        classes=", ".join(label.name.lower().replace("_", "-") for label in images.labels),
        network=recipe.model.name, parameters=sum(p.numel() for p in trained.network.parameters()),
        options=", ".join(f"{k} = {v}" for k, v in options.items()) or "default", scale=recipe.model.scale,
        setting=data.train.setting, seed=data.train.seed,
        least_beam=data.train_images.least_beam, batch=training.batch,
        loss=training.loss.text, schedule=training.schedule.text, minutes=trained.seconds / 60,
        miou=score.mean_iou.text(4), without=score.mean_iou_without_background.text(4), val_n=score.n_images,
        val_seed=data.validation.seed,
        ious=", ".join(f"{each.name.lower().replace('_', '-')} {each.iou.text(4)}" for each in score.classes),
        chose=" They also chose the epoch." if training.patience else "",
        least_signal=images.least_signal, unit=config.unit,
        label="signal" if images.label == "maximum" else "labelled signal",
        budget=f" --budget {budget}" if budget else "",
    )  # fmt: skip


def train_beam_recipe(
    recipe: BeamRecipe,
    folder: Path,
    train: BeamImages,
    validation: BeamImages,
    *,
    plane: tuple[int, int],
    threads: int | None = None,
    budget: str | None = None,
) -> FinishedBeam:
    """Train what a recipe asks for, in a folder; what is done there already is not done again.

    ``plane`` is (wires, pixels of ``rebin`` ticks) of the planes that the images were made of.

    Raises
    ------
    InputError
        if there are no images, the folder holds a run of another recipe, or a damaged checkpoint.
    """
    trained = train_beam(recipe, train, validation, folder, threads=threads)
    round_weights(trained.network)
    config = BeamBundleConfig(
        name=recipe.name, network=recipe.model.name,
        options=json.loads(json.dumps(trained.options)), inputs=trained.inputs,
        images=recipe.data.images, unit=train.readout.unit, plane_wires=plane[0], plane_drifts=plane[1],
        n_train=len(train),
    )  # fmt: skip
    if validation.label is None:
        raise ValueError("validation needs labels")
    predicted = predict_images(BeamBundle(config, trained.network, ""), validation)[0]
    score = score_beam(validation.label, predicted, recipe.data.images.labels)
    card = _card(recipe, trained, config, score, budget)
    return FinishedBeam(BeamBundle(config, trained.network, card), score, trained.seconds)
