"""Compiled loops over the cells of muons: moments about the entry, clusters, boxes of 3 x 3 x 3 cells."""

import numpy as np

from cloudchamber.compiled import compiled

FEATURE_COUNT = 28
# In float32, as cells are: a cell of just 0.1 GeV is not above 0.1 GeV.
ABOVE_GEV = float(np.float32(0.1))
HALO_GEV = float(np.float32(0.01))
SLICE_MM = 400.0
LARGEST_GEV = 1e4
GEV_PER_T_M = 0.3  # momentum of a unit charge per tesla of field and metre of radius


@compiled
def curvature_gev(x1: float, z1: float, x2: float, z2: float, field_t: float) -> float:
    """Return 0.3 B R, at most 1e4 GeV, of the circle through two points (mm) that starts along z at z = 0.

    Its centre lies on z = 0, so R follows from equal distances to the points.
    """
    if x1 == x2:
        return LARGEST_GEV
    centre = ((z2 * z2 - z1 * z1) / (x2 - x1) + x1 + x2) / 2
    radius = np.sqrt((x1 - centre) ** 2 + z1 * z1)
    return float(min(GEV_PER_T_M * abs(field_t) * radius / 1000, LARGEST_GEV))


@compiled
def add_moments(
    place: np.ndarray,
    energy: np.ndarray,
    shape: tuple[int, int, int],
    size: tuple[float, float],
    entry: np.ndarray,
    field_t: float,
    out: np.ndarray,
) -> None:
    """Write features 0 to 8, 22 to 24, 26 and 27 of one muon, which are sums over its cells."""
    nz, nx, ny = shape
    layer_mm, cell_mm = size
    total, hard, halo = 0.0, 0.0, 0.0
    ex, ey, hard_ex, hard_ey = 0.0, 0.0, 0.0, 0.0
    slices, slices_r2 = np.zeros(5), np.zeros(5)
    half, half_x, half_z = np.zeros(2), np.zeros(2), np.zeros(2)
    for cell in range(len(energy)):
        e = float(energy[cell])
        z = place[cell, 0] * layer_mm
        x = (place[cell, 1] - 0.5 * (nx - 1)) * cell_mm
        dx = x - entry[0]
        dy = (place[cell, 2] - 0.5 * (ny - 1)) * cell_mm - entry[1]
        total += e
        ex += e * dx
        ey += e * dy
        if e > ABOVE_GEV:
            hard += e
            hard_ex += e * dx
            hard_ey += e * dy
        elif e <= HALO_GEV:
            halo += e
        part = min(int(z / SLICE_MM), 4)
        slices[part] += e
        slices_r2[part] += e * (dx * dx + dy * dy)
        side = 0 if place[cell, 0] < (nz + 1) // 2 else 1
        half[side] += e
        half_x[side] += e * x
        half_z[side] += e * z
    out[0] = hard
    if total > 0:
        out[1] = np.sqrt(ex * ex + ey * ey) / total
        out[3] = slices_r2.sum() / total
    if hard > 0:
        out[2] = np.sqrt(hard_ex * hard_ex + hard_ey * hard_ey) / hard
    for part in range(5):
        if slices[part] > 0:
            out[4 + part] = slices_r2[part] / slices[part]
    out[22] = ex + hard_ex
    out[23] = ey + hard_ey
    if half[0] > 0 and half[1] > 0:
        x1, x2 = half_x[0] / half[0], half_x[1] / half[1]
        out[24] = curvature_gev(x1, half_z[0] / half[0], x2, half_z[1] / half[1], field_t)
    out[26] = halo
    out[27] = total - hard - halo


@compiled
def take_cluster(
    hard: np.ndarray, iz: int, ix: int, iy: int, stack: np.ndarray
) -> tuple[int, float, int, int, int]:
    """Take out of ``hard`` all cells above 0 that hang together with one by their faces.

    Returns
    -------
    How many, their energy, and last less first index of them along x, y and z.
    """
    nx, ny, nz = hard.shape
    energy, taken, waiting = hard[ix, iy, iz], 0, 1
    hard[ix, iy, iz] = 0.0
    stack[0] = ix, iy, iz
    least, most = np.array([ix, iy, iz]), np.array([ix, iy, iz])
    while waiting:
        waiting -= 1
        taken += 1
        at = stack[waiting].copy()
        for axis in range(3):
            least[axis], most[axis] = min(least[axis], at[axis]), max(most[axis], at[axis])
            for step in (-1, 1):
                kx = at[0] + (step if axis == 0 else 0)
                ky = at[1] + (step if axis == 1 else 0)
                kz = at[2] + (step if axis == 2 else 0)
                if 0 <= kx < nx and 0 <= ky < ny and 0 <= kz < nz and hard[kx, ky, kz] > 0:
                    energy += hard[kx, ky, kz]
                    hard[kx, ky, kz] = 0.0
                    stack[waiting] = kx, ky, kz
                    waiting += 1
    return taken, energy, most[0] - least[0], most[1] - least[1], most[2] - least[2]


@compiled
def add_clusters(
    place: np.ndarray,
    hard: np.ndarray,
    column: tuple[int, int],
    stack: np.ndarray,
    on_track: bool,
    out: np.ndarray,
) -> None:
    """Write the features of the clusters with a cell in the column (9 to 16), or of all that are left.

    The largest cluster is that with most cells, and with most energy among several of these.
    """
    number, cells, largest, largest_gev = 0, 0, 0, 0.0
    for cell in range(len(place)):
        iz, ix, iy = place[cell, 0], place[cell, 1], place[cell, 2]
        if hard[ix, iy, iz] <= 0 or (on_track and (ix != column[0] or iy != column[1])):
            continue
        count, energy, length_x, length_y, length_z = take_cluster(hard, iz, ix, iy, stack)
        number += 1
        cells += count
        if count > largest or (count == largest and energy > largest_gev):
            largest, largest_gev = count, energy
        if on_track:
            out[12], out[13] = max(out[12], length_x), max(out[13], length_y)
            out[14] = max(out[14], length_z)
    if number == 0:
        return
    if on_track:
        out[9], out[10], out[11] = number, largest, largest_gev
        out[15], out[16] = largest_gev / largest, cells / number
    else:
        out[17], out[18] = number, largest
        out[20], out[21] = largest_gev / largest, cells / number


@compiled
def add_boxes(soft: np.ndarray, out: np.ndarray) -> None:
    """Write features 25 and 19: the largest sum of 3 x 3 x 3 cells, and what was the largest before it.

    Boxes lie within the grid and come in rising order of x, then y, then z.
    """
    nx, ny, nz = soft.shape
    slab, rod = np.empty((ny, nz)), np.empty(nz)
    largest, before = 0.0, 0.0
    for ix in range(nx - 2):
        for iy in range(ny):
            for iz in range(nz):
                slab[iy, iz] = soft[ix, iy, iz] + soft[ix + 1, iy, iz] + soft[ix + 2, iy, iz]
        for iy in range(ny - 2):
            for iz in range(nz):
                rod[iz] = slab[iy, iz] + slab[iy + 1, iz] + slab[iy + 2, iz]
            for iz in range(nz - 2):
                found = rod[iz] + rod[iz + 1] + rod[iz + 2]
                if found > largest:
                    before, largest = largest, found
    out[19], out[25] = before, largest


@compiled
def features_of_muons(
    offsets: np.ndarray,
    place: np.ndarray,
    energy: np.ndarray,
    shape: tuple[int, int, int],
    size: tuple[float, float],
    entry: np.ndarray,
    field_t: float,
) -> np.ndarray:
    """Return the 28 features (event, feature) of muons from their sparse cells, in float64."""
    nz, nx, ny = shape
    muons = len(offsets) - 1
    out = np.zeros((muons, FEATURE_COUNT))
    hard, soft = np.zeros((nx, ny, nz)), np.zeros((nx, ny, nz))
    stack = np.empty((nx * ny * nz, 3), np.int64)
    for muon in range(muons):
        own, own_gev = place[offsets[muon] : offsets[muon + 1]], energy[offsets[muon] : offsets[muon + 1]]
        add_moments(own, own_gev, shape, size, entry[muon], field_t, out[muon])
        for cell in range(len(own)):
            e = float(own_gev[cell])
            grid = hard if e > ABOVE_GEV else soft
            grid[own[cell, 1], own[cell, 2], own[cell, 0]] = e
        column = (
            int(np.floor(entry[muon, 0] / size[1] + 0.5 * nx)),
            int(np.floor(entry[muon, 1] / size[1] + 0.5 * ny)),
        )
        add_clusters(own, hard, column, stack, True, out[muon])
        add_clusters(own, hard, column, stack, False, out[muon])
        add_boxes(soft, out[muon])
        for cell in range(len(own)):
            soft[own[cell, 1], own[cell, 2], own[cell, 0]] = 0.0
    return out
