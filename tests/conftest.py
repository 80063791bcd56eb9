"""Fixtures for all tests."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.voxel_events import PARTICLE, VoxelEvents

# Tests run side by side, one to a core, and so do the commands that they start: threads of one that wait for
# those of another would take many times as long.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"

REPOSITORY = Path(__file__).resolve().parents[1]

settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder with the reference files; they are not part of the repository."""
    folder = REPOSITORY.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip("the reference files (../shared/reference) are not here")
    return folder


def _toy_event(voxels: int = 20_000, seed: int = 1) -> VoxelEvents:
    """Return one event of 512 px at 3 mm: a muon that stops and decays, delta rays, a proton, two showers."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(6, PARTICLE)
    rows["pdg"] = 13, 11, 11, 2212, 22, 11
    rows["parent"] = -1, 0, 0, -1, -1, -1
    rows["process"] = (
        Process.PRIMARY, Process.IONISATION, Process.DECAY, Process.PRIMARY, Process.PRIMARY, Process.PRIMARY
    )  # fmt: skip
    rows["kinetic_mev"] = 612.5, 8.25, 41.0, 240.0, 900.0, np.nan
    label = VoxelLabel
    labels = label.MIP, label.DELTA, label.MICHEL, label.HIP, label.SHOWER, label.SHOWER
    rows["label"] = labels
    starts = [(60, 470, 90), (150, 345, 165), (300, 90, 285), (60, 470, 90), (120, 430, 110), (60, 470, 90)]
    ends = [
        (300, 90, 285),
        (158, 340, 190),
        (312, 118, 300),
        (110, 330, 60),
        (430, 300, 420),
        (260, 440, 480),
    ]
    shares = (0.1, 0.012, 0.008, 0.02, 0.5, 0.36)
    seen: dict[tuple[int, ...], int] = {}
    for particle, (start, end, share) in enumerate(zip(starts, ends, shares, strict=True)):
        line, wanted, before = np.subtract(end, start), round(share * voxels), len(seen)
        while len(seen) < before + wanted:
            along = rng.beta(2.2, 2.5, 4096) if share > 0.2 else rng.random(4096)
            width = 2 + 55 * along if share > 0.2 else np.full(4096, 1.2)
            points = start + along[:, None] * line + width[:, None] * rng.standard_t(2.5, (4096, 3)) / 2.5
            for voxel in points[((points >= 0) & (points < 512)).all(axis=1)].astype(int).tolist():
                if len(seen) < before + wanted:
                    seen.setdefault(tuple(voxel), particle)
    position = np.array(list(seen), np.int32)
    order = np.lexsort(position.T)
    owner = np.array(list(seen.values()), np.int32)[order]
    energy = rng.gamma(3.0, 0.25, len(order)) * np.where(owner == 3, 5, 1) + 0.05
    offsets, particle_offsets = np.array([0, len(order)]), np.array([0, len(rows)])
    return VoxelEvents(
        (512, 512, 512), 3.0, offsets, position[order], energy.astype(np.float32),
        np.array(labels, np.uint8)[owner], owner, particle_offsets, rows,
    )  # fmt: skip


@pytest.fixture(scope="session")
def toy_event() -> Callable[..., VoxelEvents]:
    """Return a maker of sparse events, from a number of voxels and a seed."""
    return _toy_event


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines what was not tested for want of a browser or of reference files."""
    skipped = terminalreporter.stats.get("skipped", [])
    for mark, lacking in (
        ("browser", "a system Chromium"),
        ("reference", "the files in ../shared/reference"),
    ):
        count = sum(mark in report.keywords for report in skipped)
        if count:
            terminalreporter.write_line(
                f"NOT TESTED: {count} {mark} tests were skipped for want of {lacking}"
            )
