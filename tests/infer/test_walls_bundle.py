"""The bundled networks on volumes they have never seen: the reference simulation and new ones of ours."""

from pathlib import Path

import numpy as np
import pytest

from cloudchamber.infer.bundle import load_bundle
from cloudchamber.infer.predict import predict_probability
from cloudchamber.prepare.volumes import stack_maps
from cloudchamber.score.walls import iou_per_sample
from cloudchamber.simulate.walls import challenge_2022, simulate_volume
from cloudchamber.simulate.walls.maps import TrackMaps
from cloudchamber.simulate.walls.poca import closest_approach
from cloudchamber.simulate.walls.rays import trace_rays
from cloudchamber.simulate.walls.tracks import fit_tracks
from cloudchamber.source.store import read_walls

LARGEST_BYTES = 25 * 2**20


def _iou(name: str, maps: dict[str, np.ndarray], walls: np.ndarray) -> float:
    bundle = load_bundle(name)
    stacked = stack_maps(maps, bundle.config.inputs.names)
    probability = predict_probability(bundle.network, bundle.config.inputs, stacked)
    return float(iou_per_sample(bundle.config.thresholds(probability), walls).mean())


@pytest.mark.reference
def test_reference_simulation(reference: Path) -> None:
    data = read_walls(reference / "walls_reference.h5", targets=True)
    assert data.walls is not None
    assert len(data.x0_m) == 400
    assert _iou("walls/best", {"x0": data.x0_m}, data.walls) >= 0.80


@pytest.mark.reference
def test_tracks_of_the_reference_simulation(reference: Path) -> None:
    """Hits that another program simulated: two volumes, each found but for a voxel or two."""
    config, heights = challenge_2022(), np.array([12, 11.75, 11.5, 11.25, 1, 0.75, 0.5, 0.25])
    with np.load(reference / "walls_tracks.npz") as file:
        for v in ("v0", "v1"):
            hits, sigma = (file[f"{v}_{name}"][:, :, :2].astype(float) for name in ("reco_hits", "hit_unc"))
            above, below = (
                fit_tracks(hits[:, k], sigma[:, k], heights[k], "single") for k in (slice(4), slice(4, None))
            )
            weight, track_maps = file[f"{v}_eff"].astype(float), TrackMaps(config.volume)
            rays = trace_rays(above, below, np.ones(len(hits)), weight, config.volume, True)
            track_maps.add(rays, closest_approach(above, below, "pairs"))
            maps = {"x0": file[f"{v}_x0_pred"], **track_maps.maps()}
            single = {name: values[None].astype(np.float32) for name, values in maps.items()}
            assert _iou("walls/tracks", single, file[f"{v}_walls"][None] > 0) > 0.95


def test_new_volumes() -> None:
    scans = [simulate_volume(4242, i, challenge_2022(), maps=True) for i in range(40)]
    walls = np.array([scan.walls for scan in scans])
    maps = {name: np.array([s.maps[name] for s in scans], np.float32) for name in scans[0].maps}
    maps["x0"] = np.array([scan.x0_m for scan in scans], dtype=np.float32)
    assert _iou("walls/best", maps, walls) > 0.72  # about 0.8, less four errors of 0.02
    assert _iou("walls/tracks", maps, walls) > 0.94


def test_they_are_small_enough_for_the_repository() -> None:
    import cloudchamber

    folder = Path(cloudchamber.__file__).parent / "bundles"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < LARGEST_BYTES
