import numpy as np
import pytest
import torch

from cloudchamber.prepare.normalise import Scale, fit_standardise


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_standardised_values_have_mean_0_and_std_1(scale: Scale) -> None:
    x0 = np.random.default_rng(1).lognormal(-3, 1, (50, 4, 3, 3)).astype(np.float32)
    standardise = fit_standardise([x0[:20], x0[20:]], scale)
    values = standardise(torch.from_numpy(x0))
    assert float(values.mean()) == pytest.approx(0, abs=1e-5)
    assert float(values.std(correction=0)) == pytest.approx(1, abs=1e-5)


def test_blocks_do_not_matter() -> None:
    x0 = np.random.default_rng(1).lognormal(-3, 1, (50, 4, 3, 3)).astype(np.float32)
    whole, parts = fit_standardise([x0]), fit_standardise([x0[:7], x0[7:]])
    assert (whole.mean, whole.std) == pytest.approx((parts.mean, parts.std), rel=1e-12)


def test_constant_volumes_do_not_divide_by_zero() -> None:
    standardise = fit_standardise([np.full((2, 3, 3, 3), 0.2, dtype=np.float32)])
    assert torch.isfinite(standardise(torch.full((1, 3, 3, 3), 0.2))).all()
