"""What is wrong with a larcv2 file is said with its place, in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.labels import VoxelLabel
from cloudchamber.source.larcv import LarcvChoice, read_larcv
from cloudchamber.voxel_events import VoxelEvents

Make = Callable[..., VoxelEvents]
Same = Callable[[VoxelEvents, VoxelEvents], None]
Trees = dict[str, dict[str, Any]]
Columns = Callable[[Path], Trees]
Rewrite = Callable[[Path, Trees], Path]


def test_a_rewritten_file_is_the_same(
    good: Path, tmp_path: Path, random_events: Make, same: Same, columns: Columns, rewrite: Rewrite
) -> None:
    same(read_larcv(rewrite(tmp_path / "a.root", columns(good))), random_events())


DATA, TYPES, ROWS, MCST = (
    "sparse3d_data_tree", "sparse3d_fivetypes_tree", "sparse3d_particle_tree", "particle_mcst_tree"
)  # fmt: skip
ID, VALUE, YNUM, ZLEN = "_voxel_v._id", "_voxel_v._value", "_meta._ynum", "_meta._zlen"
PROCESS = "_part_v._process"
Change = Callable[[Trees], object]


def put(tree: str, branch: str, change: Callable[[Any], Any]) -> Change:
    def apply(trees: Trees) -> None:
        trees[tree][branch] = change(trees[tree][branch])

    return apply


def one(at: int, value: float, kind: type | None = None) -> Callable[[Any], Any]:
    """Change one number of all lists."""

    def change(array: Any) -> Any:
        flat = np.array(ak.to_numpy(ak.flatten(array)))
        flat = flat if kind is None else flat.astype(kind)
        flat[at] = value
        return ak.unflatten(flat, ak.num(array))

    return change


def all_of(value: int, kind: type) -> Callable[[Any], Any]:
    return lambda array: np.full(len(array), value, kind)


def text(words: str) -> Callable[[Any], Any]:
    return lambda array: ak.Array([words] * len(array))


def other_entry(array: Any) -> Any:
    changed = np.array(ak.to_numpy(array))
    changed[2] += 1
    return changed


def both(first: Change, second: Change) -> Change:
    return lambda trees: (first(trees), second(trees))


def lacks(tree: str, branch: str) -> Change:
    return lambda trees: trees[tree].pop(branch)


def fewer(tree: str) -> Change:
    return lambda trees: trees.update({tree: {key: array[:-1] for key, array in trees[tree].items()}})


def others(tree: str, branch: str) -> Change:
    """Leave the lists of one branch alone shorter than those of its neighbours."""
    return put(tree, branch, lambda array: array[:, 1:] if ak.num(array)[0] else array)


BAD: dict[str, tuple[Change, str]] = {
    "no energies": (lambda trees: trees.pop(DATA), "sparse3d_data_tree"),
    "no ids": (lacks(DATA, ID), f"{DATA}.*a branch _voxel_v._id"),
    "no values": (lacks(DATA, VALUE), f"{DATA}.*a branch _voxel_v._value"),
    "no sides": (lacks(DATA, YNUM), f"{DATA}.*a branch _meta._ynum"),
    "no pdg": (lacks(MCST, "_part_v._pdg"), f"{MCST}.*a branch _part_v._pdg"),
    "no process": (lacks(MCST, PROCESS), f"{MCST}.*a branch _part_v._process"),
    "fewer labels": (fewer(TYPES), f"{TYPES}: expected 7 entries"),
    "fewer particles": (fewer(MCST), f"{MCST}: expected 7 entries"),
    "nan": (put(DATA, VALUE, one(0, np.nan)), "entry 0: expected energies.*nan"),
    "infinite": (put(DATA, VALUE, one(-1, np.inf)), "entry 6: expected energies.*inf"),
    "negative": (put(DATA, VALUE, one(0, -1)), "entry 0: expected energies.*-1"),
    "outside": (put(DATA, ID, one(1, 7680)), "entry 0: expected.* below 7680, found 7680"),
    "invalid id": (put(DATA, ID, one(-1, 2**64 - 1)), "entry 6: .*found 18446744073709551615"),
    "negative ids": (put(DATA, ID, one(0, -1, np.int64)), "_id: expected numbers of voxels"),
    "ids of floats": (put(DATA, ID, one(0, 0, np.float64)), "_id: expected numbers of voxels"),
    "one id an event": (put(DATA, ID, all_of(0, np.uint64)), "_id: expected a list of numbers"),
    "text for values": (put(DATA, VALUE, text("no")), f"{DATA}.*_value: expected"),
    "values without ids": (others(DATA, VALUE), "_value: expected as many per entry"),
    "a sixth label": (put(TYPES, VALUE, one(0, 5)), f"{TYPES}.*labels from 0 to 4, found 5"),
    "half a label": (put(TYPES, VALUE, one(0, 0.5)), f"{TYPES}.*labels from 0 to 4, found 0.5"),
    "a voxel unlabelled": (both(others(TYPES, ID), others(TYPES, VALUE)), f"{TYPES}.*a label of voxel"),
    "no such particle": (put(ROWS, VALUE, one(0, 99)), f"{ROWS}.*rows of the entry's"),
    "too many names": (put(MCST, PROCESS, text("conv;" * 6 + "phot")), "_process, entry 0: .*, found 7"),
    "momenta that do not fit": (others(MCST, "_part_v._px"), "_px: expected as many values"),
    "other grid": (put(DATA, YNUM, other_entry), r"entry 2: .* grid of entry 0, \[24, 16, 20\] voxels"),
    "flat voxels": (put(DATA, ZLEN, lambda a: ak.to_numpy(a) * 2), "entry 0: expected cubic voxels"),
    "no size": (put(DATA, ZLEN, lambda a: ak.to_numpy(a) * np.nan), "entry 0: expected cubic voxels"),
    "no image": (put(DATA, YNUM, all_of(0, np.uint64)), "expected an image of at least"),
    "too large": (put(DATA, YNUM, all_of(2**63, np.uint64)), "entry 0: expected at most 1048576"),
    "wires and ticks": (put(DATA, "_meta._unit", all_of(2, np.int32)), "lengths in cm"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_contents(good: Path, tmp_path: Path, kind: str, columns: Columns, rewrite: Rewrite) -> None:
    change, said = BAD[kind]
    trees = columns(good)
    change(trees)
    bad = rewrite(tmp_path / "bad.root", trees)
    with pytest.raises(InputError, match=said) as caught:
        read_larcv(bad)
    assert "bad.root" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_energies_of_another_unit(
    good: Path, tmp_path: Path, random_events: Make, columns: Columns, rewrite: Rewrite
) -> None:
    trees = columns(good)
    for branch in ("_energy_init", "_energy_deposit", "_px", "_py", "_pz"):
        put(MCST, f"_part_v.{branch}", lambda a: ak.where(a > 1e30, a, a / 1000))(trees)
    put(DATA, VALUE, lambda a: ak.values_astype(a / 1000, np.float32))(trees)
    path, events = rewrite(tmp_path / "gev.root", trees), random_events()
    with pytest.raises(InputError, match=r"_energy_init: expected total energies above the mass.*unit MeV"):
        read_larcv(path)
    found = read_larcv(path, LarcvChoice(unit="GeV"))
    np.testing.assert_allclose(found.energy_mev, events.energy_mev, rtol=1e-6)
    assert found.particles is not None
    assert events.particles is not None
    for name in ("kinetic_mev", "deposit_mev", "momentum_mev"):
        np.testing.assert_allclose(found.particles[name], events.particles[name], rtol=1e-4, atol=1e-3)


def test_choosing_producers(
    good: Path, tmp_path: Path, random_events: Make, same: Same, columns: Columns, rewrite: Rewrite
) -> None:
    trees = columns(good)
    trees["sparse3d_reco_tree"] = {**trees[DATA], VALUE: trees[DATA][VALUE] * 2}
    trees["particle_other_tree"] = trees.pop(MCST)
    path = rewrite(tmp_path / "a.root", trees)
    doubled = read_larcv(path, LarcvChoice(energies="reco"))
    np.testing.assert_array_equal(doubled.energy_mev, 2 * random_events().energy_mev)
    same(read_larcv(path, LarcvChoice(particles="other")), random_events())
    with pytest.raises(InputError, match=r"particle_mcst_tree.*producers of particle: other"):
        read_larcv(path, LarcvChoice(particles="mcst"))
    rewrite(path, {**trees, "particle_third_tree": trees["particle_other_tree"]})
    with pytest.raises(InputError, match="one producer, or a choice, found several: other, third"):
        read_larcv(path)


def test_voxels_without_labels_take_those_of_particles(good: Path, rewrite: Rewrite) -> None:
    events = read_larcv(good, LarcvChoice(labels=None))
    for event in events:
        assert event.label is not None
        assert event.particle is not None
        assert event.particles is not None
        for label, row in zip(event.label.tolist(), event.particle.tolist(), strict=True):
            assert label == (VoxelLabel.SHOWER if row < 0 else event.particles["label"][row])


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda path: path.mkdir(), "a folder"),
        (lambda path: None, "No such file"),
        (lambda path: path.touch(), "an empty file"),
        (lambda path: path.write_text("a text"), "another kind of file"),
        (lambda path: path.write_bytes(b"root" + bytes(100)), "found nothing"),
        (lambda path: path.write_bytes(b"root" + np.random.default_rng(0).bytes(5000)), "a whole ROOT file"),
    ],
)
def test_other_files(tmp_path: Path, make: Callable[[Path], object], found: str) -> None:
    bad = tmp_path / "bad.root"
    make(bad)
    with pytest.raises(InputError, match=found) as caught:
        read_larcv(bad)
    assert str(caught.value).startswith(str(bad))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(12))
def test_cut_or_damaged_files_of_ours(good: Path, tmp_path: Path, seed: int) -> None:
    """Cut anywhere they are refused; zeroed somewhere, refused or read with what lies elsewhere as it was."""
    rng, data, bad = np.random.default_rng(seed), good.read_bytes(), tmp_path / "bad.root"
    bad.write_bytes(data[: int(rng.integers(len(data)))])
    with pytest.raises(InputError, match=r"bad\.root"):
        read_larcv(bad)
    start = int(rng.integers(len(data) - 60))
    bad.write_bytes(data[:start] + bytes(60) + data[start + 60 :])
    said, events = "", 7
    try:
        events = len(read_larcv(bad))
    except InputError as error:
        said = str(error)
    assert events == 7
    assert "\n" not in said


@pytest.mark.parametrize(("tree", "found"), [("events", "found events"), (DATA, "none of that name")])
def test_other_trees(tmp_path: Path, rewrite: Rewrite, tree: str, found: str) -> None:
    with pytest.raises(InputError, match=found):
        read_larcv(rewrite(tmp_path / "bad.root", {tree: {"x": np.zeros(3)}}))
