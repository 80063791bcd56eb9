"""``compare voxels``: the relabelling study, from what is trained and simulated already."""

from pathlib import Path

import pytest
import torch

from cloudchamber.cli.compare_voxels import COLUMNS
from cloudchamber.cli.entry import main
from cloudchamber.infer.voxels_bundle import VoxelsBundle, VoxelsBundleConfig, save_voxels_bundle
from cloudchamber.infer.voxels_predict import predict_events
from cloudchamber.labels import VoxelLabel
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.relabel import relabel_events
from cloudchamber.score.voxels import score_voxels
from cloudchamber.show.voxels_tables import percent
from cloudchamber.source.voxels import read_events

OPTIONS: dict[str, object] = {"levels": 2, "filters": 4, "repetitions": 1}
SMALL = "side_px = 96\n[muons]\ncount = [1, 2]\n"


def bundle(name: str, seed: int) -> VoxelsBundle:
    torch.manual_seed(seed)
    network = build_network("voxels-uresnet", OPTIONS).eval()
    config = VoxelsBundleConfig(
        name=name, network="voxels-uresnet", options=OPTIONS, energy="log", voxel_mm=3.0, relabelled=True
    )
    return VoxelsBundle(config, network, "For tests.")


def test_the_table_holds_published_and_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    (tmp_path / "small.toml").write_text(SMALL)
    simulate = ["simulate", "voxels", "-n", "4", "--seed", "9", "--config", str(tmp_path / "small.toml")]
    assert main([*simulate, "-o", str(tmp_path / "test.h5")]) == 0
    bundles = {
        name: bundle(name, seed) for seed, name in enumerate(dict.fromkeys(name for name, _ in COLUMNS))
    }
    for name, each in bundles.items():
        save_voxels_bundle(tmp_path / name.replace("/", "-") / "bundle", each)
    extra = tmp_path / "voxels-weighted" / "bundle"
    capsys.readouterr()
    assert main(["compare", "voxels", "-o", str(tmp_path), "--bundles", str(extra)]) == 0
    text = capsys.readouterr().out

    events = read_events(tmp_path / "test.h5", truth=True)[0]
    truths = {"regular": events, "relabelled": relabel_events(events)}
    ours = [line for line in text.splitlines() if "our simulation" in line]
    assert len(ours) == len(COLUMNS) + 1
    for line, (name, labels) in zip(ours, [*COLUMNS, ("voxels/weighted", "relabelled")], strict=True):
        score = score_voxels(truths[labels], predict_events(bundles[name], events)[0])
        assert percent(score.accuracy) in line
    published = [line for line in text.splitlines() if "published:" in line]
    assert len(published) == len(COLUMNS)
    assert all(label.name.lower()[:3] in text.lower() for label in VoxelLabel)
