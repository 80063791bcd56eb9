"""Names of particles."""

import pytest

from cloudchamber.show.pdg import particle_name


@pytest.mark.parametrize(
    ("pdg", "name"),
    [
        (13, "mu-"),
        (-13, "mu+"),
        (11, "e-"),
        (-11, "e+"),
        (22, "gamma"),
        (-211, "pi-"),
        (2212, "p"),
        (1000180400, "nucleus Z=18 A=40"),
        (1000020040, "nucleus Z=2 A=4"),
        (99999, "pdg 99999"),
        (-14, "anti-nu_mu"),
    ],
)
def test_names(pdg: int, name: str) -> None:
    assert particle_name(pdg) == name
