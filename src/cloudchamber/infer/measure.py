"""What a system reaches on a test set and what it costs, measured once and kept in its folder."""

import hashlib
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from pydantic import ValidationError

from cloudchamber.errors import InputError
from cloudchamber.files import write_text
from cloudchamber.infer.bundle import Bundle
from cloudchamber.infer.files import predict_file
from cloudchamber.infer.predict import predict_blocks
from cloudchamber.infer.x0_cuts import X0Cuts
from cloudchamber.prepare.volumes import stack_maps
from cloudchamber.score.bootstrap import Estimate, Frozen, bootstrap_mean
from cloudchamber.score.walls import iou_per_sample
from cloudchamber.source.check import dataset_sha256
from cloudchamber.source.hdf5 import open_hdf5
from cloudchamber.source.predictions import read_predictions, write_predictions
from cloudchamber.source.store import TARGETS, X0, find_walls, read_walls

Maps = Mapping[str, Float[np.ndarray, "n z x y"]]
RECORD, PREDICTIONS = "measured.json", "predictions.h5"
TIMED_VOLUMES, TIMED_RUNS = 256, 3
SLOW_S, SLOW_VOLUMES = 2.0, 32  # what takes longer than this is timed on fewer volumes


@dataclass(frozen=True)
class Entrant:
    """A system to measure.

    ``identity`` changes whenever its predictions may; ``predict_file`` predicts from file to file;
    ``predict`` the maps of some volumes in memory, which is what is timed.
    """

    identity: str
    parameters: int
    inputs: tuple[str, ...]
    predict_file: Callable[[Path, Path], object]
    predict: Callable[[Maps], object]


class Measured(Frozen):
    """What was measured, of which system (``entrant``) and on which volumes (``test``, SHA-256)."""

    entrant: str
    test: str
    iou: Estimate
    volumes: tuple[float, ...]
    parameters: int
    inference_ms: float
    threads: int


def bundle_entrant(bundle: Bundle) -> Entrant:
    """Return a trained model as it predicts: averaged over symmetric views if it says so, cuts applied."""
    names = bundle.config.inputs.names
    identity = hashlib.sha256(bundle.config.model_dump_json().encode())
    for name, value in sorted(bundle.network.state_dict().items()):
        identity.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return Entrant(
        identity=identity.hexdigest(),
        parameters=sum(p.numel() for p in bundle.network.parameters()),
        inputs=names,
        predict_file=lambda source, target: predict_file(bundle, source, target),
        predict=lambda maps: list(predict_blocks(bundle, iter([stack_maps(maps, names)]))),
    )


def cuts_entrant(cuts: X0Cuts) -> Entrant:
    """Return cuts on the radiation length as a system; its parameters are the cuts."""

    def cut_file(source: Path, target: Path) -> None:
        about = {"model": "cuts on X0", "source": source.name}
        write_predictions(target, cuts(read_walls(source, targets=False).x0_m), None, about)

    return Entrant(
        identity=hashlib.sha256(cuts.model_dump_json().encode()).hexdigest(),
        parameters=len(cuts.cuts_m),
        inputs=(X0,),
        predict_file=cut_file,
        predict=lambda maps: cuts(maps[X0]),
    )


def identify_volumes(path: Path, inputs: tuple[str, ...] = (X0,)) -> str:
    """Return one SHA-256 of the targets and of the maps named, whatever else the file holds.

    Raises
    ------
    InputError
        if the file cannot be read, or lacks targets or a map.
    """
    with open_hdf5(path) as file:
        found = find_walls(file, path, True, inputs)
        datasets = {X0: found.x0, TARGETS: found.targets, **found.maps}
        sums = {name: dataset_sha256(each, path) for name, each in datasets.items() if each is not None}
    return hashlib.sha256(repr(sorted(sums.items())).encode()).hexdigest()


def time_per_volume(predict: Callable[[Maps], object], maps: Maps, *, runs: int = TIMED_RUNS) -> float:
    """Return the milliseconds that a volume takes: the median of several runs, after one that warms up.

    Parameters
    ----------
    predict : what to time.
    maps : by name, of the volumes that every run predicts, (n, z, x, y); the first 32 of them if these alone
        take more than two seconds.
    """
    few = {name: values[:SLOW_VOLUMES] for name, values in maps.items()}
    start = time.perf_counter()
    predict(few)
    if time.perf_counter() - start > SLOW_S:
        maps = few
    n = len(next(iter(maps.values())))
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        predict(maps)
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds) / n


def measure(entrant: Entrant, test: Path, folder: Path) -> Measured:
    """Score and time a system on a test set, unless its folder says that just this was done before.

    The predictions stay in the folder, for a report on them.

    Raises
    ------
    InputError
        if the test set cannot be read, lacks targets or a map, or does not fit the system.
    """
    volumes = identify_volumes(test, entrant.inputs)
    record = folder / RECORD
    known = _read_record(record)
    done = (folder / PREDICTIONS).exists()
    if known is not None and (known.entrant, known.test) == (entrant.identity, volumes) and done:
        return known
    entrant.predict_file(test, folder / PREDICTIONS)
    truth = read_walls(test, targets=True, maps=entrant.inputs)
    if truth.walls is None:
        raise InputError(test, TARGETS, "targets", "none")
    iou = iou_per_sample(read_predictions(folder / PREDICTIONS).walls, truth.walls)
    maps = {X0: truth.x0_m, **truth.maps}
    some = {name: values[:TIMED_VOLUMES] for name, values in maps.items()}
    measured = Measured(
        entrant=entrant.identity,
        test=volumes,
        iou=bootstrap_mean(iou),
        volumes=tuple(iou.tolist()),
        parameters=entrant.parameters,
        inference_ms=time_per_volume(entrant.predict, some),
        threads=torch.get_num_threads(),
    )
    write_text(record, measured.model_dump_json(indent=2) + "\n")
    return measured


def _read_record(path: Path) -> Measured | None:
    """Return what was measured before; nothing if there is no record or it cannot be understood."""
    try:
        return Measured.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
