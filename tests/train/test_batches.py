import numpy as np
import torch

from cloudchamber.prepare.normalise import Inputs, Standardise
from cloudchamber.prepare.symmetries import transform
from cloudchamber.train.batches import WallBatches

N = 50
X0 = np.random.default_rng(1).lognormal(-3, 1, (N, 3, 4, 4)).astype(np.float32)
WALLS = X0 < 0.03
PLAIN = Inputs(maps={"x0": Standardise(scale="linear")})


def _batches(**options: object) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return list(WallBatches(X0[:, None], WALLS, PLAIN, 8, **options))  # type: ignore[arg-type]


def test_an_epoch_begun_in_the_middle_is_its_rest() -> None:
    whole, rest = (
        _batches(seed=3, epoch=5, symmetries=True),
        _batches(seed=3, epoch=5, symmetries=True, first=4),
    )
    assert len(whole) == 6
    assert len(rest) == 2
    for (a, b), (c, d) in zip(whole[4:], rest, strict=True):
        assert torch.equal(a, c)
        assert torch.equal(b, d)


def test_epochs_and_seeds_differ() -> None:
    first = _batches(seed=3, epoch=0)[0][0]
    assert not torch.equal(first, _batches(seed=3, epoch=1)[0][0])
    assert not torch.equal(first, _batches(seed=4, epoch=0)[0][0])


def test_no_sample_comes_twice() -> None:
    x = torch.cat([x for x, _ in _batches(seed=1, epoch=0)])
    assert len(x) == 48
    assert len({row.numpy().tobytes() for row in x}) == 48


def test_map_and_walls_are_turned_alike() -> None:
    for x, walls in _batches(seed=1, epoch=2, symmetries=True):
        assert torch.equal(walls > 0.5, x < 0.03)


def test_all_symmetries_are_drawn() -> None:
    views = {transform(X0[i], k).tobytes(): k for i in range(N) for k in range(8)}
    drawn = [
        views[x[0].numpy().tobytes()]
        for epoch in range(4)
        for x in torch.cat([b[0] for b in _batches(seed=1, epoch=epoch, symmetries=True)])
    ]
    assert set(drawn) == set(range(8))


def test_validation_is_in_order_and_complete() -> None:
    x = torch.cat([x for x, _ in _batches()])
    assert np.array_equal(x[:, 0].numpy(), X0)


def test_ranks_share_a_batch() -> None:
    whole = _batches(seed=1, epoch=0)
    parts = [_batches(seed=1, epoch=0, rank=rank, ranks=2) for rank in range(2)]
    for k, (x, _) in enumerate(whole):
        assert torch.equal(x[0::2], parts[0][k][0])
        assert torch.equal(x[1::2], parts[1][k][0])
