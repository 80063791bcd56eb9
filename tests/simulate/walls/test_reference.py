"""Against files of the reference simulation, where these are at hand (tests/conftest.py)."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from cloudchamber.simulate.walls.config import Volume
from cloudchamber.simulate.walls.poca import Poca, closest_approach
from cloudchamber.simulate.walls.tracks import fit_tracks
from cloudchamber.simulate.walls.x0map import MuonX0, X0Map, muon_x0

pytestmark = pytest.mark.reference


class Event:
    """One volume of walls_tracks.npz, and what we make of its hits."""

    def __init__(self, path: Path, name: str) -> None:
        with np.load(path) as data:
            self.theirs = {
                k.removeprefix(f"{name}_"): data[k] for k in data.files if k.startswith(f"{name}_")
            }
        hits, sigma = self.theirs["reco_hits"].astype(float), self.theirs["hit_unc"][..., :2].astype(float)
        above, below = (
            fit_tracks(hits[:, k, :2], sigma[:, k], hits[0, k, 2], "single") for k in (slice(4), slice(4, 8))
        )
        self.above, self.below = above, below
        self.poca: Poca = closest_approach(above, below, "pairs")
        self.x0: MuonX0 = muon_x0(self.poca, np.ones(len(hits)), 1.0, "pairs")


@pytest.fixture(scope="module", params=["v0", "v1"])
def event(reference: Path, request: pytest.FixtureRequest) -> Event:
    return Event(reference / "walls_tracks.npz", request.param)


def share_within(ours: np.ndarray, theirs: np.ndarray, relative: float) -> float:
    return float((np.abs(ours / theirs - 1) < relative).mean())


def test_points_are_theirs(event: Event) -> None:
    away = np.linalg.norm(event.poca.position_m - event.theirs["poca"], axis=1)
    assert (away < 1e-3).mean() >= 0.99


def test_errors_are_theirs(event: Event) -> None:
    for axis in range(3):
        assert share_within(event.poca.sigma_m[:, axis], event.theirs["poca_unc"][:, axis], 0.01) >= 0.95
    assert share_within(event.poca.sigma_theta_msc, event.theirs["theta_msc_unc"], 0.01) >= 0.95


def test_angles_are_theirs(event: Event) -> None:
    assert np.median(np.abs(event.poca.theta_msc - event.theirs["theta_msc"])) < 1e-6
    for name in ("theta_in", "theta_out"):
        away = np.abs(getattr(event.poca, name) - event.theirs[name])
        assert (
            away < 1e-5
        ).mean() >= 0.99  # the arc cosine of a single precision number is rough at the zenith
        assert away.max() < 1e-3


def test_x0_of_the_muons_is_theirs(event: Event) -> None:
    assert share_within(event.x0.x0_m, event.theirs["x0_mu"], 0.01) >= 0.99
    assert share_within(event.x0.sigma_m, event.theirs["x0_mu_unc"], 0.01) >= 0.95


def test_map_is_theirs(event: Event) -> None:
    x0_map = X0Map(Volume())
    x0_map.add(event.poca, event.x0, event.theirs["eff"].astype(float))
    assert share_within(x0_map.average(), event.theirs["x0_pred"], 0.01) >= 0.99


@pytest.fixture(scope="module")
def fidelity() -> ModuleType:
    path = Path(__file__).resolve().parents[3] / "benchmarks" / "walls_fidelity.py"
    spec = importlib.util.spec_from_file_location("walls_fidelity", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_thousand_volumes_look_like_the_reference(fidelity: ModuleType) -> None:
    """Medians per layer within 4%, IOU of simple cuts within 0.006, wall voxels within 2.5 (three errors)."""
    from cloudchamber.simulate.walls import challenge_2022, simulate_volume

    scans = [simulate_volume(1, index, challenge_2022()) for index in range(2000)]
    volumes = fidelity.Volumes(np.array([s.x0_m for s in scans]), np.array([s.walls for s in scans]))
    for wall, quoted in ((False, fidelity.SOIL_MEDIAN_M), (True, fidelity.WALL_MEDIAN_M)):
        ours = fidelity.layer_medians(volumes, wall)[: len(quoted)]
        np.testing.assert_allclose(ours, quoted, rtol=0.04, err_msg="wall" if wall else "soil")
    for name in ("x0 < 0.015 m", "the real data's cut per layer"):
        cut_m, quoted_iou = fidelity.CUTS[name]
        assert fidelity.iou(volumes, cut_m).mean() == pytest.approx(quoted_iou, abs=0.006), name
    assert volumes.walls.sum((1, 2, 3)).mean() == pytest.approx(fidelity.WALL_VOXELS, abs=2.5)
