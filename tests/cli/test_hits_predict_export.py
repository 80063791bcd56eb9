"""``cloudchamber export`` and ``predict`` on hits, with torch and without."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.cli.entry import main
from cloudchamber.infer.hits_bundle import load_hits_bundle
from cloudchamber.infer.hits_engines.choose import classify
from cloudchamber.labels import Activity
from cloudchamber.prepare.hit_images import CLASSES, ELECTRONS_PER_ADC_TICK, scale_planes
from cloudchamber.source.hit_predictions import read_hit_predictions
from cloudchamber.source.wire_predictions import NOT_PREDICTED, read_wire_predictions
from tests.infer.hits_models import save_readouts, save_small, toy_readouts

WITHOUT_TORCH = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "lightning"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
from cloudchamber.cli.entry import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with small bundles, one of them exported too, and readouts with hits and without."""
    folder = tmp_path_factory.mktemp("hits")
    for reads in ("patch", "plane"):
        save_small(reads, folder)
    save_readouts(folder / "hits.h5", toy_readouts())
    save_readouts(folder / "pixels.h5", toy_readouts(1, hits=False))
    assert main(["export", str(folder / "patch"), "-o", str(folder / "patch.onnx")]) == 0
    return folder


def scores_by_hand(folder: Path, reads: str) -> np.ndarray:
    bundle, events = load_hits_bundle(folder / reads), toy_readouts()
    planes = scale_planes(events, bundle.config.scale)
    parts = []
    for event, plane in zip(events, planes, strict=True):
        assert event.hits is not None
        drift = (event.hits["peak_tick"] // 6).astype(int)
        parts.append(classify(bundle.network, plane[0], event.hits["wire"], drift))
    return np.concatenate(parts)


@pytest.mark.parametrize(("model", "engine"), [
    ("patch", "auto"), ("patch", "patches"), ("patch", "shared-maps"), ("patch", "overlap-save"),
    ("plane", "auto"), ("plane", "whole-plane"), ("patch.onnx", "auto"), ("patch.onnx", "onnxruntime"),
])  # fmt: skip
def test_scores_of_hits(model: str, engine: str, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "scores.h5"
    arguments = [str(folder / model), str(folder / "hits.h5"), "-o", str(target), "--engine", engine]
    assert main(["predict", *arguments]) == 0
    found, attributes = read_hit_predictions(target)
    wanted = scores_by_hand(folder, model.removesuffix(".onnx"))
    np.testing.assert_allclose(found.scores, wanted, rtol=0, atol=6e-4)  # stored in half precision
    np.testing.assert_array_equal(found.hit_offsets, [0, 10, 21])
    np.testing.assert_array_equal(found.scores[0], found.scores[1])  # hits that share a pixel
    assert attributes["engine"] == ("onnxruntime" if model.endswith(".onnx") else engine)


def test_without_hits_lit_pixels_get_a_class(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "pixels.h5"
    assert main(["predict", str(folder / "plane"), str(folder / "pixels.h5"), "-o", str(target)]) == 0
    predicted, _ = read_wire_predictions(target)
    bundle, events = load_hits_bundle(folder / "plane"), toy_readouts(1, hits=False)
    plane = scale_planes(events, bundle.config.scale)[0, 0]
    lit = plane > bundle.config.scale.active
    np.testing.assert_array_equal(predicted.label[0] != NOT_PREDICTED, lit)
    scores = classify(bundle.network, plane, *np.nonzero(lit))
    classes = np.array([int(CLASSES[k]) for k in scores[:, :3].argmax(axis=1)])
    np.testing.assert_array_equal(predicted.label[0][lit], classes)
    assert predicted.michel is not None
    np.testing.assert_allclose(predicted.michel[0][lit] / 255, scores[:, 3], atol=0.5 / 255 + 1e-6)
    assert set(np.unique(classes)) <= {int(each) for each in Activity}


def test_onnx_runtime_works_where_torch_is_not_installed(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "scores.h5"
    arguments = [str(folder / "patch.onnx"), str(folder / "hits.h5"), "-o", str(target)]
    command = [sys.executable, "-c", WITHOUT_TORCH, "predict", *arguments, "--engine", "onnxruntime"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found, _ = read_hit_predictions(target)
    np.testing.assert_allclose(found.scores, scores_by_hand(folder, "patch"), rtol=0, atol=6e-4)


def test_without_torch_a_bundle_is_refused_in_a_line(folder: Path, tmp_path: Path) -> None:
    arguments = [str(folder / "patch"), str(folder / "hits.h5"), "-o", str(tmp_path / "scores.h5")]
    command = [sys.executable, "-c", WITHOUT_TORCH, "predict", *arguments, "--engine", "onnxruntime"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "a network in ONNX (cloudchamber export writes it), as torch is not installed" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("arguments", "message"), [
    (["{f}/patch", "{f}/hits.h5", "--engine", "whole-plane"], "a network that reads patches"),
    (["{f}/plane", "{f}/hits.h5", "--engine", "patches"], "whole-plane"),
    (["{f}/patch", "{f}/hits.h5", "--engine", "fast"], "fast"),
    (["{f}/patch", "{f}/hits.h5", "--threads", "0"], "threads"),
    (["{f}/patch", "{f}/hits.h5", "--memory-mib", "-1"], "memory-mib"),
    (["{f}/patch.onnx", "{f}/hits.h5", "--engine", "patches"], "--engine: expected onnxruntime"),
    (["{f}/none.onnx", "{f}/hits.h5"], "no such file"),
    (["{f}/patch", "{f}/none.h5"], "none.h5"),
    (["{f}/patch", "{f}/patch/card.md"], "card.md"),
])  # fmt: skip
def test_mistakes_are_one_line(
    arguments: list[str], message: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [each.format(f=folder) for each in arguments]
    assert main(["predict", *given, "-o", str(tmp_path / "out.h5")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_pixels_of_another_size_are_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = toy_readouts(1)
    other = replace(events, readout=replace(events.readout, rebin=12))
    source = save_readouts(tmp_path / "other.h5", other)
    assert main(["predict", str(folder / "patch"), str(source), "-o", str(tmp_path / "out.h5")]) == 2
    assert "4.8 mm, as the network was trained" in capsys.readouterr().err
    assert not (tmp_path / "out.h5").exists()


def test_frames_of_single_ticks_are_put_together(folder: Path, tmp_path: Path) -> None:
    ticks = np.repeat(np.random.default_rng(0).normal(0, 90, (20, 40)), 6, axis=1).astype(np.float32)
    np.savez(tmp_path / "frame.npz", frame=ticks)
    target = tmp_path / "pixels.h5"
    assert main(["predict", str(folder / "plane"), str(tmp_path / "frame.npz"), "-o", str(target)]) == 0
    predicted, _ = read_wire_predictions(target)
    scale = load_hits_bundle(folder / "plane").config.scale
    electrons = scale.scale_adc * ELECTRONS_PER_ADC_TICK
    assert predicted.label.shape == (1, 20, 40)
    np.testing.assert_array_equal(
        predicted.label[0] != NOT_PREDICTED, ticks[:, ::6] / electrons > scale.active
    )


def test_formats_on_the_command_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(folder / "patch"), "--format", "torch", "--out", str(tmp_path / "m.pt2")]) == 0
    assert (tmp_path / "m.pt2").stat().st_size > 1000
    assert main(["export", str(folder / "patch"), "--format", "keras", "--out", str(tmp_path / "m.h5")]) == 2
    assert "keras" in capsys.readouterr().err
