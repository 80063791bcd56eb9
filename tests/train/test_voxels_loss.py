import pytest
import torch
from torch.nn import functional as F

from cloudchamber.train.voxels_loss import event_weights, voxel_cross_entropy

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


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_no_events_are_no_loss(power: float) -> None:
    none = torch.zeros(0, dtype=torch.int64)
    assert float(voxel_cross_entropy(torch.zeros(0, 5), none, none, 0, class_weights=power)) == 0
