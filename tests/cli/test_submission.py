"""From the challenge's test set to a submission in one command, and to its two scores in another."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from sklearn.model_selection import train_test_split

from cloudchamber.cli import main
from cloudchamber.infer.bundle import Bundle, BundleConfig, save_bundle
from cloudchamber.infer.thresholds import Thresholds
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.normalise import Inputs, Standardise
from cloudchamber.score import challenge as scored
from cloudchamber.score.challenge import ChallengeScore
from cloudchamber.source import challenge
from cloudchamber.source.predictions import read_predictions

FEW, FEW_PRIVATE = 30, 25


def write_challenge(folder: Path, n: int) -> None:
    """Write test.h5 and test_private.h5 as the challenge has them: LZF, no attributes."""
    rng = np.random.default_rng(6)
    x0_m = np.empty((n, 10, 10, 10), np.float32)
    for start in range(0, n, 5000):
        part = x0_m[start : start + 5000]
        part[:] = 0.03 * np.exp(0.7 * rng.standard_normal(part.shape, dtype=np.float32))
    for name in ("test", "test_private"):
        with h5py.File(folder / f"{name}.h5", "w") as file:
            file.create_dataset("x0", data=x0_m, compression="lzf")
            if name == "test_private":
                file.create_dataset("targs", data=(x0_m < 0.012).astype(int), compression="lzf")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    torch.manual_seed(4)
    options: dict[str, object] = {"features": 2, "levels": 1, "layers": 10, "gravnet": None}
    config = BundleConfig(
        name="small",
        task="walls",
        network="walls-unet",
        options=options,
        inputs=Inputs(maps={"x0": Standardise(mean=-3.5, std=0.7)}),
        thresholds=Thresholds(),
        symmetries=False,
    )
    save_bundle(
        tmp_path / "small", Bundle(config, build_network("walls-unet", options), "# small\n\nFor tests.")
    )
    return tmp_path / "small"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the challenge have had 30 test volumes, 25 of them private."""
    for module in (challenge, scored):
        monkeypatch.setattr(module, "TEST_SAMPLES", FEW)
    monkeypatch.setattr(challenge, "PRIVATE_SAMPLES", FEW_PRIVATE)


def submit_and_score(
    folder: Path, bundle: Path, said: pytest.CaptureFixture[str], n: int, private: int
) -> None:
    submit = f"convert submission {folder}/test.h5 --bundle {bundle} --name Ada --id 01 -o {folder}/to"
    assert main(submit.split()) == 0
    path = folder / "to" / "Ada_ID01.h5"
    assert said.readouterr().out == f"{path}\n"
    assert list(path.parent.iterdir()) == [path]
    with h5py.File(path) as file:
        assert list(file) == ["preds"]
        assert file["preds"].shape == (n, 10, 10, 10)
        assert file["preds"].dtype == np.int64
        assert file["preds"].compression == "lzf"
    assert main(f"score {path} {folder}/test_private.h5 --json {folder}/score.json".split()) == 0
    found = ChallengeScore.model_validate(json.loads((folder / "score.json").read_text()))
    preds = read_predictions(path).walls
    with h5py.File(folder / "test_private.h5") as file:
        walls = file["targs"][:].astype(bool)
    both, either = (preds & walls).sum((1, 2, 3)), (preds | walls).sum((1, 2, 3))
    iou = (both + 1e-17) / (either + 1e-17)
    parts = train_test_split(iou, test_size=private, random_state=3452, shuffle=True)
    for estimate, part in zip((found.public_iou, found.private_iou), parts, strict=True):
        assert estimate.value == pytest.approx(part.mean(), abs=1e-12)
    printed = " ".join(said.readouterr().out.split())
    assert f"public IOU {found.public_iou.text(4)} ({n - private:,} volumes)" in printed
    assert f"private IOU {found.private_iou.text(4)} ({private:,} volumes)" in printed


def test_a_submission_and_its_scores(
    tmp_path: Path, bundle: Path, few: None, capsys: pytest.CaptureFixture[str]
) -> None:
    write_challenge(tmp_path, FEW)
    submit_and_score(tmp_path, bundle, capsys, FEW, FEW_PRIVATE)


@pytest.mark.slow
def test_a_submission_of_full_size(tmp_path: Path, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_challenge(tmp_path, 30_036)
    submit_and_score(tmp_path, bundle, capsys, 30_036, 25_000)


def test_a_simulation_of_that_size_has_no_parts(
    tmp_path: Path, few: None, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "few.toml"
    config.write_text("[muons]\ncount = 30\n")
    assert main(f"simulate walls -n {FEW} -o {tmp_path}/own.h5 --config {config}".split()) == 0
    with h5py.File(tmp_path / "own.h5") as file, h5py.File(tmp_path / "out.h5", "w") as out:
        out["preds"] = file["targs"][:]
    capsys.readouterr()
    assert main(f"score {tmp_path}/out.h5 {tmp_path}/own.h5".split()) == 0
    assert "private IOU" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{here}/test.h5 --bundle {bundle} --name a/b --id 01", "--name: expected letters"),
        ("{here}/test.h5 --bundle {bundle} --name a --id 1", "--id: expected two digits"),
        ("{here}/test.h5 --bundle nothing --name a --id 01", "nothing: expected a bundle"),
        ("{here}/missing.h5 --bundle {bundle} --name a --id 01", "missing.h5: expected an HDF5 file"),
        ("{here}/short.h5 --bundle {bundle} --name a --id 01", "short.h5: x0: expected the shape of"),
        ("{here}/nan.h5 --bundle {bundle} --name a --id 01", "nan.h5: x0, sample 7"),
        ("{here}/test.h5 --name a --id 01", "test.h5: preds: expected a data set"),
        ("{here}/test.h5 --bundle {bundle} --name taken --id 01", "taken_ID01.h5: expected a new file"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_and_leave_nothing(
    tmp_path: Path, bundle: Path, few: None, capsys: pytest.CaptureFixture[str], words: str, said: str
) -> None:
    write_challenge(tmp_path, FEW)
    with h5py.File(tmp_path / "test.h5") as file:
        x0_m = file["x0"][:]
    bad = x0_m.copy()
    bad[7, 1, 2, 3] = np.nan
    for name, values in (("short", x0_m[:-1]), ("nan", bad)):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["x0"] = values
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "taken_ID01.h5").touch()
    arguments = words.format(here=tmp_path, bundle=bundle).split()
    assert main(["convert", "submission", *arguments, "-o", f"{tmp_path}/to"]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["taken_ID01.h5"]
