import numpy as np
import pytest
from scipy.spatial.distance import pdist

from cloudchamber.prepare.cube import CUBE_SYMMETRIES, turn_positions


def test_all_symmetries_differ_and_keep_distances() -> None:
    position = np.random.default_rng(1).integers(0, 16, (20, 3))
    turned = [turn_positions(position, 16, symmetry) for symmetry in range(CUBE_SYMMETRIES)]
    assert len({each.tobytes() for each in turned}) == 48
    np.testing.assert_array_equal(turned[0], position)
    for each in turned:
        assert each.min() >= 0
        assert each.max() < 16
        np.testing.assert_allclose(pdist(each), pdist(position))


@pytest.mark.parametrize("symmetry", [-1, 48])
def test_others_are_refused(symmetry: int) -> None:
    with pytest.raises(ValueError, match="0 to 47"):
        turn_positions(np.zeros((1, 3), np.int64), 16, symmetry)
