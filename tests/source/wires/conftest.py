"""Small wire planes with truth, and files of others that hold them."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from cloudchamber.labels import Activity, VertexFlag
from cloudchamber.wire_events import WIRE_PARTICLE, WireEvents, WireReadout

N, WIRES, DRIFTS = 3, 20, 30


@pytest.fixture
def planes() -> WireEvents:
    """Three planes: a muon along the diagonal that decays to a Michel electron, all of it on noise."""
    rng = np.random.default_rng(5)
    code = rng.normal(0, 4, (N, WIRES, DRIFTS))
    activity = np.zeros(code.shape, np.uint8)
    michel, vertex, particle = (
        np.zeros_like(activity),
        np.zeros_like(activity),
        np.full(code.shape, -1, np.int32),
    )
    for k in range(12):
        code[:, k, k + 3] += 90
        activity[:, k, k + 3], particle[:, k, k + 3] = Activity.TRACK, 0
    activity[:, 12:15, 15], michel[:, 12:15, 15], particle[:, 12:15, 15] = Activity.EM, 1, 1
    vertex[:, 11, 14] = VertexFlag.DECAY | VertexFlag.INELASTIC
    vertex[1, 5, 25] = VertexFlag.CONVERSION  # where nothing else is
    rows = np.zeros(2 * N, WIRE_PARTICLE)
    rows["pdg"], rows["parent"] = np.tile([-13, 11], N), np.tile([-1, 0], N)
    return WireEvents(
        WireReadout(rebin=6), code.astype(np.float32), activity=activity, michel=michel, vertex=vertex,
        particle=particle, particle_offsets=np.arange(0, 2 * N + 1, 2), particles=rows,
    )  # fmt: skip


@pytest.fixture
def labelled(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of files of labelled frames, two events of 2560 channels, with data sets replaced."""

    def make(**changed: object) -> Path:
        path = tmp_path / "labelled.h5"
        rng = np.random.default_rng(8)
        with h5py.File(path, "w") as file:
            for event in ("2", "10"):
                label = np.zeros((2560, 12), np.int8)
                label[1600:1607, 4] = range(7)
                label[1610, 5] = 1
                arrays = {
                    "frame_rebinned_reco": rng.random((2560, 12)).astype(np.float32) + int(event),
                    "frame_label_1st": label,
                    "frame_trackid_1st": np.where(label == 1, 7, np.where(label > 0, -7, 0)).astype(
                        np.float32
                    ),
                    "tickinfo_rebinned_reco": np.array([0.0, 500.0, 0.0]),
                }
                for name, values in (arrays | changed).items():
                    if values is not None:
                        file[f"{event}/{name}"] = values
        return path

    return make
