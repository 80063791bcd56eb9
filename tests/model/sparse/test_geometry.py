"""Neighbours and parents against dictionaries, and the two ways to find them against each other."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.model.sparse.backend import sparse_backend
from cloudchamber.model.sparse.geometry import SparseGeometry
from cloudchamber.model.sparse.keys import linear_keys
from cloudchamber.model.sparse.rulebook import Rulebook
from tests.model.sparse.batches import batches

BACKENDS = ["torch", "numba"]


def set_of(coordinates: torch.Tensor) -> list[list[int]]:
    return [list(row) for row in {tuple(row) for row in coordinates.tolist()}]


def pairs_of(rulebook: Rulebook) -> list[set[tuple[int, int]]]:
    places = [rulebook.pairs(place) for place in range(rulebook.places)]
    return [set(zip(rulebook.source[p].tolist(), rulebook.target[p].tolist(), strict=True)) for p in places]


@pytest.mark.parametrize("backend", BACKENDS)
@given(batches())
def test_neighbours_and_parents_by_dictionary(backend: str, coordinates: torch.Tensor) -> None:
    with sparse_backend(backend):
        geometry = SparseGeometry(coordinates)
        fine, coarse = geometry.level(0), geometry.level(1)
        neighbours, down = fine.neighbours, fine.down
    assert fine.coordinates.tolist() == sorted(set_of(coordinates))
    rows = {tuple(place): row for row, place in enumerate(fine.coordinates.tolist())}
    parents = {tuple(place): row for row, place in enumerate(coarse.coordinates.tolist())}
    dimension = geometry.dimension
    expected: list[set[tuple[int, int]]] = []
    for offset in product((-1, 0, 1), repeat=dimension):
        wanted = {
            row: (place[0], *(p + o for p, o in zip(place[1:], offset, strict=True)))
            for place, row in rows.items()
        }
        expected.append({(rows[place], row) for row, place in wanted.items() if place in rows})
    assert pairs_of(neighbours) == expected
    joined: list[set[tuple[int, int]]] = [set() for _ in range(2**dimension)]
    for place, row in rows.items():
        odd = sum((p % 2) << (dimension - 1 - axis) for axis, p in enumerate(place[1:]))
        joined[odd].add((row, parents[(place[0], *(p // 2 for p in place[1:]))]))
    assert pairs_of(down) == joined
    assert set(parents) == {(place[0], *(p // 2 for p in place[1:])) for place in rows}


@given(batches())
def test_both_ways_make_the_same_rulebooks(coordinates: torch.Tensor) -> None:
    levels, rulebooks = [], []
    for backend in BACKENDS:
        with sparse_backend(backend):
            geometry = SparseGeometry(coordinates)
            levels.append([geometry.level(number) for number in range(3)])
            rulebooks.append([book for level in levels[-1] for book in (level.neighbours, level.down)])
    for first, second in zip(*levels, strict=True):
        assert torch.equal(first.coordinates, second.coordinates)
        assert torch.equal(first.row, second.row)
    for one, other in zip(*rulebooks, strict=True):
        assert (one.starts, one.identity) == (other.starts, other.identity)
        assert torch.equal(one.source, other.source)
        assert torch.equal(one.target, other.target)


def test_coordinates_in_order_stay_in_order_and_are_kept() -> None:
    coordinates = (torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(4)) < 0.5).nonzero()
    given_as = coordinates.clone()
    geometry, mixed = SparseGeometry(given_as), SparseGeometry(coordinates.flip(0))
    given_as += 100
    assert torch.equal(geometry.level(0).order, torch.arange(len(coordinates)))
    assert torch.equal(geometry.level(0).row, torch.arange(len(coordinates)))
    for number in range(3):
        one, two = geometry.level(number), mixed.level(number)
        assert torch.equal(one.coordinates, two.coordinates)
        assert torch.equal(one.keys, two.keys)
        assert pairs_of(one.down) == pairs_of(two.down)


@given(batches())
def test_sources_and_targets_of_a_place_ascend(coordinates: torch.Tensor) -> None:
    level = SparseGeometry(coordinates).level(0)
    for rulebook in (level.neighbours, level.down, level.up):
        for place in range(rulebook.places):
            for rows in (rulebook.source, rulebook.target):
                assert bool((torch.diff(rows[rulebook.pairs(place)]) > 0).all())


@pytest.mark.parametrize("backend", BACKENDS)
def test_coordinates_to_a_million_and_thousands_of_samples(backend: str) -> None:
    """62 bits of places and 12 of samples do not fit a key as they are: gaps are closed."""
    side, samples = 2**20, 4000
    corner = torch.tensor([[0, 0, 0, 0], [0, 0, 0, 1], [0, side - 1, side - 1, side - 1]])
    coordinates = torch.cat([corner + torch.tensor([sample, 0, 0, 0]) for sample in range(samples)])
    with sparse_backend(backend):
        geometry = SparseGeometry(coordinates)
        neighbours = geometry.level(0).neighbours
    assert len(geometry.level(0)) == 3 * samples
    assert len(neighbours.source) == 3 * samples + 2 * samples
    assert len(geometry.level(1)) == 2 * samples


def test_closing_gaps_keeps_neighbours() -> None:
    places = torch.tensor([[0, 0], [0, 1], [0, 3], [2**40, 2**41], [2**40, 2**41 + 1]])
    far = torch.cat([torch.zeros(5, 1, dtype=torch.int64), places, places], dim=1)
    keys, strides = linear_keys(far)
    assert len(strides) == 4
    difference = {int(a - b) for a, b in product(keys.tolist(), repeat=2)}
    assert strides[1] + strides[3] in difference  # rows 0 and 1, 3 and 4 are diagonal neighbours
    assert len(set(keys.tolist())) == 5


def test_keys_that_cannot_fit() -> None:
    coordinates = torch.randint(0, 2**40, (3000, 7), generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="give fewer samples at a time"):
        SparseGeometry(coordinates)


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_voxels_at_all(backend: str) -> None:
    with sparse_backend(backend):
        geometry = SparseGeometry(torch.zeros(0, 4, dtype=torch.int64))
        assert len(geometry.level(3)) == 0
        assert geometry.level(0).neighbours.starts == (0,) * 28
        assert geometry.level(0).down.starts == (0,) * 9
        assert geometry.gather(torch.zeros(0, 2)).shape == (0, 2)


@pytest.mark.parametrize(
    "coordinates",
    [torch.zeros(3, dtype=torch.int64), torch.zeros(3, 1, dtype=torch.int64), torch.zeros(3, 4)],
)
def test_what_are_no_coordinates(coordinates: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="coordinates are integers"):
        SparseGeometry(coordinates)


def test_gather_checks_the_number_of_rows() -> None:
    with pytest.raises(ValueError, match="2 rows of features for 3"):
        SparseGeometry(torch.arange(6).reshape(3, 2)).gather(torch.zeros(2, 1))


@given(st.integers(0, 2**31), st.sampled_from([1, 4]))
def test_duplicates_are_summed_whatever_their_order(seed: int, channels: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    coordinates = torch.randint(0, 2, (40, 3), generator=generator)
    features = torch.randn(40, channels, generator=generator)
    geometry = SparseGeometry(coordinates)
    gathered = geometry.gather(features)
    for row, place in enumerate(geometry.level(0).coordinates):
        same = features[(coordinates == place).all(dim=1)]
        torch.testing.assert_close(gathered[row], same.sum(dim=0))
    order = torch.randperm(40, generator=generator)
    assert torch.equal(SparseGeometry(coordinates[order]).gather(features[order]), gathered)


def test_the_gradient_of_a_duplicate_is_that_of_its_voxel() -> None:
    geometry = SparseGeometry(torch.tensor([[0, 5], [0, 2], [0, 5], [0, 5]]))
    features = torch.tensor([[1.0], [2.0], [3.0], [4.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(geometry.gather(features), features, torch.tensor([[10.0], [20.0]]))
    assert gradient.flatten().tolist() == [20.0, 10.0, 20.0, 20.0]
    assert geometry.scatter(torch.tensor([[10.0], [20.0]])).flatten().tolist() == [20.0, 10.0, 20.0, 20.0]


def test_an_unknown_backend() -> None:
    with pytest.raises(ValueError, match="a backend is one of auto, torch, numba"), sparse_backend("cupy"):
        pass
