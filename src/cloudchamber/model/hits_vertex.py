"""The network for vertices: the layers of the patch network, and one head for the kind of vertex."""

from jaxtyping import Float
from torch import Tensor, nn

from cloudchamber.model.hits_patch import PatchTrunk, PatchTrunkConfig, start_as_keras

KINDS = 5  # decay, hadronic, conversion, neutrino, not a vertex


class HitsVertexConfig(PatchTrunkConfig):
    """The network. The source names its five targets; its layers are taken to be the patch network's."""


class HitsVertex(nn.Module):
    """What kind of vertex the pixel in the middle of a patch is."""

    reads = "vertex-patch"

    def __init__(self, config: HitsVertexConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = PatchTrunk(config)
        self.kind = nn.Linear(self.trunk.width, KINDS)
        start_as_keras(self.kind)

    def forward(self, main_input: Float[Tensor, "patch 1 wire drift"]) -> Float[Tensor, "patch 5"]:
        """Return logits of decay, hadronic, conversion, neutrino and of no vertex.

        Raises
        ------
        ValueError
            if patches are of another shape than the network's.
        """
        logits: Tensor = self.kind(self.trunk(main_input))
        return logits
