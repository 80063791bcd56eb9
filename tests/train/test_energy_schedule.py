"""The paper's schedule: its corners, its steps, and that a checkpoint holds all of it."""

import json

import pytest
import torch

from cloudchamber.train.energy_recipe import EnergyTraining, load_energy_recipe
from cloudchamber.train.energy_schedule import CycleThenSteps


def made(steps_per_epoch: int = 10, **training: object) -> tuple[torch.optim.Adam, CycleThenSteps]:
    options = EnergyTraining.model_validate(training)
    optimiser = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=options.schedule.start)
    return optimiser, CycleThenSteps(optimiser, options, steps_per_epoch)


def advance(optimiser: torch.optim.Adam, schedule: CycleThenSteps, steps: int) -> None:
    for _ in range(steps):
        optimiser.step()
        schedule.step()


def now(optimiser: torch.optim.Adam) -> tuple[float, float]:
    group = optimiser.param_groups[0]
    return group["lr"], group["betas"][0]


def test_the_published_corners() -> None:
    """5e-5 -> 5e-3 in 2 epochs -> 5e-4 in 18, beta1 0.95 -> 0.85 -> 0.95, then as it is."""
    optimiser, schedule = made()
    assert now(optimiser) == pytest.approx((5e-5, 0.95))
    advance(optimiser, schedule, 10)
    assert now(optimiser) == pytest.approx(((5e-5 + 5e-3) / 2, 0.9))
    advance(optimiser, schedule, 10)
    assert now(optimiser) == pytest.approx((5e-3, 0.85))
    advance(optimiser, schedule, 90)
    assert now(optimiser) == pytest.approx(((5e-3 + 5e-4) / 2, 0.9))
    advance(optimiser, schedule, 90)
    assert now(optimiser) == pytest.approx((5e-4, 0.95))
    advance(optimiser, schedule, 40)
    assert now(optimiser) == pytest.approx((5e-4, 0.95))


def test_steps_come_after_the_cycle_alone_and_need_patience() -> None:
    optimiser, schedule = made()
    advance(optimiser, schedule, 200)
    assert [schedule.epoch_over(epochs, False) for epochs in range(1, 21)] == [False] * 20
    told = [False, True, False, False, False, False]
    assert [schedule.epoch_over(21 + k, told[k]) for k in range(6)] == [
        False,
        False,
        False,
        True,
        False,
        True,
    ]
    assert schedule.halvings == 2
    assert now(optimiser)[0] == pytest.approx(5e-4 / 4)
    advance(optimiser, schedule, 5)
    assert now(optimiser)[0] == pytest.approx(5e-4 / 4)


def test_without_steps_the_cycle_takes_all_epochs() -> None:
    optimiser, schedule = made(epochs=4, steps=None)
    advance(optimiser, schedule, 40)
    assert now(optimiser) == pytest.approx((5e-4, 0.95))
    assert not any(schedule.epoch_over(epochs, False) for epochs in range(1, 20))


def test_its_state_goes_through_json() -> None:
    optimiser, schedule = made()
    advance(optimiser, schedule, 230)
    schedule.epoch_over(22, False)
    schedule.epoch_over(23, False)
    state = {key: value for key, value in schedule.state_dict().items() if not callable(value)}
    other, resumed = made()
    other.load_state_dict(optimiser.state_dict())
    resumed.load_state_dict(json.loads(json.dumps(state)))
    for pair in ((optimiser, schedule), (other, resumed)):
        advance(*pair, 3)
    assert now(optimiser) == now(other)
    assert (resumed.halvings, resumed.waited) == (1, 0)


def test_budgets_shorten_the_cycle() -> None:
    whole = load_energy_recipe("energy/paper").training
    assert whole.cycle_epochs == 20
    quick = load_energy_recipe("energy/paper", "quick").training
    assert quick.cycle_epochs == quick.epochs == 2
    assert quick.schedule == whole.schedule
    short = load_energy_recipe("energy/paper", "two-cores").training
    assert short.schedule == whole.schedule.model_copy(update={"final": 1e-5})  # no smaller steps follow
