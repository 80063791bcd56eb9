import torch
from torch import Tensor, nn

from cloudchamber.model.ensemble import Ensemble


class _Constant(nn.Module):
    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        return torch.full_like(x[:, :1], self.probability).logit()


X = torch.zeros(2, 3, 4, 5, 5)


def test_mean_probability() -> None:
    found = Ensemble([_Constant(0.2), _Constant(0.9)])(X).sigmoid()
    assert found.shape == (2, 1, 4, 5, 5)
    torch.testing.assert_close(found, torch.full_like(found, 0.55))


def test_three_votes_of_five() -> None:
    for yes, expected in ((2, False), (3, True)):
        networks = [_Constant(0.36)] * yes + [_Constant(0.34)] * (5 - yes)
        found = Ensemble(networks, vote_cut=0.35)(X).sigmoid()
        torch.testing.assert_close(found, torch.full_like(found, yes / 5))
        assert bool((found > 0.5).all()) is expected


def test_all_or_none_is_finite() -> None:
    for p in (0.1, 0.9):
        assert torch.isfinite(Ensemble([_Constant(p)] * 2, vote_cut=0.5)(X)).all()
