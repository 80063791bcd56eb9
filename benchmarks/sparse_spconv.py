"""The U-ResNet "5-16" in spconv 2.3.8 on a CPU: what ``benchmarks/sparse.py`` compares with.

    python benchmarks/sparse_spconv.py voxels.npz --threads 1 --runs 7

Runs wherever spconv and torch are; needs nothing of cloudchamber. ``voxels.npz`` holds ``coordinates``, int32
of shape (voxel, 4), and ``size``. Prints seconds as JSON: geometry (indices) is inside forward here, since
spconv makes it there.

spconv's backward pass of a sparse convolution asks for a CUDA stream and mixes two kinds of tensors on the
way through its CPU branch, so it cannot run without CUDA. ``backward_on_cpu`` is that branch made to work:
gather, two matrix products, scatter, by spconv's own CPU loops.
"""

import argparse
import importlib
import json
import statistics
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

try:
    spconv: Any = importlib.import_module("spconv.pytorch")
    ops: Any = importlib.import_module("spconv.pytorch.ops")
    SpconvOps: Any = importlib.import_module("spconv.core_cc.csrc.sparse.all").SpconvOps
    as_view: Any = importlib.import_module("spconv.pytorch.cppcore").torch_tensor_to_tv
except ImportError as error:
    raise SystemExit(f"spconv cannot be imported here: {error}") from error


def backward_on_cpu(
    features: Tensor, filters: Tensor, gradient: Tensor, pairs: Tensor, numbers: Tensor,
    inverse: bool = False, subm: bool = False, *_: Any, **__: Any,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return the gradients of features and filters of one convolution."""
    features, gradient = features.contiguous(), gradient.contiguous()
    kernel = filters.reshape(filters.shape[0], -1, filters.shape[-1])
    places = kernel.shape[1]
    of_kernel = torch.zeros_like(kernel)
    centre = places // 2 if subm else -1
    if subm:
        of_kernel[:, centre] = gradient.T @ features
        of_features = gradient @ kernel[:, centre]
    else:
        of_features = torch.zeros_like(features)
    counts = numbers.tolist()
    longest = max(counts)
    inward = torch.empty(longest, features.shape[1])
    outward = torch.empty(longest, gradient.shape[1])
    tables = as_view(pairs)
    sources, targets = tables[int(inverse)], tables[int(not inverse)]
    x, g, out = (as_view(each) for each in (features, gradient, of_features))
    inward_tv, outward_tv = as_view(inward), as_view(outward)
    for place in range(places):
        count = counts[places - 1 - place] if subm and place > centre else counts[place]
        if place == centre or count <= 0:
            continue
        source, target = (each[place].slice_first_axis(0, count) for each in (sources, targets))
        SpconvOps.gather_cpu(inward_tv, x, source)
        SpconvOps.gather_cpu(outward_tv, g, target)
        of_kernel[:, place] = outward[:count].T @ inward[:count]
        torch.mm(outward[:count], kernel[:, place], out=inward[:count])
        SpconvOps.scatter_add_cpu(out, inward_tv, source)
    return of_features, of_kernel.reshape(filters.shape)


def norm_rectify(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm1d(channels, eps=1e-4), nn.ReLU()]


class Block(spconv.SparseModule):  # type: ignore[misc]
    """Pre-activation residual block."""

    def __init__(self, channels_in: int, channels: int, level: int) -> None:
        super().__init__()

        def conv(inward: int, kernel: int) -> nn.Module:
            key = f"{kernel}-{level}"
            made: nn.Module = spconv.SubMConv3d(inward, channels, kernel, bias=False, indice_key=key)
            return made

        self.short = None if channels_in == channels else conv(channels_in, 1)
        self.main = spconv.SparseSequential(
            *norm_rectify(channels_in), conv(channels_in, 3), *norm_rectify(channels), conv(channels, 3)
        )

    def forward(self, x):
        """Return the sum of both ways."""
        short = x if self.short is None else self.short(x)
        out = self.main(x)
        return out.replace_feature(out.features + short.features)


class Below(spconv.SparseModule):  # type: ignore[misc]
    """All of a U-net from one level down."""

    def __init__(self, planes: list[int], level: int) -> None:
        super().__init__()
        here = planes[level]
        self.encoder = spconv.SparseSequential(Block(here, here, level), Block(here, here, level))
        self.last = level == len(planes) - 1
        if not self.last:
            coarse, key = planes[level + 1], f"stride-{level}"
            self.down = spconv.SparseSequential(
                *norm_rectify(here), spconv.SparseConv3d(here, coarse, 2, 2, bias=False, indice_key=key)
            )
            self.below = Below(planes, level + 1)
            self.up = spconv.SparseSequential(
                *norm_rectify(coarse), spconv.SparseInverseConv3d(coarse, here, 2, bias=False, indice_key=key)
            )
            self.decoder = spconv.SparseSequential(Block(2 * here, here, level), Block(here, here, level))

    def forward(self, x):
        """Return what the levels from here down make of a tensor."""
        x = self.encoder(x)
        if self.last:
            return x
        up = self.up(self.below(self.down(x)))
        return self.decoder(up.replace_feature(torch.cat([x.features, up.features], dim=1)))


class UResNet(nn.Module):
    """The network of ``cloudchamber.model.voxels_uresnet``."""

    def __init__(self, levels: int = 5, filters: int = 16, classes: int = 5) -> None:
        super().__init__()
        planes = [filters * (level + 1) for level in range(levels)]
        self.stem = spconv.SubMConv3d(1, filters, 3, bias=False, indice_key="3-0")
        self.body = Below(planes, 0)
        self.norm = nn.Sequential(*norm_rectify(filters))
        self.out = nn.Linear(filters, classes)

    def forward(self, features: Tensor, coordinates: Tensor, size: int) -> Tensor:
        """Return logits."""
        samples = int(coordinates[:, 0].max()) + 1
        x = spconv.SparseConvTensor(features, coordinates, [size] * 3, samples)
        logits: Tensor = self.out(self.norm(self.body(self.stem(x)).features))
        return logits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("voxels")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    ops.indice_conv_backward = backward_on_cpu
    torch.manual_seed(0)
    with np.load(options.voxels) as file:
        coordinates, size = torch.from_numpy(file["coordinates"]), int(file["size"])
    features = torch.rand(len(coordinates), 1)
    labels = torch.randint(0, 5, (len(coordinates),))
    network = UResNet()
    forward, backward = [], []
    for _ in range(options.runs + 1):
        start = time.perf_counter()
        loss = nn.functional.cross_entropy(network(features, coordinates, size), labels)
        middle = time.perf_counter()
        network.zero_grad()
        loss.backward()
        backward.append(time.perf_counter() - middle)
        forward.append(middle - start)
    found = {
        "forward": statistics.median(forward[1:]),
        "backward": statistics.median(backward[1:]),
        "step": statistics.median(f + b for f, b in zip(forward[1:], backward[1:], strict=True)),
        "parameters": sum(p.numel() for p in network.parameters()),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
