"""Tiles, spectra and the transform at hits."""

import numpy as np
import pytest
import torch

from cloudchamber.infer.hits_engines.layers import take_apart
from cloudchamber.infer.hits_engines.overlap_save import (
    TILES,
    Tile,
    choose_tile,
    fitted,
    into_tiles,
    kernel_spectrum,
    phases,
)
from cloudchamber.infer.hits_engines.places import find_places
from cloudchamber.infer.hits_engines.spectral_sums import add_frequencies
from tests.infer.hits_engines.planes import patch_network


@pytest.mark.parametrize("drifts", [10, 13])
def test_the_last_transform_is_that_of_a_real_signal(drifts: int) -> None:
    rng = np.random.default_rng(2)
    tile = Tile(3, drifts)
    signal = rng.normal(size=(tile.wires, drifts, 5)).astype(np.float32)
    spectrum = np.fft.rfft(signal, axis=1).astype(np.complex64) / drifts
    row, drift = rng.integers(0, tile.wires, 300), rng.integers(0, drifts, 300)
    sums = torch.zeros(300, 5)
    for part in (slice(0, 2), slice(2, tile.frequencies)):
        rows = torch.from_numpy(np.ascontiguousarray(spectrum[:, part].swapaxes(0, 1)))
        add_frequencies(rows, np.ascontiguousarray(phases(tile)[:, part]), row, drift, sums)
    np.testing.assert_allclose(sums.numpy(), signal[row, drift], atol=1e-6)


def test_a_kernel_s_spectrum_makes_a_correlation() -> None:
    layers, tile = take_apart(patch_network()), Tile(20, 24)
    x = np.random.default_rng(0).normal(size=(6, 20, 24)).astype(np.float32)
    spectrum = kernel_spectrum(layers, tile).numpy()
    product = np.einsum("cwf,fwch->hwf", np.fft.fft(np.fft.rfft(x, axis=2), axis=1), spectrum)
    found = np.fft.irfft(np.fft.ifft(product, axis=1), n=24, axis=2) * 20 * 24
    kernel = layers.first.numpy()
    for wire, drift in ((0, 0), (8, 12), (3, 5)):
        window = x[:, wire : wire + layers.inner, drift : drift + layers.inner]
        np.testing.assert_allclose(found[:, wire, drift], (kernel * window).sum(axis=(1, 2, 3)), atol=1e-4)


def test_spectra_are_kept_while_their_network_lives() -> None:
    layers, tile = take_apart(patch_network()), Tile(20, 24)
    first = kernel_spectrum(layers, tile)
    assert kernel_spectrum(layers, tile) is first
    assert kernel_spectrum(layers, Tile(20, 28)) is not first


def test_every_pixel_is_in_the_useful_part_of_its_tile() -> None:
    rng = np.random.default_rng(5)
    places = find_places((200, 300), rng.integers(20, 190, 500), rng.integers(40, 280, 500))
    tiled = into_tiles(places, (30, 50))
    assert tiled.wire.min() >= 0
    assert tiled.wire.max() < 30
    assert tiled.drift.min() >= 0
    assert tiled.drift.max() < 50
    np.testing.assert_array_equal(tiled.origins[tiled.tile, 0] + tiled.wire, places.wire[tiled.order])
    np.testing.assert_array_equal(tiled.origins[tiled.tile, 1] + tiled.drift, places.drift[tiled.order])
    np.testing.assert_array_equal(np.sort(tiled.order), np.arange(len(places)))
    assert set(tiled.tile.tolist()) == set(range(len(tiled.origins)))


def test_tiles_shrink_with_memory_until_none_fits() -> None:
    layers = take_apart(patch_network(patch=48, filters=48, hidden=(128, 32)))
    chosen = [choose_tile(layers, memory) for memory in (4000, 500, 150, 20)]
    assert chosen[0] == Tile(*TILES[0])
    assert chosen[3] is None
    sizes = [tile.wires * tile.drifts for tile in chosen if tile]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3
    for tile, memory in zip(chosen, (4000, 500, 150), strict=False):
        assert tile is not None
        assert tile.spectrum_bytes(layers) < memory * 2**20


def test_a_tile_is_larger_than_the_kernel() -> None:
    assert fitted(Tile(64, 72), 44) == Tile(64, 72)
    assert fitted(Tile(64, 72), 60) == Tile(128, 72)
