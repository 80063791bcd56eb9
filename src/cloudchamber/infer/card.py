"""The card of a bundle: what it is, how it was made, how good it is, and where it ends."""

import re
import textwrap
from collections.abc import Sequence

from cloudchamber.infer.thresholds import Thresholds
from cloudchamber.score.walls import WallsScore
from cloudchamber.train.recipe import Recipe

_CARD = """# {name}

{about} Trained on {train_n:,} simulated volumes for {epochs} epochs.

- **Task**: {task}: from {maps} (axes z, x, y; z = 0 the deepest layer) to the probability of wall in every
  voxel.
- **Network**: {networks}{network}, {parameters:,} parameters; options: {options}.
- **Trained on** {train_n:,} volumes of cloudchamber's simulation, setting {setting}, seed {train_seed};
  {epochs} epochs of batches of {batch}, loss {loss}, {schedule}{symmetries}; {minutes:.0f} min.{more}
- **Thresholds**: {kind}, {cuts}; fitted on {val_n:,} validation volumes (seed {val_seed}), never on
  a test set.
- **Validation IOU** {iou:.4f} ± {error:.4f} (bootstrap) on those {val_n:,} volumes, {views}, on
  cloudchamber's simulation. The cuts were fitted on the same volumes; last epoch of each network alone,
  one view, cut at one half: {last}.
- **To make it again**: `cloudchamber train {name} -o run`.

## Limits

- It knows walls as the MODE challenge of 2022 draws them: upright, one voxel thick, on one level per volume,
  in soil of one kind, seen by 10,000 muons of 1 GeV in panels of 0.1 mm. On other exposures, resolutions,
  momenta or materials its probabilities are not calibrated: train on a simulation of your own set-up.
- {input_limit}
"""
_X0_LIMIT = (
    "The map must be the weighted PoCA average of the challenge (`cloudchamber.simulate.walls.x0map`)."
)
_MAPS_LIMIT = (
    "The maps must be those of `cloudchamber simulate walls --maps` (`cloudchamber.simulate.walls.maps`);\n"
    "  the challenge's own files hold `x0` alone."
)


def _wrapped(text: str) -> str:
    """Return Markdown with each paragraph and list item filled to the width of our documents."""
    blocks = re.split(r"\n(?=\n|- )", text.strip())
    filled = []
    for block in blocks:
        gap = "\n" if block.startswith("\n") else ""
        indent = "  " if block.lstrip("\n").startswith("- ") else ""
        words = " ".join(block.split())
        filled.append(gap + textwrap.fill(words, 110, subsequent_indent=indent, break_on_hyphens=False))
    return "\n".join(filled) + "\n"


def write_card(
    recipe: Recipe, parameters: int, thresholds: Thresholds, score: WallsScore, last: Sequence[float],
    seconds: float,
) -> str:  # fmt: skip
    """Return the text of the card; ``last`` is the validation IOU of each network after its last epoch."""
    training, data = recipe.training, recipe.data
    maps = recipe.model.inputs
    what = "a map of radiation lengths in metres" if maps == ("x0",) else "the maps " + ", ".join(maps)
    pseudo = ""
    if recipe.pseudo_labels:
        more = recipe.pseudo_labels.unlabelled
        pseudo = f" A second round added {more.n:,} volumes (seed {more.seed}) with the first round's labels."
    begin = f" The weights began with those of {recipe.begin_with}." if recipe.begin_with else ""
    size = recipe.ensemble.size
    text = _CARD.format(
        name=recipe.name,
        about=recipe.about,
        task=recipe.task,
        maps=what,
        networks="" if size == 1 else f"{size} networks, ",
        network=recipe.model.name,
        parameters=parameters,
        options=", ".join(f"{k} = {v}" for k, v in recipe.model.options.items()) or "default",
        train_n=data.train.n,
        setting=data.train.setting,
        train_seed=data.train.seed,
        epochs=training.epochs,
        batch=training.batch,
        loss=training.loss,
        schedule=training.schedule.text,
        symmetries=", random symmetries" if training.symmetries else "",
        minutes=seconds / 60,
        more=begin + pseudo,
        kind=thresholds.kind,
        cuts=", ".join(f"{cut:g}" for cut in thresholds.cuts),
        val_n=score.n,
        val_seed=data.validation.seed,
        iou=score.iou.value,
        error=score.iou.error,
        views="averaged over symmetric views" if recipe.symmetries else "one view",
        last=", ".join(f"{value:.4f}" for value in last),
        input_limit=_X0_LIMIT if maps == ("x0",) else _MAPS_LIMIT,
    )
    return _wrapped(text)
