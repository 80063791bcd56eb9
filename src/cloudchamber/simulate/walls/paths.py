"""The way of a muon through the voxels, between a track above and one below."""

import numpy as np

from cloudchamber.compiled import compiled_fast

STEPS = 4  # per layer


@compiled_fast
def follow(i, entry, exit_, slope_in, slope_out, density, voxel, steps, cell, length, height):
    """Fill in the steps of muon i that lie in the volume; returns how many, and what ``density`` adds to S.

    The path is the cubic that has the positions and slopes of both tracks on the upper and the lower face
    (Hermite), cut into equal steps of height; a step belongs to the voxel its middle lies in. ``cell`` is the
    flat index of that voxel, ``length`` the step's in metres, its slant between those of the two tracks, and
    ``height`` that of its middle above the lower face. The last three numbers are the sums of
    density x length x (1, h, h^2), each step a piece of line.
    """
    nz, nx, ny = density.shape
    flat = density.ravel()
    count = nz * steps
    dz = voxel / steps
    total_height = nz * voxel
    per_voxel = 1 / voxel
    sec_in = np.sqrt(1 + slope_in[i, 0] ** 2 + slope_in[i, 1] ** 2)
    sec_out = np.sqrt(1 + slope_out[i, 0] ** 2 + slope_out[i, 1] ** 2)
    inside = 0
    a0 = a1 = a2 = 0.0
    for k in range(count):
        # From the upper face (t = 0) to the lower (t = 1).
        t = (k + 0.5) / count
        h = total_height * (1 - t)
        c_out = t * t * (3 - 2 * t)
        c_din, c_dout = t * (1 - t) * (1 - t), -t * t * (1 - t)
        x = (
            entry[i, 0]
            + c_out * (exit_[i, 0] - entry[i, 0])
            - total_height * (c_din * slope_in[i, 0] + c_dout * slope_out[i, 0])
        )
        y = (
            entry[i, 1]
            + c_out * (exit_[i, 1] - entry[i, 1])
            - total_height * (c_din * slope_in[i, 1] + c_dout * slope_out[i, 1])
        )
        ix, iy = int(np.floor(x * per_voxel)), int(np.floor(y * per_voxel))
        if ix < 0 or iy < 0 or ix >= nx or iy >= ny:
            continue
        at = ((nz - 1 - k // steps) * nx + ix) * ny + iy
        step = dz * (sec_in + t * (sec_out - sec_in))
        cell[inside], length[inside], height[inside] = at, step, h
        inside += 1
        amount = step * flat[at]
        a0 += amount
        a1 += amount * h
        a2 += amount * (h * h + dz * dz / 12)
    return inside, a0, a1, a2
