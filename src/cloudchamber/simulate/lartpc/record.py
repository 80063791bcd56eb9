"""What the compiled loops share: the particles still to follow, the rows of all particles, the deposits."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt

from cloudchamber.compiled import compiled, compiled_inline
from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.simulate.lartpc.constants import GAMMA, MASS_MEV, POSITRON, PROTON
from cloudchamber.simulate.random import normal, uniform

HIP, MIP, SHOWER, DELTA, MICHEL = (int(label) for label in VoxelLabel)
IONISATION, MOLLER = int(Process.IONISATION), int(Process.MOLLER)
DECAY, CAPTURE = int(Process.DECAY), int(Process.MUON_CAPTURE)
BREMSSTRAHLUNG, ANNIHILATION = int(Process.BREMSSTRAHLUNG), int(Process.ANNIHILATION)

# Columns of ``rows`` and ``kinetics``, entries of ``counts``.
KIND, PARENT, PROCESS, LABEL = range(4)
ENERGY, MOMENTUM, START, END = 0, 1, 4, 7
N_STACK, N_ROWS, N_DEPOSITS, FULL = range(4)


class Box(NamedTuple):
    """Where deposits are kept, in cells, and how far outside particles are followed."""

    cells: tuple[int, int, int]  # along x, y, z
    cell_mm: tuple[float, float, float]
    margin_mm: float


class Record(NamedTuple):
    """The state of one event; arrays of fixed capacity, filled up to ``counts``."""

    random: UInt[np.ndarray, "1"]  # state of the stream
    counts: Int[np.ndarray, "4"]
    stack: Float[np.ndarray, "waiting 7"]  # kinetic energy, position, direction of particles to follow
    waiting: Int[np.ndarray, "waiting"]  # and their rows
    rows: Int[np.ndarray, "row 4"]
    kinetics: Float[np.ndarray, "row 10"]  # kinetic energy, momentum, first and last position
    key: Int[np.ndarray, "deposit"]  # number of the voxel, (k * ny + j) * nx + i
    owner: Int[np.ndarray, "deposit"]  # row of the particle; those of a row stand together
    energy: Float[np.ndarray, "deposit"]
    length: Float[np.ndarray, "deposit"]  # mm of path that the energy was left along
    cells: tuple[int, int, int]  # voxels along x, y, z
    per_mm: tuple[float, float, float]
    low_mm: float  # outside these, particles are not followed
    high_mm: tuple[float, float, float]
    inherit: bool


def new_record(
    stream: np.uint64, side: int, voxel_mm: float, margin_mm: float, inherit: bool, capacity: int
) -> Record:
    """Return an empty record of a cube, see ``new_box_record``."""
    box = Box((side, side, side), (voxel_mm, voxel_mm, voxel_mm), margin_mm)
    return new_box_record(stream, box, inherit, capacity)


def new_box_record(stream: np.uint64, box: Box, inherit: bool, capacity: int) -> Record:
    """Return an empty record for ``capacity`` deposits and an eighth as many particles."""
    (nx, ny, nz), (dx, dy, dz), margin = box
    n_rows = max(capacity // 8, 1024)
    return Record(
        np.array([stream], dtype=np.uint64), np.zeros(4, dtype=np.int64), np.empty((n_rows, 7)),
        np.empty(n_rows, dtype=np.int64), np.empty((n_rows, 4), dtype=np.int64), np.empty((n_rows, 10)),
        np.empty(capacity, dtype=np.int64), np.empty(capacity, dtype=np.int64), np.empty(capacity),
        np.empty(capacity), (nx, ny, nz), (1 / dx, 1 / dy, 1 / dz), -margin,
        (nx * dx + margin, ny * dy + margin, nz * dz + margin), inherit,
    )  # fmt: skip


@compiled_inline
def flat(record):
    """Return a uniform number in (0, 1)."""
    u, record.random[0] = uniform(record.random[0])
    return u + 5e-17


@compiled_inline
def gauss(record):
    """Return a standard normal number."""
    x, record.random[0] = normal(record.random[0])
    return x


@compiled
def poisson(record, mean):
    """Return a Poisson number of a small mean, by products of uniform numbers."""
    n, left, product = 0, np.exp(-mean), flat(record)
    while product > left:
        n += 1
        product *= flat(record)
    return n


@compiled
def label_of(kind, process, parent_label, inherit):
    """Return the class of what a particle deposits, from its kind, its process and its parent's class."""
    if kind == PROTON:
        return HIP
    if kind > POSITRON:
        return MIP
    if process == IONISATION:
        return DELTA
    if kind != GAMMA and process in (DECAY, CAPTURE):
        return MICHEL
    of_electron = BREMSSTRAHLUNG <= process <= ANNIHILATION
    if process == MOLLER or (inherit and of_electron):
        return parent_label if parent_label >= SHOWER else SHOWER
    return SHOWER


@compiled
def push(record, kind, parent, process, energy, x, y, z, ux, uy, uz):
    """Add a particle: a row of its own, and a place on the stack."""
    row, top = record.counts[N_ROWS], record.counts[N_STACK]
    if row >= record.rows.shape[0] or top >= record.stack.shape[0]:
        record.counts[FULL] = 1
        return
    parent_label = record.rows[parent, LABEL] if parent >= 0 else -1
    record.rows[row, KIND], record.rows[row, PARENT], record.rows[row, PROCESS] = kind, parent, process
    record.rows[row, LABEL] = label_of(kind, process, parent_label, record.inherit)
    p = np.sqrt(energy * (energy + 2 * MASS_MEV[kind]))
    kinetics, waiting = record.kinetics[row], record.stack[top]
    kinetics[ENERGY] = energy
    kinetics[MOMENTUM], kinetics[MOMENTUM + 1], kinetics[MOMENTUM + 2] = p * ux, p * uy, p * uz
    kinetics[START], kinetics[START + 1], kinetics[START + 2] = x, y, z
    kinetics[END], kinetics[END + 1], kinetics[END + 2] = x, y, z
    waiting[0], waiting[1], waiting[2], waiting[3] = energy, x, y, z
    waiting[4], waiting[5], waiting[6] = ux, uy, uz
    record.waiting[top] = row
    record.counts[N_ROWS], record.counts[N_STACK] = row + 1, top + 1


@compiled
def deposit(record, row, energy, x, y, z, length=0.0):
    """Leave energy at a place, along some mm of path, if that lies in the image."""
    (nx, ny, nz), (a, b, c) = record.cells, record.per_mm
    i, j, k = int(np.floor(x * a)), int(np.floor(y * b)), int(np.floor(z * c))
    if energy <= 0 or min(i, j, k) < 0 or i >= nx or j >= ny or k >= nz:
        return
    key, last = (k * ny + j) * nx + i, record.counts[N_DEPOSITS] - 1
    if last >= 0 and record.key[last] == key and record.owner[last] == row:
        record.energy[last] += energy
        record.length[last] += length
    elif last + 1 >= record.key.shape[0]:
        record.counts[FULL] = 1
    else:
        record.key[last + 1], record.owner[last + 1], record.energy[last + 1] = key, row, energy
        record.length[last + 1] = length
        record.counts[N_DEPOSITS] = last + 2


@compiled_inline
def is_gone(record, x, y, z):
    """Return whether a place lies outside the image and its margin."""
    a, b, c = record.high_mm
    return min(x, y, z) < record.low_mm or x > a or y > b or z > c


@compiled
def finish(record, row, x, y, z):
    """Note where a particle ended."""
    record.kinetics[row, END], record.kinetics[row, END + 1], record.kinetics[row, END + 2] = x, y, z


@compiled
def turned(ux, uy, uz, cosine, azimuth):
    """Return a direction at an angle to another one."""
    sine = np.sqrt(max(0.0, 1 - cosine * cosine))
    a, b = sine * np.cos(azimuth), sine * np.sin(azimuth)
    across = np.sqrt(ux * ux + uy * uy)
    if across < 1e-6:
        vx, vy, vz = a, b, np.copysign(cosine, uz * cosine) if cosine != 0 else 0.0
    else:
        vx = ux * cosine + (a * ux * uz - b * uy) / across
        vy = uy * cosine + (a * uy * uz + b * ux) / across
        vz = uz * cosine - a * across
    norm = 1 / np.sqrt(vx * vx + vy * vy + vz * vz)
    return vx * norm, vy * norm, vz * norm


@compiled
def isotropic(record):
    """Return a direction, all of them alike."""
    cosine, azimuth = 2 * flat(record) - 1, 2 * np.pi * flat(record)
    sine = np.sqrt(1 - cosine * cosine)
    return sine * np.cos(azimuth), sine * np.sin(azimuth), cosine


@compiled
def scattered(record, ux, uy, uz, theta0):
    """Return a direction after multiple scattering by a projected angle of ``theta0``."""
    angle = theta0 * np.sqrt(-2 * np.log(flat(record)))
    if angle > np.pi:
        return isotropic(record)
    return turned(ux, uy, uz, np.cos(angle), 2 * np.pi * flat(record))
