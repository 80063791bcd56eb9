"""The truth of a readout: labels per pixel, points of interest, and the table of particles."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Int32, Shaped, UInt8

from cloudchamber.labels import Activity, BeamLabel, Process, VertexFlag, VoxelLabel
from cloudchamber.simulate.lartpc.constants import (
    GAMMA,
    K_PLUS,
    MU_MINUS,
    MU_PLUS,
    PDG,
    PI_MINUS,
    PI_PLUS,
    POSITRON,
)
from cloudchamber.simulate.lartpc.record import (
    END,
    ENERGY,
    KIND,
    LABEL,
    MOMENTUM,
    N_ROWS,
    PARENT,
    PROCESS,
    START,
    Record,
)
from cloudchamber.simulate.lartpc.voxelise import surviving
from cloudchamber.simulate.wires.config import WiresConfig
from cloudchamber.simulate.wires.digitise import Signals
from cloudchamber.simulate.wires.drift import Collected
from cloudchamber.simulate.wires.geometry import Face, Layout
from cloudchamber.simulate.wires.noise import pixel_noise
from cloudchamber.wire_events import WIRE_PARTICLE


class Points(NamedTuple):
    """Points of interest in the box of deposits."""

    place_mm: Float[np.ndarray, "point 3"]
    row: Int[np.ndarray, "point"]  # of the particle whose time it has
    flag: UInt8[np.ndarray, "point"]


class Labels(NamedTuple):
    """The truth of the pixels of a face; ``row`` is of the record, -1 where there is no charge of note."""

    beam: UInt8[np.ndarray, "wire drift"]
    activity: UInt8[np.ndarray, "wire drift"]
    michel: UInt8[np.ndarray, "wire drift"]
    row: Int32[np.ndarray, "wire drift"]


def background_limit(config: WiresConfig) -> float:
    """Return below which signal a pixel is background; noise is the nominal one, whatever its scale."""
    nominal = config.model_copy(update={"noise": config.noise.model_copy(update={"scale": 1.0})})
    return config.truth.background * pixel_noise(nominal)


def label_pixels(record: Record, collected: Collected, signals: Signals, config: WiresConfig) -> Labels:
    """Label the pixels of a face.

    Beam or not-beam is what made more of the signal, if that is of note. Activity and Michel are those of
    the particle with most charge in the pixel, if there is as much energy as the configuration asks for.
    """
    lit = signals.beam + signals.other >= background_limit(config)
    winner = np.where(signals.beam > signals.other, int(BeamLabel.BEAM), int(BeamLabel.NOT_BEAM))
    beam = np.where(lit, winner, int(BeamLabel.BACKGROUND)).astype(np.uint8)
    row = collected.row
    active = (collected.energy_mev >= config.truth.activity_mev) & (row >= 0)
    rows = record.rows[: max(1, int(record.counts[N_ROWS]))]
    em, of_michel = rows[:, KIND] <= POSITRON, rows[:, LABEL] == VoxelLabel.MICHEL
    kind = np.where(em, int(Activity.EM), int(Activity.TRACK)).astype(np.uint8)
    activity = np.where(active, kind[row], np.uint8(Activity.NONE)).astype(np.uint8)
    michel = (active & of_michel[row]).astype(np.uint8)
    return Labels(beam, activity, michel, np.where(active | lit, row, -1).astype(np.int32))


def points_of_interest(record: Record, config: WiresConfig) -> Points:
    """Return where particles decay, interact and convert, and where Michel and knocked-on electrons end.

    Hadronic: what comes out carries the least energy there is to see; elastic if that is the particle itself
    and nothing else, inelastic otherwise. Conversion: of photons above the least energy that were not made
    by electrons. Electron end: of electrons from decays or knocked on, above the least energy.
    """
    n, truth = int(record.counts[N_ROWS]), config.truth
    rows, kinetics = record.rows[:n], record.kinetics[:n]
    kind, parent, process = rows[:, KIND], rows[:, PARENT], rows[:, PROCESS]
    energy, born = kinetics[:, ENERGY], parent >= 0
    above = np.where(born, parent, 0)
    parent_kind = np.where(born, kind[above], -1) if n else kind
    hadron = parent_kind >= PI_MINUS
    decay = process == Process.DECAY
    decays = decay & (kind != GAMMA) & np.isin(parent_kind, [MU_MINUS, MU_PLUS, PI_PLUS, K_PLUS])
    converts = (process == Process.CONVERSION) & (energy[above] > truth.photon_mev) if n else decays
    if n:
        by_electron = (process[above] == Process.BREMSSTRAHLUNG) | (process[above] == Process.ANNIHILATION)
        converts = converts & ~by_electron
    product = hadron & ((process == Process.HADRONIC) | (decay & (kind == GAMMA)))
    product &= ~np.isin(parent, parent[decays])  # a kaon's decay is no interaction
    out_mev = np.bincount(above[product], weights=energy[product], minlength=n)
    others = np.bincount(above[product & (kind != parent_kind) & (energy > 1.0)], minlength=n)
    same = np.bincount(above[product & (kind == parent_kind)], minlength=n)
    interacts = product & (out_mev[above] >= truth.vertex_mev) if n else product
    elastic = interacts & (others[above] == 0) & (same[above] == 1) if n else product
    ends = (np.abs(PDG[kind]) == 11) & (energy >= truth.vertex_mev)
    ends &= (process == Process.IONISATION) | (decay & np.isin(parent_kind, [MU_MINUS, MU_PLUS]))
    found = [
        (decays, START, VertexFlag.DECAY), (converts, START, VertexFlag.CONVERSION),
        (elastic, START, VertexFlag.HADRONIC | VertexFlag.ELASTIC),
        (interacts & ~elastic, START, VertexFlag.HADRONIC | VertexFlag.INELASTIC),
        (ends, END, VertexFlag.ELECTRON_END),
    ]  # fmt: skip
    chosen = [np.flatnonzero(mask) for mask, _, _ in found]
    places = [kinetics[at][:, c : c + 3] for at, (_, c, _) in zip(chosen, found, strict=True)]
    flags = [np.full(len(at), int(flag), np.uint8) for at, (_, _, flag) in zip(chosen, found, strict=True)]
    return Points(np.concatenate(places), np.concatenate(chosen), np.concatenate(flags))


def mark_points(
    points: Points, tick_of_row: Float[np.ndarray, "row"], layout: Layout, face: Face, config: WiresConfig
) -> UInt8[np.ndarray, "wire drift"]:
    """Return the sums of flags of the pixels of a face."""
    ticks, rebin = config.electronics.ticks, config.rebin
    flags = np.zeros((face.wires, ticks // rebin), np.uint8)
    x, y, z = points.place_mm.T
    (nx, _, _), (cell, height, _) = layout.box.cells, layout.box.cell_mm
    wire = np.floor(z / config.geometry.pitch_mm).astype(np.int64) - face.first_pitch
    end = face.low if face.towards_low else face.high
    distance = np.abs(x - end * cell)
    per_tick = config.drift.velocity_mm_us * config.electronics.tick_us
    pixel = np.floor((tick_of_row[points.row] + distance / per_tick + 0.5) / rebin).astype(np.int64)
    inside = (x >= face.low * cell) & (x < min(face.high, nx) * cell) & (y >= 0) & (y < height)
    inside &= (wire >= 0) & (wire < face.wires) & (pixel >= 0) & (pixel < flags.shape[1])
    np.bitwise_or.at(flags, (wire[inside], pixel[inside]), points.flag[inside])
    return flags


def particle_table(
    record: Record,
    main: Int32[np.ndarray, "wire drift"],
    deposit_mev: Float[np.ndarray, "row"],
    origin: Int[np.ndarray, "row"],
    layout: Layout,
) -> tuple[Shaped[np.ndarray, "particle"], Int32[np.ndarray, "wire drift"]]:
    """Return the particles that are worth a row, and the image of rows in that table.

    Those are the primaries and whatever is the main particle of a pixel; of the others, their children and
    their energy go to the nearest ancestor with a row.
    """
    n = int(record.counts[N_ROWS])
    rows, kinetics = record.rows[:n], record.kinetics[:n]
    pixels = np.bincount(main.ravel() + 1, minlength=n + 1)[1:]
    kept = (pixels > 0) | (rows[:, PARENT] < 0)
    left = deposit_mev.copy()
    survivor = surviving(rows[:, PARENT].copy(), kept, left)
    number = np.append(np.cumsum(kept) - 1, -1).astype(np.int32)
    table = np.zeros(int(kept.sum()), WIRE_PARTICLE)
    parent, kind = rows[kept, PARENT], rows[kept, KIND]
    corner = np.array(layout.origin_mm)
    table["pdg"], table["track_id"] = PDG[kind], np.flatnonzero(kept) + 1
    table["parent"] = np.where(parent >= 0, number[survivor[parent]], -1)
    table["process"] = rows[kept, PROCESS]
    table["label"] = np.where(kind <= POSITRON, int(Activity.EM), int(Activity.TRACK))
    table["kinetic_mev"], table["deposit_mev"] = kinetics[kept, ENERGY], left[kept]
    table["momentum_mev"] = kinetics[kept, MOMENTUM : MOMENTUM + 3]
    table["start_mm"] = kinetics[kept, START : START + 3] + corner
    table["end_mm"] = kinetics[kept, END : END + 3] + corner
    table["voxels"], table["origin"] = pixels[kept], origin[kept]
    return table, number[main]
