"""Sparse events, files of ours with them, and the genuine file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from cloudchamber.labels import Process
from cloudchamber.source.larcv_names import label_of, mass_mev
from cloudchamber.source.larcv_write import write_larcv
from cloudchamber.voxel_events import PARTICLE, VoxelEvents, offsets_of

SHAPE = (24, 16, 20)
ELECTRONS = (
    Process.PRIMARY, Process.IONISATION, Process.MOLLER, Process.DECAY, Process.MUON_CAPTURE,
    Process.CONVERSION, Process.COMPTON,
)  # fmt: skip
Trees = dict[str, dict[str, Any]]


def random_events(n: int = 7, seed: int = 0) -> VoxelEvents:
    """Return events with all that a file can hold; the second is empty."""
    rng = np.random.default_rng(seed)
    voxels, particles = rng.integers(1, 40, n), rng.integers(1, 6, n)
    if n > 1:
        voxels[1] = 0
    ids = np.concatenate([np.sort(rng.choice(int(np.prod(SHAPE)), k, replace=False)) for k in voxels])
    x, rest = ids % SHAPE[0], ids // SHAPE[0]
    position = np.stack([x, rest % SHAPE[1], rest // SHAPE[1]], axis=1).astype(np.int32)
    table = np.zeros(int(particles.sum()), PARTICLE)
    first = np.repeat(offsets_of(particles)[:-1], particles)
    within = np.arange(len(table)) - first
    table["pdg"] = rng.choice([11, -11, 13, -13, 22, 211, 2212, 1000180400], len(table))
    table["track_id"] = within + 1 + rng.integers(0, 2) * 100
    table["parent"] = rng.integers(-1, np.maximum(within, 1))
    table["parent"][within == 0] = -1
    table["process"] = rng.choice(ELECTRONS, len(table))
    table["label"] = [label_of(pdg, process) for pdg, process in table[["pdg", "process"]].tolist()]
    table["kinetic_mev"], table["deposit_mev"] = rng.uniform(1, 900, (2, len(table)))
    direction = rng.standard_normal((len(table), 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    mass = np.array([mass_mev(pdg) for pdg in table["pdg"].tolist()])
    total = table["kinetic_mev"] + mass
    table["momentum_mev"] = direction * np.sqrt(total**2 - mass**2)[:, None]
    table["start_mm"], table["end_mm"] = rng.uniform(0, 60, (2, len(table), 3))
    table["end_mm"][::3] = np.nan
    table["deposit_mev"][::4] = np.nan
    row = np.concatenate([rng.integers(-1, p, k) for p, k in zip(particles, voxels, strict=True)])
    own = row >= 0
    owner = np.repeat(offsets_of(particles)[:-1], voxels)[own] + row[own]
    table["voxels"] = np.bincount(owner, minlength=len(table))
    return VoxelEvents(
        SHAPE, 3.0, offsets_of(voxels), position, rng.uniform(0.05, 5, len(ids)).astype(np.float32),
        rng.integers(0, 5, len(ids)).astype(np.uint8), row.astype(np.int32), offsets_of(particles), table,
    )  # fmt: skip


def same(found: VoxelEvents, wanted: VoxelEvents) -> None:
    assert found.shape == wanted.shape
    assert found.voxel_mm == pytest.approx(wanted.voxel_mm)
    for name in ("voxel_offsets", "position", "energy_mev", "label", "particle", "particle_offsets"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), name)
    assert (found.particles is None) == (wanted.particles is None)
    if found.particles is None or wanted.particles is None:
        return
    for name in PARTICLE.names or ():
        tolerance = 1e-5 if PARTICLE[name].base.kind == "f" else 0.0
        ours, theirs = found.particles[name], wanted.particles[name]
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=10 * tolerance, err_msg=name)


def columns(path: Path) -> Trees:
    """Return the branches of a file's trees, but for the counters of lists."""
    trees: Trees = {}
    with uproot.open({path: None}) as file:
        for name, tree in ((key.split(";")[0], file[key]) for key in file):
            trees[name] = {branch.name: branch.array() for branch in tree if not branch.name.startswith("n_")}
    return trees


def rewrite(path: Path, trees: Trees) -> Path:
    with uproot.recreate(path) as file:
        for name, branches in trees.items():
            types = {key: getattr(array, "type", None) or array.dtype for key, array in branches.items()}
            file.mktree(name, types).extend(branches)
    return path


@pytest.fixture(name="random_events", scope="session")
def _random_events() -> Callable[..., VoxelEvents]:
    return random_events


@pytest.fixture(name="same", scope="session")
def _same() -> Callable[[VoxelEvents, VoxelEvents], None]:
    return same


@pytest.fixture(name="columns", scope="session")
def _columns() -> Callable[[Path], Trees]:
    return columns


@pytest.fixture(name="rewrite", scope="session")
def _rewrite() -> Callable[[Path, Trees], Path]:
    return rewrite


@pytest.fixture(scope="package")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("larcv") / "good.root"
    assert write_larcv(path, random_events()) == 7
    return path


@pytest.fixture(scope="session")
def genuine(reference: Path) -> Path:
    return reference / "larcv_cluster3d_5events.root"
