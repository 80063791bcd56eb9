import io
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import (
    CARD,
    CONFIG,
    SUMS,
    WEIGHTS,
    Bundle,
    list_bundles,
    load_bundle,
    save_bundle,
    task_of_bundle,
)
from cloudchamber.infer.voxels_bundle import load_voxels_bundle


def _same(a: Bundle, b: Bundle) -> bool:
    first, second = a.network.state_dict(), b.network.state_dict()
    same = all(torch.equal(first[k], second[k]) for k in first)
    return same and a.config == b.config and a.card == b.card


@pytest.mark.parametrize("name", ["model", "model.zip"])
def test_round_trip(tmp_path: Path, bundle: Bundle, name: str) -> None:
    save_bundle(tmp_path / name, bundle)
    assert _same(load_bundle(tmp_path / name), bundle)


def test_the_same_bundle_gives_the_same_bytes(tmp_path: Path, bundle: Bundle) -> None:
    for name in ("a.zip", "b.zip"):
        save_bundle(tmp_path / name, bundle)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_bundle_is_replaced_as_a_whole(tmp_path: Path, bundle: Bundle) -> None:
    save_bundle(tmp_path / "model", bundle)
    save_bundle(tmp_path / "model", bundle)
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == sorted([WEIGHTS, CONFIG, CARD, SUMS])


@pytest.mark.parametrize("part", [WEIGHTS, CONFIG, CARD])
def test_a_flipped_bit_is_found(tmp_path: Path, bundle: Bundle, part: str) -> None:
    save_bundle(tmp_path / "model", bundle)
    data = bytearray((tmp_path / "model" / part).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "model" / part).write_bytes(data)
    with pytest.raises(InputError, match=f"{part}: expected SHA-256"):
        load_bundle(tmp_path / "model")


@pytest.mark.parametrize("part", [WEIGHTS, CONFIG, CARD, SUMS])
def test_a_missing_part_is_named(tmp_path: Path, bundle: Bundle, part: str) -> None:
    save_bundle(tmp_path / "model", bundle)
    (tmp_path / "model" / part).unlink()
    with pytest.raises(InputError, match=part):
        load_bundle(tmp_path / "model")


def test_truncated_zip(tmp_path: Path, bundle: Bundle) -> None:
    save_bundle(tmp_path / "model.zip", bundle)
    data = (tmp_path / "model.zip").read_bytes()
    (tmp_path / "model.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="a bundle"):
        load_bundle(tmp_path / "model.zip")


class _Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        raise RuntimeError("a pickle was loaded")


def test_a_pickle_in_disguise_is_not_loaded(tmp_path: Path, bundle: Bundle) -> None:
    save_bundle(tmp_path / "model", bundle)
    state = io.BytesIO()
    torch.save(bundle.network.state_dict(), state)
    for data in (state.getvalue(), pickle.dumps({"weights": 1})):
        (tmp_path / "model" / WEIGHTS).write_bytes(data)
        with pytest.raises(InputError):
            load_bundle(tmp_path / "model")


def test_pickled_weights_with_right_sums_are_refused(tmp_path: Path, bundle: Bundle) -> None:
    import hashlib

    save_bundle(tmp_path / "model", bundle)
    data = pickle.dumps({"weights": 1})
    (tmp_path / "model" / WEIGHTS).write_bytes(data)
    names = (WEIGHTS, CONFIG, CARD)
    digests = [hashlib.sha256((tmp_path / "model" / n).read_bytes()).hexdigest() for n in names]
    (tmp_path / "model" / SUMS).write_text(
        "".join(f"{d}  {n}\n" for d, n in zip(digests, names, strict=True))
    )
    with pytest.raises(InputError, match="the weights of walls-unet"):
        load_bundle(tmp_path / "model")


def test_neither_path_nor_name() -> None:
    with pytest.raises(InputError, match="neither"):
        load_bundle("no-such-bundle")


def test_a_zip_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(InputError, match=WEIGHTS):
        load_bundle(tmp_path / "other.zip")


@pytest.mark.parametrize("name", list_bundles("walls"))
def test_bundles_of_the_package(name: str) -> None:
    loaded = load_bundle(name)
    assert loaded.config.name == name
    for word in ("Trained on", "Validation IOU", "Limits", "cloudchamber's simulation"):
        assert word in loaded.card


@pytest.mark.parametrize("name", list_bundles("voxels"))
def test_voxel_bundles_of_the_package(name: str) -> None:
    loaded = load_voxels_bundle(name)
    assert loaded.config.name == name
    for word in ("Trained on", "Validation accuracy", "Limits", "cloudchamber's simulation"):
        assert word in loaded.card
    assert task_of_bundle(name) == "voxels"
    with pytest.raises(InputError, match="a model for walls"):
        load_bundle(name)
    with pytest.raises(InputError, match="a model for voxels"):
        load_voxels_bundle("walls/full")
