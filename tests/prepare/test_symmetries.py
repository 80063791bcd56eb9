import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.prepare.symmetries import count_symmetries, inverse, transform

VOLUME = np.arange(2 * 3 * 4 * 4).reshape(2, 3, 4, 4)


@given(st.integers(0, 7))
def test_inverse_undoes(symmetry: int) -> None:
    assert np.array_equal(transform(transform(VOLUME, symmetry), inverse(symmetry)), VOLUME)


def test_eight_views_differ() -> None:
    views = {transform(VOLUME, k).tobytes() for k in range(8)}
    assert len(views) == 8


@given(st.integers(0, 7), st.integers(0, 7))
def test_they_form_a_group(a: int, b: int) -> None:
    views = [transform(VOLUME, k).tobytes() for k in range(8)]
    assert transform(transform(VOLUME, a), b).tobytes() in views


@given(st.integers(0, 7))
def test_layers_stay(symmetry: int) -> None:
    turned = transform(VOLUME, symmetry)
    assert np.array_equal(np.sort(turned.reshape(2, 3, -1)), np.sort(VOLUME.reshape(2, 3, -1)))


@given(st.integers(0, 7))
def test_torch_agrees_with_numpy(symmetry: int) -> None:
    assert np.array_equal(transform(torch.from_numpy(VOLUME), symmetry).numpy(), transform(VOLUME, symmetry))


def test_quarter_turn_is_among_them() -> None:
    turned = np.rot90(VOLUME, axes=(-2, -1))
    assert any(np.array_equal(transform(VOLUME, k), turned) for k in range(8))


def test_oblong_footprints_only_flip() -> None:
    assert (count_symmetries(4, 4), count_symmetries(4, 5)) == (8, 4)
    oblong = np.zeros((1, 2, 4, 5))
    assert all(transform(oblong, k).shape == oblong.shape for k in range(4))


def test_unknown_symmetry() -> None:
    with pytest.raises(ValueError, match="0 to 7"):
        transform(VOLUME, 8)
