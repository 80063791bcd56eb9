"""Cuts on the radiation length: found where they were put."""

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.infer.x0_cuts import CUTS_M, X0Cuts, fit_x0_cuts
from cloudchamber.score.walls import iou_per_sample


def maps(cut_m: np.ndarray, n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """X0 between the ends of the scale, and wall where it is below the cut of the layer."""
    rng = np.random.default_rng(1)
    x0_m = np.exp(rng.uniform(np.log(CUTS_M[0]), np.log(CUTS_M[1]), (n, len(cut_m), 6, 6))).astype(np.float32)
    return x0_m, x0_m < cut_m[:, None, None]


def test_a_single_cut() -> None:
    x0_m, walls = maps(np.full(3, 0.0115))
    cuts = fit_x0_cuts("global", x0_m, walls)
    assert cuts.cuts_m[0] == pytest.approx(0.0115, rel=0.06)
    assert iou_per_sample(cuts(x0_m), walls).mean() > 0.95


def test_a_cut_for_each_layer() -> None:
    wanted = np.array([0.017, 0.010, 0.014, 0.012])
    x0_m, walls = maps(wanted)
    cuts = fit_x0_cuts("layers", x0_m, walls)
    assert cuts.cuts_m == pytest.approx(wanted, rel=0.06)


def test_a_layer_without_walls_is_cut_away() -> None:
    x0_m, walls = maps(np.array([0.012, 0.0]))
    x0_m[:, 1] *= 5
    cuts = fit_x0_cuts("layers", x0_m, walls)
    assert not cuts(x0_m)[:, 1].any()


def test_another_number_of_layers() -> None:
    with pytest.raises(InputError, match="volume: layers: expected 3, found 4"):
        X0Cuts(cuts_m=(0.01, 0.01, 0.01))(np.ones((1, 4, 2, 2)))
