"""One point of a plan: simulated, predicted and scored once, and kept in a folder."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError

from cloudchamber import __version__
from cloudchamber.files import write_text
from cloudchamber.infer.bundle import Bundle
from cloudchamber.infer.measure import bundle_entrant
from cloudchamber.infer.predict import predict_blocks
from cloudchamber.prepare.volumes import stack_maps
from cloudchamber.score.walls import WallsScore, score_walls
from cloudchamber.simulate.walls.config import WallsConfig
from cloudchamber.source.hdf5 import open_hdf5, read_rows
from cloudchamber.source.store import TARGETS, X0

Simulate = Callable[[Path, WallsConfig, int, bool], None]
"""Writes a data set: its path, the configuration, how many volumes, whether with the tracks' maps."""
MOST_MUONS = 30_000


class PointWork(NamedTuple):
    """What a point needs: its configuration, ``n`` volumes and the data set's seed."""

    config: WallsConfig
    n: int
    seed: int

    @property
    def key(self) -> str:
        """A name that changes whenever the volumes may."""
        told = json.dumps([self.config.model_dump_json(), self.n, self.seed, __version__])
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def volumes_of(config: WallsConfig, n: int) -> int:
    """Return how many volumes a point gets: ``n``, and fewer above 30,000 muons, for the time they take."""
    return max(min(n, 2), round(n * min(1.0, MOST_MUONS / config.muons.count)))


def _record(folder: Path, work: PointWork, bundle: Bundle) -> Path:
    return folder / f"{work.key}-{bundle_entrant(bundle).identity[:16]}.json"


def read_score(folder: Path, work: PointWork, bundle: Bundle) -> WallsScore | None:
    """Return the score of a point that is done; none if it is not, or its record cannot be understood."""
    try:
        return WallsScore.model_validate_json(_record(folder, work, bundle).read_bytes())
    except (OSError, ValidationError):
        return None


def score_point(
    folder: Path, work: PointWork, bundles: Mapping[str, Bundle], simulate: Simulate
) -> dict[str, WallsScore]:
    """Return the score of every bundle at one point; what the folder holds already is not done again.

    The volumes are simulated once for all bundles, into a file of the folder that is removed in the end. They
    are read without the checks of plausibility that files of users get: where resolution or momenta are poor,
    X0 lies far from anything such a check expects.

    Raises
    ------
    InputError
        if the volumes do not fit a network, or the folder cannot be written.
    """
    known = {name: read_score(folder, work, bundle) for name, bundle in bundles.items()}
    missing = {name: bundle for name, bundle in bundles.items() if known[name] is None}
    if missing:
        maps = any(bundle.config.inputs.names != (X0,) for bundle in missing.values())
        path = folder / f"{work.key}{'-maps' if maps else ''}.h5"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            simulate(path, work.config, work.n, maps)
        with open_hdf5(path) as file:
            volumes = {name: read_rows(file[name], path, 0, work.n) for name in file}
        walls = volumes[TARGETS].astype(np.bool_)
        for name, bundle in missing.items():
            stacked = stack_maps(volumes, bundle.config.inputs.names)
            ((preds, probability),) = predict_blocks(bundle, iter([stacked]))
            score = known[name] = score_walls(preds, walls, probability)
            write_text(_record(folder, work, bundle), score.model_dump_json(indent=2) + "\n")
        path.unlink()
    return {name: score for name, score in known.items() if score is not None}
