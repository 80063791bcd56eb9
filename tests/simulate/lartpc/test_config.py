"""Configurations: what they accept, and that settings differ in size alone."""

import pytest
from pydantic import ValidationError

from cloudchamber.labels import VoxelLabel
from cloudchamber.simulate.lartpc.config import (
    KINDS,
    PRIORITIES,
    SETTINGS,
    CrossingMuons,
    Vertex,
    VoxelsConfig,
)
from cloudchamber.simulate.lartpc.constants import MASS_MEV, PDG


def test_settings_differ_in_their_size() -> None:
    configs = {name: make() for name, make in SETTINGS.items()}
    assert {name: config.side_px for name, config in configs.items()} == {
        "bomb-512": 512, "bomb-192": 192, "bomb-768": 768,
    }  # fmt: skip
    same = {"side_px": 512, "setting": "bomb-512"}
    assert all(config.model_copy(update=same) == VoxelsConfig() for config in configs.values())
    assert VoxelsConfig.model_validate_json(VoxelsConfig().model_dump_json()) == VoxelsConfig()


def test_kinds_are_in_the_order_of_the_tables() -> None:
    assert dict(zip(KINDS, PDG.tolist()[: len(KINDS)], strict=True)) == {
        "gamma": 22, "e-": 11, "e+": -11, "mu-": 13, "mu+": -13, "pi-": -211, "pi+": 211, "p": 2212,
    }  # fmt: skip
    assert MASS_MEV[KINDS.index("p")] == pytest.approx(938.27, abs=0.01)


def test_priorities_name_every_class() -> None:
    assert all(sorted(order) == sorted(VoxelLabel) for order in PRIORITIES.values())


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        ({"side_px": 16}, "side_px"),
        ({"priority": (VoxelLabel.HIP, VoxelLabel.MIP)}, "priority"),
        ({"relabel": True}, "relabel"),
        ({"threshold_mev": -1.0}, "threshold_mev"),
    ],
)
def test_nonsense_is_refused(bad: dict[str, object], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        VoxelsConfig.model_validate(bad)


def test_nonsense_about_particles_is_refused() -> None:
    with pytest.raises(ValidationError, match="particles"):
        Vertex(particles=(3, 2))
    with pytest.raises(ValidationError, match="weights"):
        Vertex(weights={"p": 0.0})
    with pytest.raises(ValidationError, match="kinetic_mev lacks mu-"):
        Vertex(weights={"mu-": 1.0}, kinetic_mev={"p": (1, 2)})
    with pytest.raises(ValidationError, match="the least, positive"):
        Vertex(kinetic_mev=dict.fromkeys(KINDS, (5.0, 2.0)))
    with pytest.raises(ValidationError, match="count"):
        CrossingMuons(count=(2, 1))
    with pytest.raises(ValidationError, match="most_mev"):
        CrossingMuons(least_mev=3000.0)
    with pytest.raises(ValidationError, match="needs a particle"):
        VoxelsConfig(vertex=Vertex(particles=(0, 3)), muons=CrossingMuons(count=(0, 2)))
