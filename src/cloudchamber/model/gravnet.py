"""GravNet: message passing between nearest neighbours in a learned space (Qasim et al., arXiv:1902.07987)."""

from itertools import pairwise

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F


class GravNetConfig(BaseModel):
    """GravNet after Strong (MODE challenge, 2022): the published numbers are the defaults.

    ``depth``, ``attention_width``, ``norm`` and ``mapped`` are not published; ``walls_unet.STRONG`` has what
    gives his number of parameters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: int = Field(default=6, ge=1, description="dimensions of the learned space, n_s")
    neighbours: int = Field(default=25, ge=1, description="k, the node itself included")
    features: int = Field(default=25, ge=1, description="features exchanged, n_lr")
    outputs: tuple[int, ...] = Field(default=(50, 50), description="features after each layer")
    attention: bool = Field(default=True, description="offset self-attention among the neighbours")
    depth: int = Field(default=1, ge=1, description="linear layers to the learned space and the messages")
    attention_width: int | None = Field(
        default=None, ge=1, description="width of query and key, if not that of the features"
    )
    norm: bool = Field(default=True, description="batch normalisation after each layer")
    mapped: bool = Field(
        default=False,
        description="map the layers' outputs to the input's width instead of joining them to it",
    )


class OffsetAttention(nn.Module):
    """Self-attention whose difference from the input is learned on (Guo et al., arXiv:2012.09688).

    Query, key and value are as wide as the features and without bias; or, with ``width``, query and key are
    as wide as that, and all three have biases.
    """

    def __init__(self, features: int, width: int | None = None) -> None:
        super().__init__()
        self.widths = [width or features, width or features, features]
        self.query_key_value = nn.Linear(features, sum(self.widths), bias=width is not None)
        self.mix = nn.Linear(features, features)

    def forward(self, x: Float[Tensor, "set k f"]) -> Float[Tensor, "set k f"]:
        """Attend among the k members of each set."""
        query, key, value = self.query_key_value(x).split(self.widths, dim=-1)
        attended = F.scaled_dot_product_attention(query, key, value)
        out: Tensor = x + F.silu(self.mix(x - attended))
        return out


class GravNetLayer(nn.Module):
    """One exchange: each node gathers its k nearest in the learned space, near ones counting more.

    Features are weighted with exp(-10 d^2), the potential of the paper, and aggregated by mean and by the
    value of largest magnitude; the output is a linear map of the node's own features and both aggregates.
    """

    def __init__(self, features_in: int, features_out: int, config: GravNetConfig) -> None:
        super().__init__()
        self.config = config
        width = features_in
        hidden: list[nn.Module] = []
        for _ in range(config.depth - 1):
            hidden += [nn.Linear(width, 2 * config.space + config.features), nn.SiLU()]
            width = 2 * config.space + config.features
        self.hidden = nn.Sequential(*hidden)
        self.to_space = nn.Linear(width, config.space)
        self.to_message = nn.Linear(width, config.features)
        self.attention = (
            OffsetAttention(config.features, config.attention_width) if config.attention else None
        )
        self.out = nn.Linear(features_in + 2 * config.features, features_out)
        self.norm = nn.BatchNorm1d(features_out) if config.norm else nn.Identity()

    def _neighbours(
        self, space: Float[Tensor, "n node s"]
    ) -> tuple[Int[Tensor, "n node k"], Float[Tensor, "n node k"]]:
        """Return the indices of the nearest nodes and their squared distances."""
        square = space.square().sum(dim=-1)
        distance2 = square[:, :, None] + square[:, None, :] - 2 * space @ space.transpose(1, 2)
        nearest = distance2.topk(min(self.config.neighbours, space.shape[1]), largest=False, sorted=False)
        return nearest.indices, nearest.values.clamp(min=0)

    def forward(self, x: Float[Tensor, "n node f"]) -> Float[Tensor, "n node g"]:
        """Return the new features of every node."""
        n, nodes, _ = x.shape
        hidden = self.hidden(x)
        index, distance2 = self._neighbours(self.to_space(hidden).float())
        k = index.shape[-1]
        message = self.to_message(hidden)
        flat = (index + nodes * torch.arange(n, device=x.device)[:, None, None]).flatten()
        gathered = message.reshape(n * nodes, -1).index_select(0, flat).view(n * nodes, k, -1)
        gathered = gathered * torch.exp(-10 * distance2).view(n * nodes, k, 1).to(gathered.dtype)
        if self.attention is not None:
            gathered = self.attention(gathered)
        largest, smallest = gathered.amax(dim=1), gathered.amin(dim=1)
        absmax = torch.where(largest.abs() >= smallest.abs(), largest, smallest)
        aggregate = torch.cat([gathered.mean(dim=1), absmax], dim=-1)
        out = self.out(torch.cat([x.reshape(n * nodes, -1), aggregate], dim=-1))
        result: Tensor = F.silu(self.norm(out)).view(n, nodes, -1)
        return result


class GravNet(nn.Module):
    """Layers of GravNet over the voxels of a grid; the coordinates are added to the features."""

    def __init__(self, dimensions: int, channels_in: int, config: GravNetConfig) -> None:
        super().__init__()
        widths = [channels_in + dimensions, *config.outputs]
        self.layers = nn.ModuleList(GravNetLayer(a, b, config) for a, b in pairwise(widths))
        joined = sum(config.outputs)
        self.out = nn.Linear(joined, channels_in) if config.mapped else None
        self.channels_out = channels_in if config.mapped else channels_in + joined

    def forward(self, x: Float[Tensor, "n c *size"]) -> Float[Tensor, "n d *size"]:
        """Return the input and every layer's output, concatenated over channels, or these outputs mapped."""
        n, c, *size = x.shape
        axes = [torch.linspace(-1, 1, s, device=x.device, dtype=x.dtype) for s in size]
        grid = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).reshape(1, -1, len(size))
        nodes = x.reshape(n, c, -1).transpose(1, 2)
        outputs = [nodes]
        features = torch.cat([nodes, grid.expand(n, -1, -1)], dim=-1)
        for layer in self.layers:
            features = layer(features)
            outputs.append(features)
        out = torch.cat(outputs, dim=-1) if self.out is None else self.out(torch.cat(outputs[1:], dim=-1))
        return out.transpose(1, 2).reshape(n, -1, *size)
