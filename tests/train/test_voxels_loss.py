import pytest
import torch
from torch.nn import functional as F

from cloudchamber.train.voxels_loss import event_weights, mean_log_weights, voxel_cross_entropy

EVENT = torch.tensor([0, 0, 0, 0, 2, 2])
LABEL = torch.tensor([1, 1, 1, 4, 2, 2])


def test_each_event_counts_once_whatever_its_size() -> None:
    logits = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    each = F.cross_entropy(logits, LABEL, reduction="none")
    wanted = (each[:4].mean() + each[4:].mean()) / 3  # event 1 is empty
    torch.testing.assert_close(voxel_cross_entropy(logits, LABEL, EVENT, 3), wanted)


def test_weights_make_the_classes_of_an_event_equal() -> None:
    weights = event_weights(EVENT, LABEL, 3, 5)
    torch.testing.assert_close(weights, torch.tensor([2 / 3, 2 / 3, 2 / 3, 2.0, 1.0, 1.0]))
    logits = torch.randn(6, 5, generator=torch.Generator().manual_seed(2))
    first, second = EVENT == 0, EVENT == 2
    wanted = sum(
        F.cross_entropy(logits[part], LABEL[part], reduction="none") @ weights[part] / part.sum()
        for part in (first, second)
    )
    found = voxel_cross_entropy(logits, LABEL, EVENT, 3, class_weights=1.0)
    torch.testing.assert_close(found, torch.as_tensor(wanted) / 3)


def test_a_power_lies_between_no_weights_and_those_published() -> None:
    weights = event_weights(EVENT, LABEL, 3, 5, 0.5)
    torch.testing.assert_close(weights**2, event_weights(EVENT, LABEL, 3, 5))
    torch.testing.assert_close(event_weights(EVENT, LABEL, 3, 5, 0.0), torch.ones(6))


def test_mean_log_weights_turn_a_weighted_optimum_into_the_unweighted_one() -> None:
    found = mean_log_weights(EVENT, LABEL, 3, 5, 1.0)
    torch.testing.assert_close(found.exp(), torch.tensor([1, 2 / 3, 1, 1, 2.0], dtype=torch.float64))
    # All voxels look alike: the best logits give shares of the classes, weighted or not.
    one_event, label = torch.zeros(10, dtype=torch.int64), torch.tensor([0] * 7 + [1] * 3)
    logits = torch.zeros(1, 5, requires_grad=True)
    optimiser = torch.optim.LBFGS([logits], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = voxel_cross_entropy(logits.expand(10, 5), label, one_event, 1, class_weights=1.0)
        value.backward()
        return value

    optimiser.step(loss)
    corrected = logits.detach() - mean_log_weights(one_event, label, 1, 5, 1.0)
    share = torch.softmax(corrected[:, :2], dim=1)
    torch.testing.assert_close(share, torch.tensor([[0.7, 0.3]], dtype=torch.float64), atol=1e-3, rtol=0)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_no_events_are_no_loss(power: float) -> None:
    none = torch.zeros(0, dtype=torch.int64)
    assert float(voxel_cross_entropy(torch.zeros(0, 5), none, none, 0, class_weights=power)) == 0
