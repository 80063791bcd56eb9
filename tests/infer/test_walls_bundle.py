"""The bundled network on volumes it has never seen: the reference simulation and new ones of ours."""

from pathlib import Path

import numpy as np
import pytest

from cloudchamber.infer.bundle import load_bundle
from cloudchamber.infer.predict import predict_probability
from cloudchamber.score.walls import iou_per_sample
from cloudchamber.simulate.walls import challenge_2022, simulate_volume
from cloudchamber.source.store import read_walls

LARGEST_BYTES = 10 * 2**20


def _iou(x0_m: np.ndarray, walls: np.ndarray) -> float:
    bundle = load_bundle("walls")
    probability = predict_probability(bundle.network, bundle.config.standardise, x0_m)
    return float(iou_per_sample(bundle.config.thresholds(probability), walls).mean())


@pytest.mark.reference
def test_reference_simulation(reference: Path) -> None:
    data = read_walls(reference / "walls_reference.h5", targets=True)
    assert data.walls is not None
    assert len(data.x0_m) == 400
    assert _iou(data.x0_m, data.walls) >= 0.80


def test_new_volumes() -> None:
    scans = [simulate_volume(4242, i, challenge_2022()) for i in range(40)]
    x0_m = np.array([scan.x0_m for scan in scans], dtype=np.float32)
    assert _iou(x0_m, np.array([scan.walls for scan in scans])) > 0.72  # 0.8, less four errors of 0.02


def test_it_is_small_enough_for_the_repository() -> None:
    import cloudchamber

    folder = Path(cloudchamber.__file__).parent / "bundles"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < LARGEST_BYTES
