"""Standardised features: zero mean, unit spread, and what is constant becomes zero."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cloudchamber.prepare.feature_scale import FeatureScale, Transform, fit_feature_scale


@given(
    seed=st.integers(0, 2**32 - 1), size=st.floats(0.1, 1e6), shift=st.floats(-1e3, 1e3),
    transform=st.sampled_from(["linear", "arcsinh"]),
)  # fmt: skip
def test_mean_0_and_spread_1(seed: int, size: float, shift: float, transform: Transform) -> None:
    values = np.random.default_rng(seed).standard_normal((200, 3)) * size + shift
    scale = fit_feature_scale(values, transform)
    found = scale(values).astype(np.float64)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(found.std(axis=0), 1, rtol=1e-4)
    assert FeatureScale.model_validate_json(scale.model_dump_json()) == scale


@pytest.mark.parametrize("constant", [0.0, 1e-30, 7.3, -1e5])
@pytest.mark.parametrize("transform", ["linear", "arcsinh"])
def test_what_is_constant_becomes_0(constant: float, transform: Transform) -> None:
    values = np.full((50, 2), constant, np.float32)
    values[:, 1] = np.arange(50)
    found = fit_feature_scale(values, transform)(values)
    np.testing.assert_allclose(found[:, 0], 0, atol=1e-4)
    assert np.ptp(found[:, 1]) > 1


def test_arcsinh_draws_in_tails_and_keeps_signs() -> None:
    scale = FeatureScale(transform="arcsinh", mean=(0.0,), std=(1.0,))
    np.testing.assert_allclose(
        scale(np.array([[-1e6], [0.0], [1e-4], [1e6]])),
        [[-np.log(2e6)], [0], [1e-4], [np.log(2e6)]],
        rtol=1e-6,
    )


def test_what_makes_no_scale() -> None:
    for values in (np.zeros((0, 3)), np.zeros(3), np.full((4, 2), np.nan)):
        with pytest.raises(ValueError, match="finite features"):
            fit_feature_scale(values)
    with pytest.raises(ValueError, match="3 features"):
        fit_feature_scale(np.eye(3))(np.zeros((5, 2)))
    with pytest.raises(ValidationError):
        FeatureScale(mean=(0.0, 1.0), std=(1.0,))
    with pytest.raises(ValidationError):
        FeatureScale(mean=(0.0,), std=(0.0,))
