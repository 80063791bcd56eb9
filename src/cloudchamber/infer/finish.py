"""From a finished training run to a bundle: thresholds from the validation set, and a card that says all."""

from cloudchamber.infer.bundle import Bundle, BundleConfig
from cloudchamber.infer.predict import predict_probability
from cloudchamber.infer.thresholds import fit_thresholds
from cloudchamber.score.walls import WallsScore, score_walls
from cloudchamber.train.recipe import Recipe
from cloudchamber.train.run import Trained, WallVolumes

_CARD = """# {name}

{about} Trained on {train_n:,} simulated volumes for {epochs} epochs.

- **Task**: {task}: from a map of radiation lengths (metres, axes z, x, y; z = 0 the deepest layer) to the
  probability of wall in every voxel.
- **Network**: {network}, {parameters:,} parameters; options: {options}.
- **Trained on** {train_n:,} volumes of cloudchamber's simulation, setting {setting}, seed {train_seed};
  {epochs} epochs of batches of {batch}, loss {loss}, one-cycle learning rate up to {peak:g}, random
  symmetries.
- **Thresholds**: {kind}, {cuts}; fitted on {val_n:,} validation volumes (seed {val_seed}), never on
  a test set.
- **Validation IOU** {iou:.4f} ± {error:.4f} (bootstrap) on those {val_n:,} volumes, averaged over {views}
  symmetric views, on cloudchamber's simulation. The cuts were fitted on the same volumes; last epoch before
  averaging: {last:.4f}.
- **To make it again**: `cloudchamber train {recipe} -o run`.

## Limits

- It knows walls as the MODE challenge of 2022 draws them: upright, one voxel thick, on one level per volume,
  in soil of one kind, seen by 10,000 muons of 1 GeV in panels of 0.1 mm. On other exposures, resolutions,
  momenta or materials its probabilities are not calibrated: train on a simulation of your own set-up.
- The map must be the weighted PoCA average of the challenge (`cloudchamber.simulate.walls.x0map`).
"""


def finish(recipe: Recipe, trained: Trained, validation: WallVolumes) -> tuple[Bundle, WallsScore]:
    """Fit the thresholds, score the validation set and write the card.

    Returns
    -------
    The bundle, not yet saved, and the score on the validation volumes.
    """
    probability = predict_probability(trained.network, trained.standardise, validation.x0_m)
    thresholds = fit_thresholds(recipe.thresholds, probability, validation.walls)
    score = score_walls(thresholds(probability), validation.walls, probability)
    training, data = recipe.training, recipe.data
    card = _CARD.format(
        name=recipe.name,
        about=recipe.about,
        task=recipe.task,
        network=recipe.model.name,
        parameters=sum(p.numel() for p in trained.network.parameters()),
        options=", ".join(f"{k} = {v}" for k, v in recipe.model.options.items()) or "default",
        train_n=data.train.n,
        setting=data.train.setting,
        train_seed=data.train.seed,
        epochs=training.epochs,
        batch=training.batch,
        loss=training.loss,
        peak=training.schedule.peak,
        kind=thresholds.kind,
        cuts=", ".join(f"{cut:g}" for cut in thresholds.cuts),
        val_n=len(validation.x0_m),
        val_seed=data.validation.seed,
        iou=score.iou.value,
        error=score.iou.error,
        views=8,
        last=trained.metrics[-1]["val_iou"],
        recipe=recipe.name,
    )
    config = BundleConfig(
        name=recipe.name,
        task=recipe.task,
        network=recipe.model.name,
        options=recipe.model.options,
        standardise=trained.standardise,
        thresholds=thresholds,
    )
    return Bundle(config, trained.network, card), score
