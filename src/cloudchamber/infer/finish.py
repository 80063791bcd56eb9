"""From a recipe to a bundle: networks, votes and pseudo-labels, cuts from the validation set, a card."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import nn

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import Bundle, BundleConfig
from cloudchamber.infer.card import write_card
from cloudchamber.infer.predict import predict_probability
from cloudchamber.infer.thresholds import Thresholds, fit_thresholds
from cloudchamber.model.ensemble import Ensemble
from cloudchamber.prepare.normalise import Inputs
from cloudchamber.prepare.volumes import WallVolumes, stack_maps
from cloudchamber.score.walls import WallsScore, iou_per_sample, score_walls
from cloudchamber.train.recipe import Recipe, load_recipe
from cloudchamber.train.run import Trained, train

Maps = Mapping[str, Float[np.ndarray, "n z x y"]]


@dataclass(frozen=True)
class Finished:
    """What training after a recipe gives: a bundle, its score on the validation set, seconds of training."""

    bundle: Bundle
    score: WallsScore
    seconds: float


@dataclass(frozen=True)
class _Round:
    """The networks of one round and how they are joined."""

    networks: tuple[Trained, ...]
    network: nn.Module
    inputs: Inputs
    options: dict[str, object]


def _member(recipe: Recipe, round_: int, index: int) -> Recipe:
    """Return the recipe of one network of an ensemble: its options and a seed of its own."""
    change = recipe.ensemble.options[index // recipe.ensemble.copies]
    model = recipe.model.model_copy(update={"options": {**recipe.model.options, **change}})
    training = recipe.training.model_copy(update={"seed": recipe.training.seed + 1000 * round_ + index})
    return recipe.model_copy(update={"model": model, "training": training})


def _hard(trained: list[Trained], volumes: WallVolumes, boost: float) -> Float[np.ndarray, "n"]:
    """Return weights 1 + boost (1 - IOU)/mean(1 - IOU) under the networks so far, each cut at one half."""
    network = trained[0].network if len(trained) == 1 else Ensemble([each.network for each in trained])
    inputs = trained[0].inputs
    maps = stack_maps(volumes.maps, inputs.names)
    missed = 1 - iou_per_sample(
        predict_probability(network, inputs, maps, symmetries=False) > 0.5, volumes.walls
    )
    return np.asarray(1 + boost * missed / max(1e-9, float(missed.mean())))


def _train_round(
    recipe: Recipe, round_: int, volumes: WallVolumes, validation: WallVolumes, folder: Path,
    threads: int | None, begin: Bundle | None,
) -> _Round:  # fmt: skip
    size, trained = recipe.ensemble.size, list[Trained]()
    for index in range(size):
        alone = size == 1 and recipe.pseudo_labels is None
        place = folder if alone else folder / f"round-{round_}" / f"network-{index}"
        weights = (
            _hard(trained, volumes, recipe.ensemble.boost) if trained and recipe.ensemble.boost else None
        )
        trained.append(
            train(
                _member(recipe, round_, index),
                volumes,
                validation,
                place,
                threads=threads,
                weights=weights,
                begin=(begin.network.state_dict(), begin.config.inputs) if begin else None,
            )
        )
    if size == 1:
        return _Round(tuple(trained), trained[0].network, trained[0].inputs, recipe.model.options)
    members = [
        {"name": recipe.model.name, "options": _member(recipe, round_, index).model.options}
        for index in range(size)
    ]
    options: dict[str, object] = {"members": members, "vote_cut": recipe.ensemble.vote_cut}
    network = Ensemble([each.network for each in trained], recipe.ensemble.vote_cut).eval()
    return _Round(tuple(trained), network, trained[0].inputs, options)


def _probability(recipe: Recipe, found: _Round, maps: Maps) -> Float[np.ndarray, "n z x y"]:
    stacked = stack_maps(maps, found.inputs.names)
    return predict_probability(found.network, found.inputs, stacked, symmetries=recipe.symmetries)


def _fit_cuts(recipe: Recipe, found: _Round, validation: WallVolumes) -> tuple[Thresholds, np.ndarray]:
    probability = _probability(recipe, found, validation.maps)
    return fit_thresholds(recipe.thresholds, probability, validation.walls, recipe.fixed_cut), probability


def train_recipe(
    recipe: Recipe,
    folder: Path,
    train_volumes: WallVolumes,
    validation: WallVolumes,
    *,
    unlabelled: Maps | None = None,
    begin: Bundle | None = None,
    threads: int | None = None,
) -> Finished:
    """Train everything that a recipe asks for, in a folder; what is done there already is not done again.

    An ensemble's networks are trained one after the other; with pseudo-labels a second round trains on the
    volumes of ``unlabelled`` too, labelled by the first round. Cuts are fitted on the validation volumes. The
    weights begin with those of ``begin``; a recipe that begins with another trains that one first where none
    is given, on the same volumes or the first of them.

    Raises
    ------
    InputError
        if the folder holds a run of another recipe, a map is missing, there are no unlabelled volumes where
        the recipe asks for them, or what it begins with does not fit.
    """
    earlier = 0.0
    if begin is None and recipe.begin_with:
        first = load_recipe(recipe.begin_with)
        ours, theirs = recipe.data.train, first.data.train
        if ours.model_copy(update={"n": theirs.n}) != theirs or theirs.n > len(train_volumes):
            raise InputError(recipe.name, "begin_with", "a recipe on some of the same volumes", str(theirs))
        some = train_volumes.chosen(slice(theirs.n))
        done = train_recipe(first, folder / "first", some, validation, threads=threads)
        begin, earlier = done.bundle, done.seconds
    if begin is not None and begin.config.options != recipe.model.options:
        wanted = f"a network with the options {recipe.model.options}"
        raise InputError(recipe.name, "begin_with", wanted, str(begin.config.options))
    found = _train_round(recipe, 0, train_volumes, validation, folder, threads, begin)
    every = list(found.networks)
    if recipe.pseudo_labels:
        if unlabelled is None:
            raise InputError(recipe.name, "unlabelled", "volumes to label in a second round", "none")
        for round_ in range(1, recipe.pseudo_labels.rounds + 1):
            thresholds, _ = _fit_cuts(recipe, found, validation)
            labels = thresholds(_probability(recipe, found, unlabelled))
            more = train_volumes.joined(WallVolumes(unlabelled, labels))
            found = _train_round(recipe, round_, more, validation, folder, threads, begin)
            every += found.networks
    thresholds, probability = _fit_cuts(recipe, found, validation)
    score = score_walls(thresholds(probability), validation.walls, probability)
    seconds = earlier + sum(each.seconds for each in every)
    config = BundleConfig(
        name=recipe.name,
        task=recipe.task,
        network=recipe.model.name if recipe.ensemble.size == 1 else "ensemble",
        options=found.options,
        inputs=found.inputs,
        thresholds=thresholds,
        symmetries=recipe.symmetries,
    )
    parameters = sum(p.numel() for p in found.network.parameters())
    last = [each.metrics[-1]["val_iou"] for each in found.networks]
    card = write_card(recipe, parameters, thresholds, score, last, seconds)
    return Finished(Bundle(config, found.network, card), score, seconds)
