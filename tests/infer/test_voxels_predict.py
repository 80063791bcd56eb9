import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cloudchamber.infer.voxels_bundle import VoxelsBundle, VoxelsBundleConfig
from cloudchamber.infer.voxels_predict import VIEWS, predict_events
from cloudchamber.prepare.cube import turn_positions
from cloudchamber.voxel_events import VoxelEvents, offsets_of


class ByPlace(nn.Module):
    """Logits of class 0 that grow with x, and of class 1 with y."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor, coordinates: Tensor) -> Tensor:
        logits = torch.zeros(len(coordinates), 5)
        logits[:, :2] = coordinates[:, 1:3] / 4
        return logits


def bundle(symmetries: bool) -> VoxelsBundle:
    config = VoxelsBundleConfig(
        name="test", network="none", options={}, energy="log", voxel_mm=3.0, relabelled=True,
        symmetries=symmetries,
    )  # fmt: skip
    return VoxelsBundle(config, ByPlace(), "")


def events(shape: tuple[int, int, int]) -> VoxelEvents:
    rng = np.random.default_rng(4)
    position = np.unique(rng.integers(0, min(shape), (30, 3)), axis=0)[:, ::-1].astype(np.int32)
    half = len(position) // 2
    return VoxelEvents(
        shape, 3.0, offsets_of([half, len(position) - half]), position, np.ones(len(position), np.float32)
    )


def test_views_are_the_mean_probability_of_eight_turned_images() -> None:
    cube = events((16, 16, 16))
    _, found = predict_events(bundle(symmetries=True), cube)
    wanted = np.zeros((len(cube.position), 5))
    for view in VIEWS:
        logits = np.zeros((len(cube.position), 5))
        logits[:, :2] = turn_positions(cube.position, 16, view)[:, :2] / 4
        wanted += np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) / len(VIEWS)
    assert len(VIEWS) == 8
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("most_voxels", [1, 20, 10**6])
def test_batches_do_not_matter(most_voxels: int) -> None:
    cube = events((16, 16, 16))
    label, probability = predict_events(bundle(symmetries=True), cube)
    again = predict_events(bundle(symmetries=False), cube, symmetries=True, most_voxels=most_voxels)
    np.testing.assert_array_equal(label, again[0])
    np.testing.assert_allclose(probability, again[1], rtol=1e-6)


def test_other_boxes_are_seen_as_they_are() -> None:
    box = events((16, 16, 24))
    found = predict_events(bundle(symmetries=True), box)[1]
    np.testing.assert_array_equal(found, predict_events(bundle(symmetries=False), box)[1])
