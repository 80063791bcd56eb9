"""Prediction from file to file, block by block: memory does not grow with the number of volumes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import Bundle
from cloudchamber.infer.predict import predict_blocks
from cloudchamber.prepare.volumes import stack_maps
from cloudchamber.progress import progress
from cloudchamber.source.predictions import CLASSES, PROBABILITY, UNITS
from cloudchamber.source.store import iterate_walls
from cloudchamber.source.writer import write_store

BLOCK = 2048


def predict_file(bundle: Bundle, source: Path, target: Path, *, symmetries: bool | None = None) -> int:
    """Predict every volume of ``source``, which must hold the bundle's maps, and write ``target`` as a whole.

    ``target`` holds ``preds`` (int64, 0 or 1) and ``probability`` (float32), both (sample, z, x, y), and the
    bundle's name and card.

    Returns
    -------
    The number of volumes.

    Raises
    ------
    InputError
        if the source is no data set of walls or does not fit the network, or the target cannot be written.
    """
    if target.exists() and target.samefile(source):
        raise InputError(target, "", "another file than the input", "the same")

    names = bundle.config.inputs.names

    def blocks() -> Iterator[Float32[np.ndarray, "n map z x y"]]:
        for block in iterate_walls(source, BLOCK, targets=False, maps=names):
            yield stack_maps({"x0": block.x0_m, **block.maps}, names)

    n = sum(len(maps) for maps in blocks())  # a file that is damaged at its end is refused at once

    attributes: dict[str, str | int | float] = {
        "task": bundle.config.task,
        "model": bundle.config.name,
        "card": bundle.about,
        "source": source.name,
        "symmetries": int(bundle.config.symmetries if symmetries is None else symmetries),
    }
    with progress("predicting", n, "volumes") as advance, write_store(target, n, attributes, UNITS) as add:
        for walls, probability in predict_blocks(bundle, blocks(), symmetries=symmetries):
            add({CLASSES: walls.astype(np.int64), PROBABILITY: probability})
            advance(len(walls))
    return n
