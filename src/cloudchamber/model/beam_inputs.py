"""What the networks on wire images have in common: what they read, and reading a finer image."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


def check_planes(x: Float[Tensor, "n c wire drift"], channels: int, stride: int) -> None:
    """Raise ValueError unless these are images of so many channels, with sides that are whole strides."""
    if x.ndim != 4 or x.shape[1] != channels or x.shape[2] % stride or x.shape[3] % stride:
        wanted = f"images (n, {channels}, wire, drift) with sides that are multiples of {stride}"
        raise ValueError(f"the network reads {wanted}, got {tuple(x.shape)}")


class FineInput(nn.Module):
    """Downsampling that is learned: a convolution on all ``fine`` x ``fine`` pixels of a coarser one.

    It takes the place of a maximum or mean: a convolution of stride ``fine`` with a kernel twice as wide, so
    that it sees half a coarse pixel to each side, then a rectifier.
    """

    def __init__(self, channels: int, fine: int, made: int = 16) -> None:
        super().__init__()
        self.fine, self.channels = fine, made
        self.convolution = nn.Conv2d(channels, made, 2 * fine, fine)
        nn.init.kaiming_normal_(self.convolution.weight, nonlinearity="relu")

    def forward(self, x: Float[Tensor, "n c wire drift"]) -> Float[Tensor, "n d wire2 drift2"]:
        """Return maps of the coarser pixels."""
        before, after = self.fine // 2, self.fine - self.fine // 2
        padded = F.pad(x, (before, after, before, after))
        return F.relu(self.convolution(padded))
