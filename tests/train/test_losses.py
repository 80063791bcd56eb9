import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.functional.classification import binary_jaccard_index
from torchmetrics.functional.segmentation import dice_score

from cloudchamber.score.walls import iou_per_sample
from cloudchamber.train.losses import LOSSES, soft_iou

SHARP = 60.0
OVERLAPS = ["soft-iou", "dice", "batch-soft-iou", "jaccard", "power-jaccard"]
PER_SAMPLE = ["bce", "mse", "focal", "soft-iou", "dice"]


def _by_hand(name: str, p: np.ndarray, t: np.ndarray, w: np.ndarray) -> float:
    """Every loss once more: loops over samples and voxels, in Python's numbers."""
    if name in PER_SAMPLE:
        rows = []
        for row_p, row_t in zip(p, t, strict=True):
            both = list(zip(map(float, row_p), map(float, row_t), strict=True))
            inner = sum(a * b for a, b in both)
            if name == "bce":
                rows.append(-sum(np.log(a if b else 1 - a) for a, b in both) / len(both))
            elif name == "mse":
                rows.append(sum((a - b) ** 2 for a, b in both) / len(both))
            elif name == "focal":
                wall = sum(-0.25 * (1 - a) ** 2 * np.log(a) for a, b in both if b)
                soil = sum(-0.75 * a**2 * np.log(1 - a) for a, b in both if not b)
                rows.append((wall + soil) / len(both))
            elif name == "soft-iou":
                rows.append(1 - inner / sum(a + b - a * b for a, b in both))
            else:
                rows.append(1 - 2 * inner / sum(a + b for a, b in both))
        return float(np.dot(w, rows) / w.sum())
    power, smooth = {"batch-soft-iou": (1, 1e-17), "jaccard": (1, 0.01), "power-jaccard": (1.75, 0.01)}[name]
    above, below = smooth, smooth
    for i in range(len(p)):
        for a, b in zip(map(float, p[i]), map(float, t[i]), strict=True):
            above += w[i] * a * b
            below += w[i] * (a**power + b**power - a * b)
    return float(1 - above / below)


def _logit(p: np.ndarray) -> torch.Tensor:
    return torch.logit(torch.from_numpy(p))


def _random(seed: int, n: int = 3, voxels: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    t = rng.random((n, voxels)) < 0.4
    t[:, 0] = True
    return rng.uniform(0.01, 0.99, (n, voxels)), t.astype(float), rng.uniform(0.1, 3, n)


@pytest.mark.parametrize("name", LOSSES)
@given(seed=st.integers(0, 2**32 - 1))
def test_against_sums_by_hand(name: str, seed: int) -> None:
    p, t, w = _random(seed)
    logits, target = _logit(p), torch.from_numpy(t)
    assert float(LOSSES[name](logits, target)) == pytest.approx(_by_hand(name, p, t, np.ones(3)), rel=1e-9)
    weighted = LOSSES[name](logits, target, torch.from_numpy(w))
    assert float(weighted) == pytest.approx(_by_hand(name, p, t, w), rel=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_of_certain_predictions_it_is_one_minus_the_challenges_iou(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pred, truth = rng.random((4, 3, 3, 3)) < 0.4, rng.random((4, 3, 3, 3)) < 0.4
    logits = torch.from_numpy(np.where(pred, SHARP, -SHARP))
    expected = 1 - iou_per_sample(pred, truth).mean()
    assert float(soft_iou(logits, torch.from_numpy(truth))) == pytest.approx(expected, abs=1e-5)


@given(st.integers(0, 2**32 - 1))
def test_of_certain_predictions_overlaps_are_those_of_torchmetrics(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pred = torch.from_numpy(rng.random((4, 3, 3, 3)) < 0.4)
    truth = torch.from_numpy(rng.random((4, 3, 3, 3)) < 0.4)
    pred[:, 0, 0, 0] = True
    logits = torch.where(pred, SHARP, -SHARP)
    whole = 1 - float(binary_jaccard_index(pred.int(), truth.int()))
    assert float(LOSSES["batch-soft-iou"](logits, truth)) == pytest.approx(whole, abs=1e-5)
    for name in ("jaccard", "power-jaccard"):
        assert float(LOSSES[name](logits, truth)) == pytest.approx(whole, abs=1e-3)  # its smoothing
    scores = dice_score(pred.int()[:, None], truth.int()[:, None], num_classes=1, average="macro")
    assert float(LOSSES["dice"](logits, truth)) == pytest.approx(1 - float(scores.mean()), abs=1e-5)


def test_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.8 / 0.2, 0.3 / 0.7]]))
    target = torch.tensor([[1.0, 0.0]])
    assert float(soft_iou(logits, target)) == pytest.approx(1 - 0.8 / (1.1 + 1 - 0.8))
    p = 0.8**1.75 + 0.3**1.75 + 1 - 0.8
    assert float(LOSSES["power-jaccard"](logits, target)) == pytest.approx(1 - 0.81 / (p + 0.01))


def test_focal_without_focus_would_be_the_cross_entropy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudchamber.train.losses.FOCAL_GAMMA", 0.0)
    monkeypatch.setattr("cloudchamber.train.losses.FOCAL_ALPHA", 0.5)
    p, t, _ = _random(1)
    logits, target = _logit(p), torch.from_numpy(t)
    assert float(LOSSES["focal"](logits, target)) == pytest.approx(0.5 * float(LOSSES["bce"](logits, target)))


@pytest.mark.parametrize("name", LOSSES)
def test_gradients(name: str) -> None:
    p, t, w = _random(5)
    logits = _logit(p).requires_grad_()
    target, weight = torch.from_numpy(t), torch.from_numpy(w)
    assert torch.autograd.gradcheck(lambda x: LOSSES[name](x, target), (logits,))
    assert torch.autograd.gradcheck(lambda x: LOSSES[name](x, target, weight), (logits,))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("extreme", [-1e4, 1e4])
def test_extreme_logits_stay_finite(name: str, dtype: torch.dtype, extreme: float) -> None:
    logits = torch.full((2, 8), extreme, dtype=dtype, requires_grad=True)
    loss = LOSSES[name](logits, torch.tensor([[0, 1] * 4, [0] * 8]))
    loss.backward()
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", LOSSES)
@given(seed=st.integers(0, 2**32 - 1))
def test_bounds(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(scale=5, size=(3, 20)))
    target = torch.from_numpy(rng.random((3, 20)) < rng.random())
    loss = float(LOSSES[name](logits, target))
    assert loss >= -1e-12
    if name in [*OVERLAPS, "mse"]:
        assert loss <= 1


@pytest.mark.parametrize("name", LOSSES)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_perfect_prediction_costs_nothing(name: str, seed: int) -> None:
    target = torch.from_numpy(np.random.default_rng(seed).random((3, 20)) < 0.4)
    target[:, 0] = True
    logits = torch.where(target, SHARP, -SHARP)
    assert float(LOSSES[name](logits, target)) == pytest.approx(0, abs=1e-6)
    assert float(LOSSES[name](-logits, target)) > 0.2


@pytest.mark.parametrize("name", ["mse", *OVERLAPS])
@given(seed=st.integers(0, 2**32 - 1))
def test_prediction_and_truth_can_change_places(name: str, seed: int) -> None:
    p, _, w = _random(seed)
    q, _, _ = _random(seed + 1)
    weight = torch.from_numpy(w)
    there = LOSSES[name](_logit(p), torch.from_numpy(q), weight)
    back = LOSSES[name](_logit(q), torch.from_numpy(p), weight)
    assert float(there) == pytest.approx(float(back), rel=1e-9)


@pytest.mark.parametrize("name", LOSSES)
def test_a_better_prediction_costs_less(name: str) -> None:
    target = (torch.rand(3, 20) < 0.5).float()
    right, wrong = 4 * (target - 0.5), -4 * (target - 0.5)
    assert LOSSES[name](right, target) < LOSSES[name](wrong, target)


@pytest.mark.parametrize("name", LOSSES)
@given(times=st.lists(st.integers(0, 3), min_size=4, max_size=4).filter(any))
def test_a_weight_is_a_number_of_times(name: str, times: list[int]) -> None:
    p, t, _ = _random(8, n=4)
    logits, target, weight = _logit(p), torch.from_numpy(t), torch.tensor(times)
    repeated = LOSSES[name](logits.repeat_interleave(weight, 0), target.repeat_interleave(weight, 0))
    assert float(LOSSES[name](logits, target, weight.float())) == pytest.approx(float(repeated), rel=1e-9)


@pytest.mark.parametrize("name", LOSSES)
def test_order_and_shape_do_not_matter(name: str) -> None:
    p, t, _ = _random(9, n=4, voxels=24)
    logits, target = _logit(p), torch.from_numpy(t)
    loss = LOSSES[name](logits, target)
    shaped = LOSSES[name](logits.view(4, 1, 2, 3, 4).flip(0, 3), target.view(4, 1, 2, 3, 4).flip(0, 3))
    torch.testing.assert_close(shaped, loss)
    assert loss.shape == ()


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_samples_are_averaged(name: str) -> None:
    p, t, _ = _random(10, n=4)
    logits, target = _logit(p), torch.from_numpy(t)
    rows = [LOSSES[name](logits[i : i + 1], target[i : i + 1]) for i in range(4)]
    torch.testing.assert_close(LOSSES[name](logits, target), torch.stack(rows).mean())


@pytest.mark.parametrize("name", sorted(set(LOSSES) - set(PER_SAMPLE)))
def test_a_batch_loss_takes_the_batch_for_one_volume(name: str) -> None:
    p, t, _ = _random(10, n=4)
    logits, target = _logit(p), torch.from_numpy(t)
    torch.testing.assert_close(
        LOSSES[name](logits, target), LOSSES[name](logits.view(1, -1), target.view(1, -1))
    )
