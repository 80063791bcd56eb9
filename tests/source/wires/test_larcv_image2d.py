"""larcv2's image2d, on the genuine file: the numbers here come from uproot alone."""

from pathlib import Path

import numpy as np
import pytest
import uproot

from cloudchamber.errors import InputError
from cloudchamber.source.larcv_image2d import count_image2d, iterate_image2d, read_image2d
from cloudchamber.source.wire_choice import WireChoice


@pytest.fixture
def electron(reference: Path) -> Path:
    return reference / "larcv_image2d_electron.root"


@pytest.mark.reference
def test_the_genuine_file(electron: Path) -> None:
    events = read_image2d(electron)
    assert (len(events), events.wires, events.drifts) == (10, 256, 256)
    readout = events.readout
    assert (readout.pitch_mm, round(readout.drift_mm, 9), readout.unit) == (5.0, 5.0, "unknown")
    assert (events.code > 0).sum(axis=(1, 2)).tolist() == [238, 703, 291, 198, 503, 704, 751, 801, 212, 387]
    with uproot.open(electron) as file:
        images = file["image2d_data_tree/image2d_data_branch/_image_v/_image_v._img"].array(library="np")
    for entry in (0, 9):
        np.testing.assert_array_equal(events.code[entry].ravel(), np.asarray(images[entry][2], np.float32))
    assert count_image2d(electron) == 10
    assert len(list(iterate_image2d(electron, start=4, stop=6))) == 2


@pytest.mark.reference
def test_columns_come_first(electron: Path) -> None:
    """Planes are projections on x-y, y-z and z-x: of each axis that two share they must see the same."""
    xy, yz, zx = (read_image2d(electron, WireChoice(plane=plane), stop=3).code for plane in "012")
    for first, second in (
        (xy.sum(axis=1), yz.sum(axis=2)), (yz.sum(axis=1), zx.sum(axis=2)), (zx.sum(axis=1), xy.sum(axis=2))
    ):  # fmt: skip
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-3)


@pytest.mark.reference
def test_refusals(electron: Path, tmp_path: Path) -> None:
    for choice, said in (
        (WireChoice(plane="3"), "the plane 3, found planes 0 .U., 1 .V., 2 .W."),
        (WireChoice(producer="other"), "producers of image2d: data"),
    ):
        with pytest.raises(InputError, match=said):
            read_image2d(electron, choice)
    with pytest.raises(InputError, match="events 9 to 10, found 10 events"):
        read_image2d(electron, start=9, stop=11)
    with uproot.recreate(tmp_path / "other.root") as file:
        file["other"] = {"number": np.arange(3)}
    with pytest.raises(InputError, match="a tree image2d_"):
        read_image2d(tmp_path / "other.root")
    data = electron.read_bytes()
    (tmp_path / "cut.root").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"cut\.root"):
        read_image2d(tmp_path / "cut.root")
    with uproot.open(electron) as file:
        branch = file["image2d_data_tree/image2d_data_branch/_image_v/_image_v._img"]
        at = branch.basket_key(0).fSeekKey + 300
    (tmp_path / "bad.root").write_bytes(data[:at] + bytes(2000) + data[at + 2000 :])
    with pytest.raises(InputError, match=r"bad\.root"):
        read_image2d(tmp_path / "bad.root")


@pytest.mark.reference
def test_images_in_wires_and_ticks(reference: Path) -> None:
    """The genuine file of clusters has images of wires too: 512 pixels of 6 ticks, of nearly one wire."""
    path = reference / "larcv_cluster3d_5events.root"
    events = read_image2d(path, WireChoice(pitch_mm=3.0))
    assert (events.code.shape, events.readout.rebin) == ((5, 512, 512), 6)
    assert (events.code != 0).sum(axis=(1, 2)).tolist() == [14127, 19080, 15665, 20515, 17090]
    with uproot.open(path) as file:
        meta = "image2d_wire_branch/_image_v/_image_v._meta."
        ends = [
            file["image2d_wire_tree"][f"{meta}{name}"].array(library="np")[0][2]
            for name in ("_p1.x", "_p2.x")
        ]
    assert events.readout.pitch_mm == pytest.approx(3.0 * (ends[1] - ends[0]) / 512)
