"""From deposits to voxels and the table of particles."""

import numpy as np

from cloudchamber.compiled import compiled
from cloudchamber.simulate.lartpc.config import VoxelsConfig
from cloudchamber.simulate.lartpc.constants import PDG
from cloudchamber.simulate.lartpc.record import (
    END,
    ENERGY,
    IONISATION,
    KIND,
    LABEL,
    MOLLER,
    MOMENTUM,
    N_DEPOSITS,
    N_ROWS,
    PARENT,
    PROCESS,
    START,
    Record,
    label_of,
)
from cloudchamber.voxel_events import PARTICLE, VoxelEvents, offsets_of


@compiled
def _gather(order, key, owner, energy, label, rank, threshold):
    """Join deposits in order of voxel, then row: one entry a voxel, and each row's share in kept voxels."""
    n = len(order)
    out_key, out_energy = np.empty(n, np.int64), np.empty(n, np.float64)
    out_label, out_row = np.empty(n, np.uint8), np.empty(n, np.int64)
    left = np.zeros(len(label))
    count, i = 0, 0
    while i < n:
        here, start, total, best, best_rank = key[order[i]], i, 0.0, -1.0, 255
        row_of_best = -1
        while i < n and key[order[i]] == here:
            row, part = owner[order[i]], 0.0
            while i < n and key[order[i]] == here and owner[order[i]] == row:
                part += energy[order[i]]
                i += 1
            total += part
            mine = rank[label[row]]
            if mine < best_rank or (mine == best_rank and part > best):
                best, best_rank, row_of_best = part, mine, row
        if total < threshold:
            continue
        for j in range(start, i):
            left[owner[order[j]]] += energy[order[j]]
        out_key[count], out_energy[count] = here, total
        out_label[count], out_row[count] = label[row_of_best], row_of_best
        count += 1
    return out_key[:count], out_energy[:count], out_label[:count], out_row[:count], left


@compiled
def _delta_voxels(order, key, owner, parent, group):
    """Count the voxels of each delta electron and what it knocked on, where its parent left nothing."""
    n = len(order)
    count, last = np.zeros(len(group), np.int64), np.full(len(group), -1, np.int64)
    i = 0
    while i < n:
        here, start = key[order[i]], i
        while i < n and key[order[i]] == here:
            i += 1
        for j in range(start, i):
            delta = group[owner[order[j]]]
            if delta < 0 or last[delta] == here:
                continue
            last[delta] = here
            shared = False
            for k in range(start, i):
                shared |= owner[order[k]] == parent[delta]
            count[delta] += not shared
    return count


@compiled
def _merge_deltas(order, key, owner, rows, least, inherit):
    """Count a delta electron of fewer than ``least`` voxels of its own to its parent track.

    Return the row that each row's deposits go to, and the labels of rows after that: what photons of such an
    electron made, elsewhere, is shower.
    """
    n = len(rows)
    group = np.full(n, -1, np.int64)
    for row in range(n):
        process, parent = rows[row, PROCESS], rows[row, PARENT]
        if process == IONISATION:
            group[row] = row
        elif process == MOLLER and group[parent] >= 0:
            group[row] = group[parent]
    count = _delta_voxels(order, key, owner, rows[:, PARENT], group)
    target, label = np.arange(n), rows[:, LABEL].copy()
    for row in range(n):
        delta, parent = group[row], rows[row, PARENT]
        if delta >= 0 and count[delta] < least:
            target[row] = rows[delta, PARENT]
            label[row] = rows[target[row], LABEL]
        elif parent >= 0:
            label[row] = label_of(rows[row, KIND], rows[row, PROCESS], label[parent], inherit)
    return target, label


@compiled
def surviving(parent, kept, left):
    """Return the nearest kept ancestor of each row, itself if kept, and give it what lost rows left."""
    survivor = np.empty(len(parent), np.int64)
    for row in range(len(parent)):  # parents stand before their children
        above = survivor[parent[row]] if parent[row] >= 0 else -1
        survivor[row] = row if kept[row] else above
    for row in range(len(parent)):
        if not kept[row] and survivor[row] >= 0:
            left[survivor[row]] += left[row]
            left[row] = 0.0
    return survivor


def voxelise(record: Record, config: VoxelsConfig) -> VoxelEvents:
    """Return the event of a record: voxels above the threshold, and the particles that are worth a row.

    A row is kept for every primary and for whatever is the main particle of a voxel; children of the others,
    and their share of the energy, go to the nearest ancestor with a row.
    """
    n, n_rows = config.side_px, int(record.counts[N_ROWS])
    used = slice(0, int(record.counts[N_DEPOSITS]))
    key, owner, energy = record.key[used], record.owner[used], record.energy[used]
    rows, kinetics = record.rows[:n_rows], record.kinetics[:n_rows]
    rank = np.empty(len(config.priority), dtype=np.int64)
    rank[list(config.priority)] = np.arange(len(config.priority))
    order = np.argsort(key * n_rows + owner, kind="stable")
    target, label_of_row = _merge_deltas(
        order, key, owner, rows, config.least_delta_voxels, config.secondaries_inherit
    )
    owner = target[owner]
    order = np.argsort(key * n_rows + owner, kind="stable")
    key, total, label, main, left = _gather(
        order, key, owner, energy, label_of_row, rank, config.threshold_mev
    )
    voxels = np.bincount(main, minlength=n_rows)
    kept = (voxels > 0) | (rows[:, PARENT] < 0)
    survivor = surviving(rows[:, PARENT].copy(), kept, left)
    number = np.append(np.cumsum(kept) - 1, -1)
    table = np.zeros(int(kept.sum()), dtype=PARTICLE)
    parent = rows[kept, PARENT]
    table["pdg"], table["track_id"] = PDG[rows[kept, KIND]], np.flatnonzero(kept) + 1
    table["parent"] = np.where(parent >= 0, number[survivor[parent]], -1)
    table["process"], table["label"] = rows[kept, PROCESS], label_of_row[kept]
    table["kinetic_mev"], table["deposit_mev"] = kinetics[kept, ENERGY], left[kept]
    table["momentum_mev"] = kinetics[kept, MOMENTUM : MOMENTUM + 3]
    table["start_mm"] = kinetics[kept, START : START + 3]
    table["end_mm"] = kinetics[kept, END : END + 3]
    table["voxels"] = voxels[kept]
    position = np.stack([key % n, key // n % n, key // n**2], axis=1).astype(np.int32)
    return VoxelEvents(
        (n, n, n), config.voxel_mm, offsets_of([len(key)]), position, total.astype(np.float32), label,
        number[main].astype(np.int32), offsets_of([len(table)]), table,
    )  # fmt: skip
