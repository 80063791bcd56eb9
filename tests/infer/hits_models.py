"""Small bundles for hits, and a file of readouts, untrained: what they predict does not matter here."""

from pathlib import Path

import numpy as np

from cloudchamber.infer.energy_bundle import round_weights
from cloudchamber.infer.hits_bundle import HitsBundle, HitsBundleConfig, save_hits_bundle
from cloudchamber.prepare.hit_images import HitScale
from cloudchamber.source.wires import write_wire_events
from cloudchamber.voxel_events import offsets_of
from cloudchamber.wire_events import HIT, WireEvents, WireReadout
from tests.infer.hits_engines.planes import patch_network, plane_network, toy_plane

READOUT = WireReadout(rebin=6, zero=40.0, step=0.5)


def hits_bundle(reads: str) -> HitsBundle:
    """Return a bundle with a small network that reads ``patch`` or ``plane``."""
    network = patch_network() if reads == "patch" else plane_network()
    round_weights(network)
    config = HitsBundleConfig(
        name=f"small-{reads}", network=f"hits-{reads}", options=network.config.model_dump(mode="json"),
        scale=HitScale(), pitch_mm=READOUT.pitch_mm, drift_mm=READOUT.drift_mm, n_train=0,
    )  # fmt: skip
    return HitsBundle(config, network, "# small\n\nUntrained, for tests.\n")


def save_small(reads: str, folder: Path) -> Path:
    """Write such a bundle."""
    save_hits_bundle(folder / reads, hits_bundle(reads))
    return folder / reads


def toy_readouts(events: int = 2, *, hits: bool = True) -> WireEvents:
    """Return readouts with noise and tracks; the first event has hits that share a pixel."""
    toys = [toy_plane(32, 60, 10 + event, seed=event) for event in range(events)]
    code = np.stack([(toy.plane * 8 + READOUT.zero).clip(0, 255).astype(np.uint8) for toy in toys])
    if not hits:
        return WireEvents(READOUT, code)
    tables = []
    for toy in toys:
        rows = np.zeros(len(toy.wire), HIT)
        rows["wire"], rows["peak_tick"] = toy.wire, (toy.drift + 0.5) * READOUT.rebin
        tables.append(rows)
    tables[0][1] = tables[0][0]
    tables[0]["peak_tick"][1] += 1
    offsets = offsets_of([len(rows) for rows in tables])
    return WireEvents(READOUT, code, hit_offsets=offsets, hits=np.concatenate(tables))


def save_readouts(path: Path, events: WireEvents) -> Path:
    """Write readouts to a data set of ours."""
    write_wire_events(path, len(events), iter([events]), {})
    return path
