"""Networks that separate beam and cosmics, to be exported: from signals to the probability of each class."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from cloudchamber.infer.beam_bundle import BeamBundle
from cloudchamber.infer.bundle import about_card
from cloudchamber.infer.exportable import Exportable


class BeamGraph(nn.Module):
    """Scales, pads to whole strides of the network, and takes its softmax: images of any sides go in."""

    def __init__(self, bundle: BeamBundle) -> None:
        super().__init__()
        self.network, self.inputs = bundle.network, bundle.config.inputs
        self.fine, self.stride = bundle.config.images.read, int(bundle.network.stride)  # type: ignore[arg-type]

    def forward(
        self, signal: Float[Tensor, "image wire drift"], place: Float[Tensor, "image 4"] | None = None
    ) -> Float[Tensor, "image class wire2 drift2"]:
        """Return probabilities; ``place`` is where each image lies on the plane, see :class:`BeamInput`."""
        images, wires, drifts = signal.shape
        channels = [self.inputs.standardised(signal)]
        if place is not None:
            along_wires, along_drift = _between(place[:, :2], wires), _between(place[:, 2:], drifts)
            channels.append(along_wires[:, :, None].expand(images, wires, drifts))
            channels.append(along_drift[:, None, :].expand(images, wires, drifts))
        added = [(size + self.stride - 1) // self.stride * self.stride - size for size in (wires, drifts)]
        logits = self.network(F.pad(torch.stack(channels, dim=1), (0, added[1], 0, added[0])))
        # Not slices, of which torch.export asks whether they are the whole, once and for all.
        rows, columns = (torch.arange(size // self.fine, device=signal.device) for size in (wires, drifts))
        return torch.softmax(logits, dim=1).index_select(2, rows).index_select(3, columns)


def _between(ends: Float[Tensor, "image 2"], size: int) -> Float[Tensor, "image size"]:
    """Return so many places from the first end to the second; of one place alone, the first end."""
    steps = torch.arange(size, device=ends.device).to(ends.dtype)
    return ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * (steps / steps[-1:].clamp(min=1))


def beam_exportable(bundle: BeamBundle) -> Exportable:
    """Return the graph of a network for beam and cosmics."""
    config, network = bundle.config, bundle.network
    graph = BeamGraph(bundle)
    sides = graph.stride + 2 * graph.fine, 2 * graph.stride + 3 * graph.fine
    example: tuple[Tensor, ...] = (10 * torch.rand(2, *sides),)
    inputs: tuple[str, ...] = ("signal",)
    dynamic: tuple[dict[int, str], ...] = ({0: "image", 1: "wire", 2: "drift"},)
    if config.inputs.coordinates:
        example += (torch.tensor([[-1.0, 1.0, -1.0, 1.0], [-1.0, 0.0, -0.5, 0.5]]),)
        inputs, dynamic = (*inputs, "place"), (*dynamic, {0: "image"})
    about = {
        "classes": [label.name.lower() for label in config.images.labels], "unit": config.unit,
        "images": config.images.model_dump(mode="json"), "inputs": config.inputs.model_dump(mode="json"),
        "plane_wires": config.plane_wires, "plane_drifts": config.plane_drifts, "stride": graph.stride,
        "margin": int(network.margin), "card": about_card(bundle.card),  # type: ignore[arg-type]
    }  # fmt: skip
    return Exportable(config.name, graph, example, inputs, ("probability",), dynamic, about)
