"""Scales by name in place of the usual ones, and the logarithm with a sign."""

import numpy as np
import pytest
import torch

from cloudchamber.prepare.normalise import SCALES, fit_inputs, fit_standardise


def test_arcsinh_keeps_signs_and_tames_tails() -> None:
    rng = np.random.default_rng(1)
    score = (rng.standard_t(1, (40, 3, 4, 4)) * 10).astype(np.float32)
    score[0, 0, 0, 0], score[0, 0, 0, 1] = -1e22, 1e7
    standardise = fit_standardise([score[:9], score[9:]], "arcsinh")
    values = standardise(torch.from_numpy(score))
    assert float(values.mean()) == pytest.approx(0, abs=1e-4)
    assert float(values.std(correction=0)) == pytest.approx(1, abs=1e-4)
    assert float(values.abs().max()) < 20
    order = torch.from_numpy(score).flatten().argsort()
    assert (values.flatten()[order].diff() >= 0).all()


def test_scales_by_name() -> None:
    rng = np.random.default_rng(1)
    maps = {name: rng.lognormal(0, 1, (6, 2, 3, 3)).astype(np.float32) for name in ("x0", "score")}
    maps["poca_count"] = maps["x0"]
    usual = fit_inputs(maps)
    assert {name: (each.scale, each.offset) for name, each in usual.maps.items()} == {
        name: SCALES[name] for name in maps
    }
    mine = fit_inputs(maps, {"score": "arcsinh", "poca_count": "log"})
    assert mine.maps["score"].scale == "arcsinh"
    assert mine.maps["poca_count"] == usual.maps["poca_count"]
    assert mine.maps["x0"] == usual.maps["x0"]
    assert {each.scale for each in fit_inputs(maps, False).maps.values()} == {"linear"}
