"""From a recipe for hits to a bundle: train, score on the validation events, write the card."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from torch import nn

from cloudchamber.infer.energy_bundle import round_weights
from cloudchamber.infer.hits_bundle import HitsBundle, HitsBundleConfig
from cloudchamber.infer.hits_measure import match_planes, measure_hits, with_planes
from cloudchamber.prepare.hit_images import HitImages, keep_images
from cloudchamber.score.hits import HitsScore, VertexScore
from cloudchamber.score.hits_vertices import REACH_MM, choose_cuts
from cloudchamber.train.hits_recipe import HitsRecipe
from cloudchamber.train.hits_run import TrainedHits, train_hits
from cloudchamber.wire_events import WireEvents

Blocks: TypeAlias = Callable[[], Iterable[WireEvents]]

_CARD = """# {name}

{about} Trained on {train_n:,} simulated events for {epochs} epochs.

- **Task**: hits: what {reads} of the collection wires show{outputs}.
- **Network**: {network}, {parameters:,} parameters; options: {options}; reads the signal over
  {scale_adc:g} ADC per tick, clipped to {low:g} to {high:g}; pixels of {pitch_mm:.3g} x {drift_mm:.3g} mm.
- **Trained on** {train_n:,} events of cloudchamber's simulation, setting {setting}, seed {seed}:
  {examples:,} {kind} to draw from, {epochs} epochs of {steps:,} batches of {batch}, {optimiser},
  {schedule}{draw}{augment}{teacher}; {minutes:.0f} min.
- **Validation** {score}, on {val_n:,} events, seed {val_seed}, of the same simulation (errors: bootstrap over
  events).
- **To make it again**: `cloudchamber train {name}{budget} -o run`.

## Limits

- It knows readouts as the simulation draws them: beam particles, halo and cosmics in ProtoDUNE-SP, its noise
  and its response. What it says of other detectors, or of real data, is not known from this score.
"""


@dataclass(frozen=True)
class FinishedHits:
    """A trained model and its score on the validation events."""

    bundle: HitsBundle
    score: HitsScore | VertexScore
    seconds: float


def score_text(score: HitsScore | VertexScore) -> str:
    """Return the figures of merit in a line."""
    if isinstance(score, VertexScore):
        at_hits = f"on whole planes, within {REACH_MM:g} mm, with cuts chosen on validation events: "
        kinds = ", ".join(
            f"{each.name}: efficiency {each.efficiency.text()}, purity {each.purity.text()}"
            for each in score.found or score.kinds
            if each.n
        )
        area = f"area under the ROC curve {score.vertex.area.text(4)} (vertex against not)"
        return f"{area}; {at_hits if score.found else ''}{kinds}"
    return (
        f"areas under the ROC curve at {score.at}: EM against track {score.em.area.text(4)}, "
        f"Michel {score.michel.area.text(4)}"
    )


def _draw_text(recipe: HitsRecipe) -> str:
    draw, said = recipe.training.draw, ""
    if draw.hardness:
        said += f", drawn by their last loss to the power {draw.hardness:g}"
    if draw.michel_share is not None:
        said += f", {draw.michel_share:.0%} with a Michel electron"
    return said


def _augment_text(recipe: HitsRecipe) -> str:
    augment = recipe.training.augment
    parts = [name for name, on in (("flips", augment.flips), ("gain", augment.gain)) if on]
    parts += ["noise"] if augment.noise else []
    return f", {', '.join(parts)} varied" if parts else ""


def write_hits_card(
    recipe: HitsRecipe,
    trained: TrainedHits,
    score: HitsScore | VertexScore,
    config: HitsBundleConfig,
    budget: str | None,
) -> str:
    """Return the text of the card."""
    data, training, reads = recipe.data, recipe.training, recipe.model.reads
    drawn = training.draw.per_epoch or trained.examples
    outputs = {
        "plane": ": track, electromagnetic (em) or none, and whether it is a Michel electron",
        "patch": ": track, electromagnetic (em) or none, and whether it is a Michel electron",
        "vertex-patch": ": decay, hadronic, conversion, neutrino or no vertex",
    }
    return _CARD.format(
        name=recipe.name, about=recipe.about, train_n=data.train.n, epochs=training.epochs,
        reads="the pixels of a whole plane" if reads == "plane" else "pixels, each from a patch around it,",
        outputs=outputs[reads], network=recipe.model.name,
        parameters=sum(p.numel() for p in trained.network.parameters()),
        options=", ".join(f"{k} = {v}" for k, v in recipe.model.options.items()) or "default",
        scale_adc=config.scale.scale_adc, low=config.scale.low, high=config.scale.high,
        pitch_mm=config.pitch_mm, drift_mm=config.drift_mm, setting=data.train.setting,
        seed=data.train.seed, examples=trained.examples, kind="crops" if reads == "plane" else "patches",
        steps=max(1, drawn // training.batch), batch=training.batch, optimiser=training.optimiser,
        schedule=training.schedule.text, draw=_draw_text(recipe), augment=_augment_text(recipe),
        teacher=f", taught by {recipe.teacher.recipe}" if recipe.teacher else "",
        minutes=trained.seconds / 60, score=score_text(score), val_n=score.n_events,
        val_seed=data.validation.seed, budget=f" --budget {budget}" if budget else "",
    )  # fmt: skip


def train_hits_recipe(
    recipe: HitsRecipe,
    folder: Path,
    train: HitImages,
    validation: Blocks,
    *,
    teacher: nn.Module | None = None,
    threads: int | None = None,
    budget: str | None = None,
) -> FinishedHits:
    """Train what a recipe asks for, in a folder; what is done there already is not done again.

    ``validation`` gives the validation events block by block, each time that it is called; they are scored at
    their hits, or at lit pixels if they have none.

    Raises
    ------
    InputError
        if the folder holds a run of another recipe, or a damaged checkpoint.
    ValueError
        if there is nothing to train on, a teacher is missing, or events have no truth.
    """
    trained = train_hits(recipe, train, keep_images(validation()), folder, teacher=teacher, threads=threads)
    round_weights(trained.network)
    config = HitsBundleConfig(
        name=recipe.name,
        network=recipe.model.name,
        options=json.loads(json.dumps(recipe.model.options)),  # as a file gives it back: lists
        scale=recipe.model.scale,
        pitch_mm=train.readout.pitch_mm,
        drift_mm=train.readout.drift_mm,
        n_train=len(train),
    )
    bundle = HitsBundle(config, trained.network, "")
    with_hits = all(block.hits is not None for block in validation())
    score = measure_hits(bundle, validation(), "hits" if with_hits else "lit pixels")
    if isinstance(score, VertexScore) and with_hits:
        n, matches = match_planes(bundle, validation())
        config = config.model_copy(update={"vertex_cuts": choose_cuts(matches)})
        score = with_planes(score, config.vertex_cuts, n, matches)
    card = write_hits_card(recipe, trained, score, config, budget)
    return FinishedHits(HitsBundle(config, trained.network, card), score, trained.seconds)
