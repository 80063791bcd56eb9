"""Maps made once for the whole plane; the first dense layer reads those of each patch."""

import numpy as np
import torch
from jaxtyping import Float32

from cloudchamber.infer.hits_engines.layers import PatchLayers
from cloudchamber.infer.hits_engines.places import Places, padded

BATCH = 64  # patches of maps, 372 kB each: they should stay in the cache
LEAST_WIRES = 64  # whose hits are done from one set of maps, at least


def run_shared_maps(
    layers: PatchLayers, plane: Float32[np.ndarray, "wire drift"], places: Places, memory_mib: float
) -> Float32[np.ndarray, "pixel 4"]:
    """Return the scores of pixels, from maps that neighbours share.

    Maps are made for bands of wires, as many as fit in half of the memory, only where there are pixels; the
    other half holds gathered patches of maps. Filters stand last, so that a row of a patch is one run.
    """
    hidden, filters, inner = layers.first.shape[0], layers.first.shape[1], layers.inner
    around = torch.from_numpy(padded(plane, layers.side))
    weight = layers.first.permute(2, 3, 1, 0).reshape(-1, hidden)
    half = memory_mib * 2**20 / 2
    batch = max(1, min(BATCH, int(half / (4 * filters * inner**2))))
    rows = max(int(half / (8 * filters * around.shape[1])), inner + LEAST_WIRES)  # twice, while made
    out = np.empty((len(places), 4), np.float32)
    gathered = torch.empty(batch, inner, inner, filters)  # made once: fresh memory costs more than copying
    start = 0
    while start < len(places):  # pixels stand by wire
        first = int(places.wire[start])
        stop = int(np.searchsorted(places.wire, first + rows - inner + 1))
        last = int(places.wire[stop - 1])
        maps = layers.maps(around[None, None, first : last + layers.side])[0].permute(1, 2, 0).contiguous()
        for begin in range(start, stop, batch):
            some = slice(begin, min(begin + batch, stop))
            pixels = zip((places.wire[some] - first).tolist(), places.drift[some].tolist(), strict=True)
            for number, (wire, drift) in enumerate(pixels):
                gathered[number] = maps[wire : wire + inner, drift : drift + inner]
            sums = gathered[: some.stop - begin].flatten(1) @ weight
            out[some] = layers.finish(sums).numpy()
        start = stop
    return out
