"""Frames in .npz: rebinning, whole numbers, Wire-Cell's names, faults; the genuine plane by numpy."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cloudchamber.errors import InputError
from cloudchamber.source.wire_choice import WireChoice
from cloudchamber.source.wire_frames import count_wire_frames, read_wire_frames, rebinned


@given(
    arrays(
        np.float32, st.tuples(st.integers(1, 4), st.integers(1, 30)), elements=st.floats(-99, 99, width=16)
    ),
    st.integers(1, 8),
)
def test_rebinning_keeps_the_charge(signal: np.ndarray, rebin: int) -> None:
    found = rebinned(signal, rebin)
    assert found.shape == (len(signal), -(-signal.shape[1] // rebin))
    np.testing.assert_allclose(found.sum(axis=1) * rebin, signal.sum(axis=1), atol=0.02)
    np.testing.assert_allclose(
        found[:, 0], np.append(signal, np.zeros((len(signal), 8)), 1)[:, :rebin].mean(1), atol=0.01
    )


def test_wirecell_names_and_whole_numbers(tmp_path: Path) -> None:
    adc = np.arange(12, dtype=np.int64).reshape(3, 4) + 900
    tick = np.array([0.0, 512.0, 0.0])
    arrays = {"tickinfo_orig_0": tick, "tickinfo_orig_1": tick, "channels_orig_0": np.arange(3)}
    np.savez(tmp_path / "a.npz", frame_orig_0=adc, frame_orig_1=adc + 1, **arrays)  # type: ignore[arg-type]
    found = read_wire_frames(tmp_path / "a.npz")
    assert found.code.dtype == np.int16
    assert (found.readout.unit, found.readout.tick_us) == ("adc", 0.512)
    assert found.code[:, 0, 0].tolist() == [900, 901]
    assert count_wire_frames(tmp_path / "a.npz") == 2
    mean = read_wire_frames(tmp_path / "a.npz", WireChoice(rebin=2, unit="unknown"))
    assert mean.code[0, 0].tolist() == [900.5, 902.5]
    assert mean.readout.unit == "unknown"


def test_pickles_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frame=np.array([[print, 1]], object))
    with pytest.raises(InputError, match=r"frame: .*allow_pickle"):
        read_wire_frames(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros(5), "axes .wire, tick., found the shape .5,."),
        (np.zeros((2, 3), "<c8"), "complex64"),
        (np.full((2, 3), np.nan), "wire 0, tick 0: expected finite"),
        (np.zeros((0, 3)), "0 x 3"),
    ],
)
def test_faults(tmp_path: Path, values: np.ndarray, said: str) -> None:
    np.savez(tmp_path / "a.npz", frame=values)
    with pytest.raises(InputError, match=said):
        read_wire_frames(tmp_path / "a.npz")


def test_files_that_are_none(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", other=np.zeros((2, 2)))
    np.savez_compressed(tmp_path / "b.npz", frame=np.random.default_rng(1).normal(size=(40, 50)))
    (tmp_path / "empty.npz").write_bytes(b"")
    data = (tmp_path / "b.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(data[: len(data) // 2])
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 0xFF
    (tmp_path / "damaged.npz").write_bytes(damaged)
    for name, said in (
        ("a", "an array frame, or frame_.*, found other"), ("gone", "no such file"),
        ("empty", "another kind"),
        ("cut", "an .npz file"), ("damaged", "frame"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said):
            read_wire_frames(tmp_path / f"{name}.npz")
    np.savez(tmp_path / "two.npz", frame_a=np.zeros((2, 3)), frame_b=np.zeros((2, 4)))
    with pytest.raises(InputError, match="2 x 3 pixels, as frame_a"):
        read_wire_frames(tmp_path / "two.npz")


@pytest.mark.reference
def test_the_genuine_plane(reference: Path) -> None:
    path = reference / "protodunehd_real_apa1_w.npz"
    with np.load(path, allow_pickle=False) as archive:
        frame = archive["frame"]
    found = read_wire_frames(path)
    np.testing.assert_array_equal(found.code[0], frame)
    assert (found.code.shape, float(found.code.max()), found.readout.unit) == (
        (1, 960, 5999),
        35106.0,
        "electrons",
    )
    assert np.count_nonzero(frame) == 76635
    six = read_wire_frames(path, WireChoice(rebin=6))
    assert six.code.shape == (1, 960, 1000)
    assert int(np.count_nonzero(six.code)) == 15851
    assert six.code.sum(dtype=np.float64) * 6 == pytest.approx(frame.sum(dtype=np.float64), rel=1e-6)
