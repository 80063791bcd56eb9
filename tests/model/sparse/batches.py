"""Batches of coordinates for property tests."""

import torch
from hypothesis import strategies as st

FAR = 2**20


@st.composite
def batches(draw: st.DrawFn) -> torch.Tensor:
    """Coordinates: 1 to 4 axes, empty samples, duplicates, single voxels, negative and far places."""
    dimension = draw(st.integers(1, 4))
    voxels = draw(st.sampled_from([1, 2, 9, 60]))
    side = draw(st.sampled_from([2, 4, 7]))
    seed = draw(st.integers(0, 2**32 - 1))
    generator = torch.Generator().manual_seed(seed)
    places = torch.randint(0, side, (voxels, dimension), generator=generator)
    origin = torch.randint(-FAR, FAR, (1, dimension), generator=generator)
    samples = 2 * torch.randint(0, draw(st.integers(1, 3)), (voxels, 1), generator=generator)
    return torch.cat([samples, places + draw(st.sampled_from([0, -3, 1])) * origin], dim=1)
