"""Predictions for pixels: there and back, blocks, faults."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.source.wire_predictions import (
    NOT_PREDICTED,
    WirePredictions,
    check_same_wires,
    is_wire_predictions,
    probability_codes,
    read_wire_predictions,
    write_wire_predictions,
)
from cloudchamber.wire_events import WireEvents


@pytest.fixture
def predicted() -> WirePredictions:
    rng = np.random.default_rng(2)
    label = rng.integers(0, 3, (3, 20, 30)).astype(np.uint8)
    label[2, 0] = NOT_PREDICTED
    return WirePredictions("hits", label, probability_codes(rng.random(label.shape)))


def test_there_and_back(tmp_path: Path, predicted: WirePredictions, planes: WireEvents) -> None:
    path = tmp_path / "p.h5"
    blocks = (
        WirePredictions("hits", predicted.label[k : k + 1], predicted.probability[k : k + 1])  # type: ignore[index]
        for k in range(3)
    )
    write_wire_predictions(path, 3, blocks, {"model": "toy"})
    found, attributes = read_wire_predictions(path)
    np.testing.assert_array_equal(found.label, predicted.label)
    np.testing.assert_array_equal(found.probability, predicted.probability)
    assert found.michel is None
    assert (attributes["task"], attributes["classes"], attributes["model"]) == (
        "hits",
        "NONE, TRACK, EM",
        "toy",
    )
    assert is_wire_predictions(path)
    assert len(read_wire_predictions(path, start=1, stop=2)[0].label) == 1
    check_same_wires(found, planes, path, tmp_path)
    with pytest.raises(InputError, match=r"the images of .*, found \(3, 20, 30\)"):
        check_same_wires(found, planes.chosen(0, 2), path, tmp_path)
    whole = tmp_path / "whole.h5"
    write_wire_predictions(whole, 3, [predicted], {"model": "toy"})
    assert whole.read_bytes() == path.read_bytes()


def test_codes() -> None:
    assert probability_codes(np.array([0.0, 0.5, 1.0, 1.1, 1 / 255])).tolist() == [0, 128, 255, 255, 1]


def test_faults(tmp_path: Path, predicted: WirePredictions) -> None:
    path = tmp_path / "p.h5"
    with pytest.raises(ValueError, match="of the task beam or hits"):
        write_wire_predictions(path, 3, [predicted._replace(task="walls")], {})
    with pytest.raises(InputError, match="predictions to write"):
        write_wire_predictions(path, 3, [], {})
    assert not list(tmp_path.iterdir())
    write_wire_predictions(path, 3, [predicted], {})
    with h5py.File(path, "a") as file:
        file["label"][1, 2, 3] = 3
    with pytest.raises(
        InputError, match="label, event 1, wire 2, drift 3: expected a class from 0 to 2, or 255, found 3"
    ):
        read_wire_predictions(path)
    with h5py.File(path, "a") as file:
        file.attrs["task"] = "walls"
    with pytest.raises(InputError, match="attribute task: expected one of beam, hits"):
        read_wire_predictions(path)
