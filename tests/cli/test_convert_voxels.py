"""``cloudchamber convert larcv|pilarnet|to-larcv|to-pilarnet``."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cyclopts import App

from cloudchamber.cli import convert_voxels
from cloudchamber.errors import InputError
from cloudchamber.source.pilarnet import read_pilarnet
from cloudchamber.source.voxels import read_events, write_events
from cloudchamber.voxel_events import VoxelEvents, join_events

Convert = Callable[[str], str]


@pytest.fixture
def convert(capsys: pytest.CaptureFixture[str]) -> Convert:
    """Run the verbs from their words; return what they print."""
    app = App(name="convert", result_action="return_value")
    for verb in ("larcv", "pilarnet", "to_larcv", "to_pilarnet"):
        app.command(getattr(convert_voxels, verb))

    def run(words: str) -> str:
        app(words.split(), exit_on_error=False, print_error=False)
        return capsys.readouterr().out

    return run


@pytest.fixture
def ours(tmp_path: Path, toy_event: Callable[..., VoxelEvents]) -> tuple[Path, VoxelEvents]:
    """Three events of ours, in a file and in memory."""
    events = join_events([toy_event(300, seed) for seed in (1, 2, 3)])
    assert events.particles is not None
    events.particles["track_id"] = np.tile(np.arange(1, 7), 3)
    write_events(tmp_path / "ours.h5", 3, iter([events]), {"seed": 1})
    return tmp_path / "ours.h5", events


def same(found: VoxelEvents, wanted: VoxelEvents, *names: str) -> None:
    assert (found.shape, found.voxel_mm) == (wanted.shape, wanted.voxel_mm)
    for name in ("voxel_offsets", "position", "energy_mev", *names):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), name)


def test_to_larcv_and_back(tmp_path: Path, ours: tuple[Path, VoxelEvents], convert: Convert) -> None:
    path, events = ours
    root, back = tmp_path / "a.root", tmp_path / "back.h5"
    assert convert(f"to-larcv {path} -o {root}") == f"{root}: 3 events\n"
    assert convert(f"larcv {root} -o {back}") == f"{back}: 3 events, {len(events.energy_mev)} voxels\n"
    found, attributes = read_events(back)
    same(found, events, "label", "particle", "particle_offsets")
    assert attributes["source"] == "converted from a.root"
    assert found.particles is not None
    assert events.particles is not None
    for name in ("pdg", "track_id", "parent", "process"):
        np.testing.assert_array_equal(found.particles[name], events.particles[name])
    convert(f"larcv {root} -o {back} --overwrite --particles none --labels none --voxel-mm 4")
    bare = read_events(back)[0]
    assert (bare.voxel_mm, bare.label, bare.particles) == (4.0, None, None)


@pytest.mark.parametrize("revision", [1, 2, 3])
def test_to_pilarnet_and_back(
    tmp_path: Path, ours: tuple[Path, VoxelEvents], convert: Convert, revision: int
) -> None:
    path, events = ours
    theirs, back = tmp_path / "theirs.h5", tmp_path / "back.h5"
    assert convert(f"to-pilarnet {path} -o {theirs} --revision {revision}") == f"{theirs}: 3 events\n"
    convert(f"pilarnet {theirs} -o {back} --side 512")
    found = read_events(back)[0]
    if revision == 1:
        same(found, events)
    else:
        same(found, events, "label")
    whole = read_pilarnet(theirs)
    assert whole.shape == (768, 768, 768)
    np.testing.assert_array_equal(whole.position, events.position)


@pytest.mark.reference
def test_the_genuine_file(tmp_path: Path, reference: Path, convert: Convert) -> None:
    out = tmp_path / "a.h5"
    said = convert(f"larcv {reference / 'larcv_cluster3d_5events.root'} -o {out}")
    assert said == f"{out}: 5 events, 226 voxels\n"
    events = read_events(out)[0]
    sums = [event.energy_mev.sum() for event in events]
    np.testing.assert_allclose(sums, [102.645, 290.478, 130.384, 63.601, 57.759], atol=0.001)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("larcv {ours} -o {new}", "a ROOT file"),
        ("larcv {gone} -o {new}", "No such file"),
        ("larcv {ours} -o {ours}", "--overwrite"),
        ("larcv {ours} -o {new} --voxel-mm 0", "--voxel-mm"),
        ("pilarnet {ours} -o {new}", "point: expected"),
        ("pilarnet {ours} -o {new} --side 0", "--side"),
        ("pilarnet {ours} -o {new} --voxel-mm nan", "--voxel-mm"),
        ("to-larcv {gone} -o {new}", "No such file"),
        ("to-larcv {ours} -o {ours}", "--overwrite"),
        ("to-pilarnet {gone} -o {new}", "No such file"),
        ("to-pilarnet {blind} -o {new}", "blind.h5: label"),
    ],
)
def test_refusals(
    tmp_path: Path, ours: tuple[Path, VoxelEvents], convert: Convert, words: str, said: str
) -> None:
    path, _ = ours
    blind = read_events(path, truth=False)[0]
    write_events(tmp_path / "blind.h5", 3, iter([blind]), {})
    names = {"ours": path, "gone": tmp_path / "gone", "new": tmp_path / "new", "blind": tmp_path / "blind.h5"}
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=said):
        convert(words.format(**names))
    assert sorted(tmp_path.iterdir()) == before
