from pathlib import Path

import h5py
import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import Bundle
from cloudchamber.infer.files import predict_file
from cloudchamber.infer.predict import predict_probability
from cloudchamber.prepare.symmetries import transform
from cloudchamber.source.predictions import read_predictions

X0 = np.random.default_rng(6).lognormal(-3.3, 0.7, (13, 10, 10, 10)).astype(np.float32)


def _write(path: Path, x0: np.ndarray = X0) -> Path:
    with h5py.File(path, "w") as file:
        file["x0"] = x0
    return path


def test_averaged_predictions_turn_with_the_volume(bundle: Bundle) -> None:
    straight = predict_probability(bundle.network, bundle.config.inputs, X0[:, None])
    for k in (1, 2, 4, 6):
        turned = predict_probability(
            bundle.network, bundle.config.inputs, np.ascontiguousarray(transform(X0, k))[:, None]
        )
        np.testing.assert_allclose(turned, transform(straight, k), atol=1e-5)


def test_without_averaging_they_do_not(bundle: Bundle) -> None:
    straight = predict_probability(bundle.network, bundle.config.inputs, X0[:, None], symmetries=False)
    turned = predict_probability(
        bundle.network,
        bundle.config.inputs,
        np.ascontiguousarray(transform(X0, 1))[:, None],
        symmetries=False,
    )
    assert np.abs(turned - transform(straight, 1)).max() > 1e-3


def test_batches_do_not_matter(bundle: Bundle) -> None:
    whole = predict_probability(bundle.network, bundle.config.inputs, X0[:, None])
    parts = predict_probability(bundle.network, bundle.config.inputs, X0[:, None], batch=4)
    np.testing.assert_allclose(whole, parts, atol=1e-5)


def test_a_file_with_x0_alone(tmp_path: Path, bundle: Bundle) -> None:
    source, target = _write(tmp_path / "x0.h5"), tmp_path / "out.h5"
    assert predict_file(bundle, source, target) == len(X0)
    found = read_predictions(target)
    expected = predict_probability(bundle.network, bundle.config.inputs, X0[:, None])
    assert found.probability is not None
    np.testing.assert_allclose(found.probability, expected, atol=1e-6)
    assert np.array_equal(found.walls, found.probability > np.float32(0.48))
    assert found.attributes["model"] == "small"


def test_volumes_of_another_shape(tmp_path: Path, bundle: Bundle) -> None:
    source = _write(tmp_path / "x0.h5", X0[:, :9])
    with pytest.raises(InputError, match="9x10x10"):
        predict_file(bundle, source, tmp_path / "out.h5")
    assert [p.name for p in tmp_path.iterdir()] == ["x0.h5"]


def test_input_is_never_overwritten(tmp_path: Path, bundle: Bundle) -> None:
    source = _write(tmp_path / "x0.h5")
    before = source.read_bytes()
    with pytest.raises(InputError, match="another file"):
        predict_file(bundle, source, source)
    assert source.read_bytes() == before
