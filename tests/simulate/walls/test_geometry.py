"""Walls: the rules of the generator, and how much wall there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from cloudchamber.simulate.walls.config import Volume
from cloudchamber.simulate.walls.geometry import (
    _DIRECTIONS,
    _first_direction,
    generate_walls,
    radiation_lengths,
)

SEEDS = st.integers(0, 2**32)


@st.composite
def volumes(draw: st.DrawFn) -> Volume:
    layers = draw(st.integers(6, 20))
    least_height = draw(st.integers(1, 4))
    highest = draw(st.integers(0, layers - 1 - least_height))
    fewest = draw(st.integers(0, 3))
    return Volume(
        shape=(layers, draw(st.integers(1, 24)), draw(st.integers(1, 24))),
        n_walls=(fewest, fewest + draw(st.integers(0, 3))),
        ground=(draw(st.integers(0, highest)), highest),
        least_height=least_height,
    )


@given(volumes(), SEEDS)
def test_walls_are_upright_and_stand_on_one_level(volume: Volume, seed: int) -> None:
    walls = generate_walls(np.random.default_rng(seed), volume)
    assert walls.shape == volume.shape
    assert not walls[-1].any(), "the top layer is soil"
    columns = walls.reshape(volume.shape[0], -1).T
    columns = columns[columns.any(1)]
    if not len(columns):
        assert volume.n_walls[0] == 0
        return
    ground = columns.argmax(1)
    height = columns.sum(1)
    assert (ground == ground[0]).all(), "one ground level per volume"
    assert volume.ground[0] <= ground[0] <= volume.ground[1]
    assert (height >= volume.least_height).all()
    for column, low, tall in zip(columns, ground, height, strict=True):
        assert column[low : low + tall].all(), "no holes"


@given(SEEDS)
def test_a_single_wall_is_one_connected_path_of_one_height(seed: int) -> None:
    walls = generate_walls(np.random.default_rng(seed), Volume(n_walls=(1, 1)))
    plan = walls.any(0)
    assert ndimage.label(plan)[1] == 1
    assert np.unique(walls.sum(0)[plan]).size == 1


@given(SEEDS, st.integers(0, 4))
def test_no_more_connected_pieces_than_walls(seed: int, count: int) -> None:
    walls = generate_walls(np.random.default_rng(seed), Volume(n_walls=(count, count)))
    pieces = ndimage.label(walls.any(0))[1]
    assert pieces <= count
    assert (pieces == 0) == (count == 0)


def test_number_of_walls_is_uniform_between_its_bounds() -> None:
    """Short walls that stop as soon as they may, in a large volume: pieces that do not touch are walls."""
    volume = Volume(shape=(10, 40, 40), n_walls=(1, 4), stop_length=0.0001, turn_length=1e9)
    rng = np.random.default_rng(1)
    pieces = [ndimage.label(generate_walls(rng, volume).any(0), np.ones((3, 3)))[1] for _ in range(1000)]
    counts = np.bincount(pieces, minlength=5)
    assert counts[0] == 0
    assert len(counts) == 5
    assert (counts[1:] > 200).all()  # 250 each, less those that touch


@given(SEEDS, st.integers(0, 9), st.integers(0, 9))
def test_first_step_stays_inside(seed: int, x: int, y: int) -> None:
    """One exception, as in the challenge: none. Each axis bars the direction straight out."""
    dx, dy = _DIRECTIONS[_first_direction(np.random.default_rng(seed), x, y, 10, 10)]
    assert 0 <= x + dx <= 9
    assert 0 <= y + dy <= 9


@pytest.mark.parametrize(
    ("x", "y", "allowed"), [(5, 5, 4), (0, 5, 3), (9, 5, 3), (5, 9, 3), (0, 0, 2), (9, 0, 2)]
)
def test_first_direction_is_uniform_among_the_allowed(x: int, y: int, allowed: int) -> None:
    rng = np.random.default_rng(2)
    counts = np.bincount([_first_direction(rng, x, y, 10, 10) for _ in range(4000)], minlength=4)
    assert (counts > 0).sum() == allowed
    assert np.abs(counts[counts > 0] - 4000 / allowed).max() < 4.5 * np.sqrt(4000 / allowed)


def test_amount_of_wall_is_that_of_the_challenge() -> None:
    """67.8 wall voxels in the real data (8000 volumes, sd 37); none in layer 9, most in layer 4."""
    rng = np.random.default_rng(3)
    walls = np.array([generate_walls(rng, Volume()) for _ in range(4000)])
    voxels = walls.sum((1, 2, 3))
    error = 37 * np.hypot(1 / np.sqrt(8000), 1 / np.sqrt(4000))
    assert voxels.mean() == pytest.approx(67.8, abs=3 * error)
    assert voxels.std() == pytest.approx(37, abs=1.5)
    fraction = walls.mean((0, 2, 3))
    quoted = [0.026, 0.049, 0.073, 0.098, 0.120, 0.111, 0.097, 0.073, 0.038, 0]
    np.testing.assert_allclose(fraction, quoted, atol=0.004)
    assert walls.any(1).sum((1, 2)).mean() == pytest.approx(12.4, abs=0.4)


def test_radiation_lengths_follow_the_walls() -> None:
    volume = Volume()
    walls = generate_walls(np.random.default_rng(4), volume)
    x0_m = radiation_lengths(walls, volume)
    assert (x0_m[walls] == 0.0802252).all()
    assert (x0_m[~walls] == 0.262425).all()
