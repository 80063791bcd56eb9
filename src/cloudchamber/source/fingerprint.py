"""What a data set of walls is like, in one page: counts, statistics per layer, where it comes from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int
from pydantic import BaseModel, ConfigDict

from cloudchamber.source.check import dataset_sha256
from cloudchamber.source.hdf5 import damage_is_an_input_error, open_hdf5
from cloudchamber.source.store import VOXEL_M, find_walls, iterate_walls

BINS = 16_384  # over 8 decades: the width of a bin, and so the error of a median, is 0.11%


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Layer(_Frozen):
    """One layer, z = 0 the deepest. Walls are None where a data set has no targets or the layer no wall."""

    z: int
    wall_fraction: float | None
    soil_median_m: float | None
    soil_mean_m: float | None
    wall_median_m: float | None
    wall_mean_m: float | None


class Fingerprint(_Frozen):
    """Counts, balance of the classes and statistics of X0; provenance where the file records it."""

    path: Path
    samples: int
    shape: tuple[int, int, int]
    x0_mean_m: float
    x0_std_m: float
    x0_range_m: tuple[float, float]
    wall_fraction: float | None
    wall_voxels_mean: float | None
    wall_voxels_std: float | None
    wall_voxels_range: tuple[int, int] | None
    layers: tuple[Layer, ...]
    sha256: dict[str, str]
    attributes: dict[str, Any]


class _Tally:
    """Sums and a histogram in log X0 of one class, per layer: memory does not grow with the samples."""

    def __init__(self, layers: int) -> None:
        self.count = np.zeros((layers, BINS), np.int64)
        self.sum_m = np.zeros(layers)
        self.scale = BINS / np.log(VOXEL_M[1] / VOXEL_M[0])

    def add(
        self, x0_m: Float32[np.ndarray, "sample z x y"], chosen: Bool[np.ndarray, "sample z x y"]
    ) -> None:
        bins = np.log(x0_m.astype(np.float64) / VOXEL_M[0]) * self.scale
        index: Int[np.ndarray, "sample z x y"] = np.clip(bins.astype(np.int64), 0, BINS - 1)
        for z in range(len(self.sum_m)):
            here = chosen[:, z]
            self.count[z] += np.bincount(index[:, z][here], minlength=BINS)
            self.sum_m[z] += float(x0_m[:, z][here].sum(dtype=np.float64))

    def median_mean(self, z: int) -> tuple[float | None, float | None]:
        total = int(self.count[z].sum())
        if not total:
            return None, None
        middle = int(np.searchsorted(np.cumsum(self.count[z]), total / 2))
        return float(VOXEL_M[0] * np.exp((middle + 0.5) / self.scale)), float(self.sum_m[z] / total)


def fingerprint(path: Path) -> Fingerprint:
    """Read a data set of walls once and describe it; medians are good to 0.1 percent.

    Raises
    ------
    InputError
        where ``read_walls`` would.
    """
    with open_hdf5(path) as file:
        found = find_walls(file, path, None)
        shape, attributes = found.x0.shape, dict(found.attributes)
        datasets = [found.x0] if found.targets is None else [found.x0, found.targets]
        sums = {str(data.name).lstrip("/"): dataset_sha256(data, path) for data in datasets}
    config = attributes.get("config")
    if isinstance(config, str):
        with damage_is_an_input_error(path, "attribute config", "JSON"):
            attributes["config"] = json.loads(config)
    soil, wall = _Tally(shape[1]), _Tally(shape[1])
    square_m2, low_m, high_m = 0.0, np.inf, 0.0
    per_sample: list[Int[np.ndarray, sample]] = []
    for part in iterate_walls(path):
        walls = np.zeros(part.x0_m.shape, np.bool_) if part.walls is None else part.walls
        soil.add(part.x0_m, ~walls)
        wall.add(part.x0_m, walls)
        per_sample.append(walls.sum((1, 2, 3)))
        square_m2 += float(np.square(part.x0_m, dtype=np.float64).sum())
        low_m, high_m = min(low_m, float(part.x0_m.min())), max(high_m, float(part.x0_m.max()))
    voxels = int(np.prod(shape))
    mean_m = float(soil.sum_m.sum() + wall.sum_m.sum()) / voxels
    counts = np.concatenate(per_sample)
    labelled = len(datasets) == 2
    return Fingerprint(
        path=path,
        samples=shape[0],
        shape=shape[1:],
        x0_mean_m=mean_m,
        x0_std_m=float(np.sqrt(max(0.0, square_m2 / voxels - mean_m**2))),
        x0_range_m=(low_m, high_m),
        wall_fraction=float(counts.sum() / voxels) if labelled else None,
        wall_voxels_mean=float(counts.mean()) if labelled else None,
        wall_voxels_std=float(counts.std()) if labelled else None,
        wall_voxels_range=(int(counts.min()), int(counts.max())) if labelled else None,
        layers=tuple(_layer(z, soil, wall, labelled, voxels // shape[1]) for z in range(shape[1])),
        sha256=sums,
        attributes=attributes,
    )


def _layer(z: int, soil: _Tally, wall: _Tally, labelled: bool, voxels: int) -> Layer:
    soil_median_m, soil_mean_m = soil.median_mean(z)
    wall_median_m, wall_mean_m = wall.median_mean(z)
    return Layer(
        z=z,
        wall_fraction=float(wall.count[z].sum() / voxels) if labelled else None,
        soil_median_m=soil_median_m,
        soil_mean_m=soil_mean_m,
        wall_median_m=wall_median_m,
        wall_mean_m=wall_mean_m,
    )
