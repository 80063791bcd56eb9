"""Pages of wire planes: what is packed into them is what the arrays hold."""

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cloudchamber.errors import InputError
from cloudchamber.labels import VertexFlag
from cloudchamber.show.wires_data import codes_of, deflated, prediction_layers, signal_range
from cloudchamber.show.wires_display import write_wires_display
from cloudchamber.show.wires_hits import hit_image
from cloudchamber.source.hit_predictions import HitPredictions
from cloudchamber.source.wire_predictions import NOT_PREDICTED, WirePredictions
from cloudchamber.wire_events import HIT, WIRE_PARTICLE, WireEvents, WireReadout

TYPES = {
    "Uint8Array": "u1",
    "Int16Array": "<i2",
    "Uint16Array": "<u2",
    "Int32Array": "<i4",
    "Float32Array": "<f4",
}


def unpacked(part: dict[str, Any]) -> np.ndarray:
    """Return an array from the page's bytes: all lowest bytes first."""
    dtype = np.dtype(TYPES[part["type"]])
    planes = np.frombuffer(zlib.decompress(base64.b64decode(part["base64"])), np.uint8)
    return planes.reshape(dtype.itemsize, -1).T.copy().view(dtype).ravel()


def page_of(path: Path) -> Any:
    found = re.search(r'id="wires-data">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


@pytest.fixture
def event() -> WireEvents:
    rng = np.random.default_rng(4)
    shape = (1, 7, 9)
    beam = rng.integers(0, 3, shape).astype(np.uint8)
    vertex = np.zeros(shape, np.uint8)
    vertex[0, 3, 8] = VertexFlag.DECAY | VertexFlag.ELASTIC
    rows = np.zeros(3, WIRE_PARTICLE)
    rows["pdg"], rows["kinetic_mev"], rows["process"], rows["origin"] = (
        [13, 0, 11],
        [1234.5, np.nan, 30],
        [1, 0, 9],
        [1, 0, 3],
    )
    particle = rng.choice([-1, 0, 2], shape).astype(np.int32)
    return WireEvents(
        WireReadout(rebin=6, zero=10, step=0.5), rng.integers(0, 256, shape).astype(np.uint8), beam=beam,
        activity=np.minimum(beam, 1), michel=(beam == 2).astype(np.uint8), vertex=vertex, particle=particle,
        particle_offsets=np.array([0, 3]), particles=rows,
    )  # fmt: skip


@given(arrays(st.sampled_from([np.uint8, np.int16, np.int32, np.float32]), st.integers(0, 40)))
def test_packing(values: np.ndarray) -> None:
    np.testing.assert_array_equal(unpacked(deflated(values)), values)


def test_the_page_holds_the_arrays(tmp_path: Path, event: WireEvents) -> None:
    path = tmp_path / "a.html"
    assert event.beam is not None
    predicted = WirePredictions("beam", event.beam.copy(), np.full(event.beam.shape, 200, np.uint8))
    predicted.label[0, 0] = NOT_PREDICTED
    write_wires_display(path, event, predicted=predicted, facts={"x": "</script><b>"}, title="a <b>")
    page = page_of(path)
    np.testing.assert_array_equal(unpacked(page["signal"]).reshape(9, 7).T, event.code[0])
    assert (page["zero"], page["step"], page["unit"]) == (10, 0.5, "ADC")
    layers = {layer["key"]: unpacked(layer["values"]).reshape(9, 7).T for layer in page["layers"]}
    assert list(layers) == ["beam", "activity", "predicted", "verdict"]
    np.testing.assert_array_equal(layers["beam"], event.beam[0])
    np.testing.assert_array_equal(layers["activity"], np.where(event.beam[0] == 2, 3, event.beam[0]))
    np.testing.assert_array_equal(layers["predicted"][0], 0)
    np.testing.assert_array_equal(layers["predicted"][1:], event.beam[0, 1:] + 1)
    np.testing.assert_array_equal(layers["verdict"][1:], event.beam[0, 1:] > 0)
    assert event.particle is not None
    place = unpacked(page["particle"]).reshape(9, 7).T
    np.testing.assert_array_equal(place, np.searchsorted([-1, 0, 2], event.particle[0]))
    assert page["particles"] == [
        "mu-, kinetic energy 1234 MeV, primary, from cosmic, number 0",
        "e-, kinetic energy 30 MeV, decay, from beam, number 0",
    ]
    assert [unpacked(page["vertices"][name]).tolist() for name in ("wire", "drift", "flags")] == [
        [3],
        [8],
        [34],
    ]
    text = path.read_text()
    assert "</script><b>" not in text
    assert "<title>a &lt;b&gt;</title>" in text
    assert "://" not in text
    assert "7 wires × 9 drift bins of 6 × 0.5 µs, 4.79 mm × 4.8 mm" in text


def test_other_signals_are_rounded_finely() -> None:
    rng = np.random.default_rng(1)
    signal = rng.normal(0, 300, (1, 4, 5)).astype(np.float32)
    code, zero, step = codes_of(WireEvents(WireReadout(), signal))
    assert code.dtype == np.int16
    np.testing.assert_allclose((code - zero) * step, signal[0], atol=0.51 * step)
    assert step == pytest.approx(np.abs(signal).max() / 32767)
    assert codes_of(WireEvents(WireReadout(), np.zeros((1, 2, 2), np.float32)))[0].max() == 0


def test_colours_begin_above_the_noise() -> None:
    rng = np.random.default_rng(2)
    signal = rng.normal(0, 3.8, (300, 400)).astype(np.float32)
    signal[10] += 100
    low, high = signal_range(signal)
    assert low == pytest.approx(3 * 3.8, rel=0.03)
    assert 100 < high < 115
    assert signal_range(np.zeros((3, 3), np.float32)) == (0.0, 1.0)


def test_hits_become_pixels() -> None:
    hits = np.zeros(3, HIT)
    hits["wire"], hits["peak_tick"], hits["rms_ticks"], hits["peak"] = (
        [1, 1, 3],
        [30, 37, 2],
        [7, 2, 50],
        [5, 9, 1],
    )
    event = WireEvents(
        WireReadout(rebin=6), np.zeros((1, 4, 8), np.uint8), hit_offsets=np.array([0, 3]), hits=hits
    )
    scores = np.array([[0.7, 0.2, 0.1, 0.0], [0.1, 0.9, 0.0, 1.0], [0.0, 0.1, 0.9, 0.0]], np.float32)
    found = hit_image(event, HitPredictions(np.array([0, 3]), scores))
    none = NOT_PREDICTED
    assert found.label[0, 1].tolist() == [none, none, none, 1, 1, 2, 2, none]  # the stronger one lies above
    assert found.label[0, 3].tolist() == [0] * 8
    assert found.label[0, [0, 2]].min() == none
    assert found.probability is not None
    assert found.probability[0, 1, [3, 6]].tolist() == [178, 230]
    layers = prediction_layers(event, found)
    assert layers[0].values[1].tolist() == [0, 0, 0, 2, 2, 4, 4, 0]  # track, and a Michel electron
    assert len(layers) == 1  # there is no truth to compare with
    with pytest.raises(ValueError, match="as many hits"):
        hit_image(event, HitPredictions(np.array([0, 2]), scores[:2]))


def test_refusals(tmp_path: Path, event: WireEvents) -> None:
    wrong = np.zeros((1, 7, 8), np.uint8)
    for changed, said in (
        ({"predicted": WirePredictions("beam", wrong)}, "predicted: expected the shape"),
        ({"frame_labels": wrong[0]}, "frame_labels: expected the shape"),
    ):
        with pytest.raises(InputError, match=said):
            write_wires_display(tmp_path / "a.html", event, **changed)
    with pytest.raises(InputError, match="one readout"):
        write_wires_display(tmp_path / "a.html", event.chosen(0, 0))
    with pytest.raises(InputError, match="a path that can be written"):
        write_wires_display(tmp_path, event)
    assert not list(tmp_path.iterdir())
