"""The 28 features on grids made by hand, and against a slow, plain second implementation."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import label

from cloudchamber.calorimeter_events import MUON, CalorimeterEvents, CalorimeterGrid, from_dense
from cloudchamber.prepare.muon_features import FEATURES, muon_features

GRID = CalorimeterGrid()
INDEX = {feature.name: at for at, feature in enumerate(FEATURES)}
CENTRE = 1.875  # of cell 16, of 32


def made(cells: Mapping[tuple[int, int, int], float], grid: CalorimeterGrid = GRID) -> CalorimeterEvents:
    dense = np.zeros((1, *grid.shape), np.float32)
    for cell, energy_gev in cells.items():
        dense[(0, *cell)] = energy_gev
    return from_dense(grid, dense)


def features(
    cells: Mapping[tuple[int, int, int], float], entry: tuple[float, float] = (CENTRE, CENTRE)
) -> np.ndarray:
    return np.asarray(muon_features(made(cells), np.array([entry]))[0])


def expected(values: Mapping[str, float]) -> np.ndarray:
    """Return features that are 0 but for some by name."""
    wanted = np.zeros(28)
    for name, value in values.items():
        wanted[INDEX[name]] = value
    return wanted


def plain_features(
    dense: np.ndarray, entry: tuple[float, float], grid: CalorimeterGrid, field_t: float
) -> list[float]:
    """Return the features from a dense grid, as the fact sheet words them and with no regard for time."""
    nz, nx, ny = grid.shape
    e = dense.astype(np.float64)
    iz, ix, iy = np.indices(grid.shape)
    z = iz * grid.layer_mm
    x, y = (ix - (nx - 1) / 2) * grid.cell_mm, (iy - (ny - 1) / 2) * grid.cell_mm
    dx, dy = x - entry[0], y - entry[1]
    hard = np.where(dense > np.float32(0.1), e, 0)

    def share(a: float, b: float) -> float:
        return a / b if b else 0.0

    def imbalance(w: np.ndarray) -> float:
        return share(float(np.hypot((w * dx).sum(), (w * dy).sum())), w.sum())

    def spread(w: np.ndarray) -> float:
        return share((w * (dx**2 + dy**2)).sum(), w.sum())

    found = [hard.sum(), imbalance(e), imbalance(hard), spread(e)]
    found += [spread(np.where((z >= low) & (z < low + 400), e, 0)) for low in (0, 400, 800, 1200)]
    found += [spread(np.where(z >= 1600, e, 0))]
    labels, number = label(hard > 0)
    column = np.floor(entry[0] / grid.cell_mm + nx / 2), np.floor(entry[1] / grid.cell_mm + ny / 2)
    on: list[tuple[int, float, list[int]]] = []
    off: list[tuple[int, float, list[int]]] = []
    for each in range(1, number + 1):
        own = labels == each
        lengths = [int(index[own].max() - index[own].min()) for index in (ix, iy, iz)]
        through = (own & (ix == column[0]) & (iy == column[1])).any()
        (on if through else off).append((int(own.sum()), float(e[own].sum()), lengths))
    most, mean = max(on, default=(0, 0.0, [])), share(sum(each[0] for each in on), len(on))
    found += [len(on), most[0], most[1]]
    found += [max((each[2][axis] for each in on), default=0) for axis in range(3)]
    found += [share(most[1], most[0]), mean]
    most, mean = max(off, default=(0, 0.0, [])), share(sum(each[0] for each in off), len(off))
    before = largest = 0.0
    soft = e - hard
    for jx in range(nx - 2):
        for jy in range(ny - 2):
            for jz in range(nz - 2):
                box = soft[jz : jz + 3, jx : jx + 3, jy : jy + 3].sum()
                if box > largest:
                    before, largest = largest, box
    found += [len(off), most[0], before, share(most[1], most[0]), mean]
    found += [(e * dx).sum() + (hard * dx).sum(), (e * dy).sum() + (hard * dy).sum()]
    half = [np.where(iz < nz / 2, e, 0), np.where(iz < nz / 2, 0, e)]
    momentum = 0.0
    if all(part.sum() > 0 for part in half):
        (x1, z1), (x2, z2) = [((w * x).sum() / w.sum(), (w * z).sum() / w.sum()) for w in half]
        with np.errstate(divide="ignore"):
            centre = (np.float64(z2**2 - z1**2 + x2**2 - x1**2)) / (2 * (x2 - x1))
        momentum = min(1e4, 0.3 * field_t * np.hypot(x1 - centre, z1) / 1000)
    found += [momentum, largest, e[dense <= np.float32(0.01)].sum()]
    return [*found, e[(dense > np.float32(0.01)) & (dense <= np.float32(0.1))].sum()]


def test_the_features_have_names_and_words() -> None:
    assert len({feature.name for feature in FEATURES}) == len(FEATURES) == 28
    assert all(feature.description and feature.unit for feature in FEATURES)


def test_no_cells() -> None:
    none = CalorimeterEvents(GRID, np.zeros(4, np.int64), np.zeros((0, 3), np.int16), np.zeros(0, np.float32))
    found = muon_features(none, np.zeros((3, 2)))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.zeros((3, 28)))


def test_one_hard_cell_in_the_column() -> None:
    found = features({(12, 16, 16): 2.0}, (CENTRE - 3, CENTRE))  # z = 487.68 mm
    wanted = expected(
        {
            "hard_energy": 2, "imbalance": 3, "hard_imbalance": 3, "spread": 9, "spread_400": 9,
            "track_clusters": 0, "other_clusters": 1, "other_largest": 1, "other_energy_per_cell": 2,
            "other_mean_cells": 1, "moment_x": 12,
        }
    )  # fmt: skip
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    near = features({(12, 16, 16): 2.0}, (CENTRE - 1, CENTRE))
    wanted = expected(
        {
            "hard_energy": 2, "imbalance": 1, "hard_imbalance": 1, "spread": 1, "spread_400": 1,
            "track_clusters": 1, "track_largest": 1, "track_largest_energy": 2, "track_energy_per_cell": 2,
            "track_mean_cells": 1, "moment_x": 4,
        }
    )  # fmt: skip
    np.testing.assert_allclose(near, wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("layer", "name"),
    [(9, "spread_0"), (10, "spread_400"), (19, "spread_400"), (20, "spread_800"), (29, "spread_800"),
     (30, "spread_1200"), (39, "spread_1200"), (40, "spread_1600"), (49, "spread_1600")],
)  # fmt: skip
def test_slices_of_z(layer: int, name: str) -> None:
    """Layer 10 is centred on 406.4 mm, 20 on 812.8, 30 on 1219.2, 40 on 1625.6."""
    found = features({(layer, 16, 17): 0.05})
    slices = {f"spread_{low}": found[INDEX[f"spread_{low}"]] for low in (0, 400, 800, 1200, 1600)}
    assert {name for name, value in slices.items() if value} == {name}
    assert slices[name] == pytest.approx(3.75**2)
    assert found[INDEX["spread"]] == pytest.approx(3.75**2)


@pytest.mark.parametrize(
    ("energy_gev", "name"),
    [
        (1e-5, "halo_energy"), (0.01, "halo_energy"), (0.0101, "soft_energy"), (0.1, "soft_energy"),
        (0.1001, "hard_energy"),
    ],
)  # fmt: skip
def test_thresholds(energy_gev: float, name: str) -> None:
    found = features({(3, 4, 5): energy_gev})
    for each in ("halo_energy", "soft_energy", "hard_energy"):
        assert found[INDEX[each]] == pytest.approx(energy_gev if each == name else 0)


def test_imbalance_cancels_and_spread_does_not() -> None:
    found = features({(5, 15, 16): 1.0, (5, 17, 16): 1.0, (5, 16, 20): 0.05})
    assert found[INDEX["hard_imbalance"]] == 0
    assert found[INDEX["imbalance"]] == pytest.approx(0.05 * 15 / 2.05)
    assert found[INDEX["spread"]] == pytest.approx((2 * 3.75**2 + 0.05 * 15**2) / 2.05)
    assert found[INDEX["moment_x"]] == 0
    assert found[INDEX["moment_y"]] == pytest.approx(0.05 * 15)


def test_a_straight_line_of_cells_is_one_cluster() -> None:
    found = features({(layer, 16, 16): 0.2 for layer in range(50)})
    wanted = expected(
        {
            "hard_energy": 10, "track_clusters": 1, "track_largest": 50, "track_largest_energy": 10,
            "track_length_z": 49, "track_energy_per_cell": 0.2, "track_mean_cells": 50,
            "curvature_momentum": 1e4,
        }
    )  # fmt: skip
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_clusters_on_the_track_and_off() -> None:
    """On: 3 cells bent away from the column, 1 cell. Off: one pair, and one cell that meets it at an edge."""
    found = features(
        {
            (10, 16, 16): 1.0, (10, 17, 16): 0.5, (11, 17, 16): 0.3, (30, 16, 16): 9.0,
            (10, 16, 18): 0.4, (10, 16, 19): 0.6, (11, 16, 20): 5.0,
        }
    )  # fmt: skip
    wanted = {
        "track_clusters": 2, "track_largest": 3, "track_largest_energy": 1.8, "track_length_x": 1,
        "track_length_y": 0, "track_length_z": 1, "track_energy_per_cell": 0.6, "track_mean_cells": 2,
        "other_clusters": 2, "other_largest": 2, "other_energy_per_cell": 0.5, "other_mean_cells": 1.5,
    }  # fmt: skip
    assert {name: found[INDEX[name]] for name in wanted} == pytest.approx(wanted)


def test_of_clusters_of_one_size_the_one_with_most_energy_counts() -> None:
    found = features({(10, 16, 16): 1.0, (20, 16, 16): 3.0, (30, 16, 16): 2.0})
    assert found[INDEX["track_largest_energy"]] == 3


def test_an_entry_outside_of_the_grid_has_no_column() -> None:
    found = features({(10, 31, 31): 1.0}, (61.0, 58.0))
    assert found[INDEX["track_clusters"]] == 0
    assert found[INDEX["other_clusters"]] == 1


def test_boxes_leave_out_what_is_clustered() -> None:
    """The box with both soft cells holds 0.12; x rises, so those with the first alone, 0.05, come before."""
    found = features({(10, 10, 10): 0.05, (12, 12, 12): 0.07, (11, 11, 11): 7.0})
    assert found[INDEX["box"]] == pytest.approx(0.12)
    assert found[INDEX["second_box"]] == pytest.approx(0.05)


def test_the_record_before_the_largest_box_is_not_the_second_largest() -> None:
    found = features({(10, 3, 3): 0.02, (10, 10, 10): 0.09, (10, 20, 20): 0.08})
    assert found[INDEX["box"]] == pytest.approx(0.09)
    assert found[INDEX["second_box"]] == pytest.approx(0.02)


@pytest.mark.parametrize("momentum_gev", [60.0, 200.0, 1000.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_momentum_from_curvature(momentum_gev: float, sign: int) -> None:
    """A circle of p / 0.3 B in a grid fine enough for its sagitta, with energy in two layers."""
    grid = CalorimeterGrid((50, 4001, 3), 40.64, 0.01)
    radius_mm = momentum_gev / (0.3 * 3.0) * 1000
    cells = {}
    for layer in (12, 37):
        depth = layer * grid.layer_mm
        sagitta = radius_mm - np.sqrt(radius_mm**2 - depth**2)
        cells[layer, 2000 + sign * round(sagitta / grid.cell_mm), 1] = 0.05
    found = muon_features(made(cells, grid), np.zeros((1, 2)), field_t=3.0)[0]
    assert found[INDEX["curvature_momentum"]] == pytest.approx(momentum_gev, rel=0.02)


def test_momentum_is_clipped_and_needs_both_halves() -> None:
    assert features({(10, 16, 16): 1.0})[INDEX["curvature_momentum"]] == 0
    assert features({(40, 16, 16): 1.0})[INDEX["curvature_momentum"]] == 0
    nearly = {(10, 16, 16): 1.0, (40, 16, 16): 1.0, (41, 17, 16): 1e-6}
    assert features(nearly)[INDEX["curvature_momentum"]] == 1e4


def test_entries_come_from_the_truth() -> None:
    events = made({(10, 16, 16): 1.0})
    muons = np.zeros(1, MUON)
    muons["x_mm"], muons["y_mm"] = 1.5, 3.5
    with_truth = CalorimeterEvents(GRID, events.cell_offsets, events.position, events.energy_gev, muons)
    np.testing.assert_array_equal(muon_features(with_truth), muon_features(events, np.array([[1.5, 3.5]])))
    with pytest.raises(ValueError, match="without truth"):
        muon_features(events)
    with pytest.raises(ValueError, match="shape"):
        muon_features(events, np.zeros((2, 2)))
    with pytest.raises(ValueError, match="muon 0 is not known"):
        muon_features(events, np.array([[0.0, np.nan]]))


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6)),
    filled=st.floats(0, 1),
    hard=st.floats(0, 1),
)
def test_against_the_plain_implementation(
    seed: int, shape: tuple[int, int, int], filled: float, hard: float
) -> None:
    rng = np.random.default_rng(seed)
    grid = CalorimeterGrid(shape, 300.0, 3.75)
    dense = np.zeros((2, *shape), np.float32)
    lit = rng.random(dense.shape) < filled
    scale = np.where(rng.random(dense.shape) < hard, 0.3, rng.choice([0.02, 0.1], dense.shape))
    # Multiples of a power of two: sums are exact in any order, so records among boxes are too.
    dense[lit] = (np.round(rng.random(dense.shape) * scale * 2**20) / 2**20)[lit]
    entry = rng.uniform(-1, 1, (2, 2)) * np.array(shape[1:]) * 3.75 / 2
    found = muon_features(from_dense(grid, dense), entry, field_t=1.5)
    for event in range(2):
        wanted = plain_features(dense[event], (entry[event, 0], entry[event, 1]), grid, 1.5)
        for name, ours, theirs in zip(INDEX, found[event], wanted, strict=True):
            assert ours == pytest.approx(theirs, rel=2e-5, abs=1e-5), name


@pytest.mark.reference
def test_muons_of_geant4_bend_as_their_momentum_says(reference: Path) -> None:
    """Medians of 60 muons at each energy; the measured momentum is wide, so its median is known to 15%."""
    with h5py.File(reference / "calorimeter_reference.h5") as file:
        event, energy = file["event"][:], file["energy_gev"][:]
        place = np.stack([file[name][:] for name in ("iz", "ix", "iy")], axis=1).astype(np.int16)
        entry = np.stack([file["true_x_mm"][:], file["true_y_mm"][:]], axis=1)
        true = file["true_energy_gev"][:]
    order = np.argsort(event, kind="stable")
    offsets = np.searchsorted(event[order], np.arange(len(true) + 1)).astype(np.int64)
    events = CalorimeterEvents(GRID, offsets, place[order], energy[order])
    found = muon_features(events, entry)
    for energy_gev in (100, 1000):
        own = np.abs(true / energy_gev - 1) < 0.1
        assert np.median(found[own, INDEX["curvature_momentum"]]) == pytest.approx(energy_gev, rel=0.15)
    assert np.median(found[np.abs(true - 1000) < 100, INDEX["track_clusters"]]) >= 3
