"""Tiles give what the whole image gives."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.infer.tiles import run_tiles, spans, tile_sides
from cloudchamber.model.registry import build_network

SMALL = {"inputs": 1, "widths": (6, 8, 10), "blocks": (1, 1, 1)}
TIRAMISU = {"filters": 6, "blocks": (1, 2), "bottleneck": 2, "growth": 4}


@given(st.integers(1, 900), st.sampled_from([1, 4, 16]), st.integers(0, 100), st.integers(1, 600))
def test_spans_keep_every_pixel_once_and_have_their_margin(
    size: int, stride: int, margin: int, most: int
) -> None:
    found = spans(size, stride, margin, most)
    whole = -(-size // stride) * stride
    assert found[0].start == 0
    assert found[-1].stop == size
    for before, after in pairwise(found):
        assert before.stop == after.start
    for span in found:
        assert span.first % stride == span.last % stride == 0
        assert span.first == 0 or span.start - span.first >= margin
        assert span.last == whole or span.last - span.stop >= margin
        assert 0 <= span.first <= span.start < span.stop <= span.last <= whole


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 40))
def test_a_tile_is_no_larger_than_asked_or_needed(wires: int, drifts: int, margin: int) -> None:
    stride, most = 8, 4096
    w, d = tile_sides((wires, drifts), stride, margin, most)
    least = 2 * (margin + stride) + stride
    for one in spans(wires, stride, margin, w):
        for other in spans(drifts, stride, margin, d):
            pixels = (one.last - one.first) * (other.last - other.first)
            assert pixels <= max(most, least**2, least * most // stride)


@pytest.mark.parametrize(("name", "options"), [("beam-small", SMALL), ("beam-tiramisu", TIRAMISU)])
@pytest.mark.parametrize("shape", [(150, 201), (64, 470)])
def test_tiles_equal_the_whole_image(name: str, options: dict[str, Any], shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    network = build_network(name, options).train()
    for _ in range(3):
        network(3 * torch.rand(2, 1, 64, 64))
    network.eval()
    stride, margin = int(network.stride), int(network.margin)  # type: ignore[arg-type]
    image = torch.rand(1, *shape, generator=torch.Generator().manual_seed(2)) ** 4 * 5
    padded = torch.zeros(1, *(-(-side // stride) * stride for side in shape))
    padded[:, : shape[0], : shape[1]] = image
    with torch.inference_mode():
        whole = network(padded[None])[0, :, : shape[0], : shape[1]]

    def read(wires: slice, drifts: slice) -> torch.Tensor:
        return padded[:, wires, drifts]

    found, tiles = torch.full_like(whole, torch.nan), 0
    for tile in run_tiles(network, read, shape, most_pixels=(2 * margin + 8 * stride) ** 2):
        found[:, tile.wires, tile.drifts] = tile.logits
        tiles += 1
    assert tiles >= 2
    torch.testing.assert_close(found, whole, rtol=0, atol=1e-5)
    once = list(run_tiles(network, read, shape, most_pixels=10**6))
    assert len(once) == 1
    torch.testing.assert_close(once[0].logits, whole, rtol=0, atol=1e-5)
