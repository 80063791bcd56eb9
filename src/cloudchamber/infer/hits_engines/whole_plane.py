"""The network made for whole planes, at hits."""

import numpy as np
import torch
from jaxtyping import Float32

from cloudchamber.infer.hits_engines.parts import Reach, run_parts
from cloudchamber.infer.hits_engines.places import Places
from cloudchamber.model.hits_plane import HitsPlane


def reach_of(network: HitsPlane) -> Reach:
    """Return the reach of a network; four sets of maps are alive at once, and eight numbers a pixel."""
    config = network.config
    widest = max(config.channels, config.head)
    return Reach(network.reach, config.fold, 4 * (4 * widest / config.fold**2 + 16))


def run_whole_plane(
    network: HitsPlane, plane: Float32[np.ndarray, "wire drift"], places: Places, memory_mib: float
) -> Float32[np.ndarray, "pixel 4"]:
    """Return the scores of pixels from the network for planes."""

    def run(part: Float32[np.ndarray, "1 1 wire drift"]) -> Float32[np.ndarray, "4 wire drift"]:
        classes, michel = network(torch.from_numpy(part))
        return torch.cat([torch.softmax(classes, dim=1), torch.sigmoid(michel)], dim=1)[0].numpy()

    return run_parts(run, plane, places, reach_of(network), memory_mib)
