"""Names of processes and classes of particles."""

import numpy as np
import pytest

from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.source.larcv_names import label_of, mass_mev, process_name, process_of


@pytest.mark.parametrize(
    ("name", "parent", "process"),
    [
        ("primary", 0, Process.PRIMARY), ("muIoni", 13, Process.IONISATION),
        ("hIoni", 211, Process.IONISATION), ("eIoni", 11, Process.MOLLER),
        ("conv", 22, Process.CONVERSION), ("compt", 22, Process.COMPTON),
        ("phot", 22, Process.PHOTOELECTRIC), ("eBrem", 11, Process.BREMSSTRAHLUNG),
        ("annihil", -11, Process.ANNIHILATION), ("Decay", 13, Process.DECAY),
        ("muMinusCaptureAtRest", 13, Process.MUON_CAPTURE), ("muPairProd", 13, Process.CONVERSION),
        ("nCapture", 2112, Process.NEUTRON_CAPTURE), ("neutronInelastic", 2112, Process.HADRONIC),
        ("pi+Inelastic", 211, Process.HADRONIC), ("hBertiniCaptureAtRest", -211, Process.HADRONIC),
        ("photonNuclear", 22, Process.HADRONIC), ("hadElastic", 2212, Process.HADRONIC),
        ("2::2", 13, Process.IONISATION), ("2::2", -11, Process.MOLLER), ("6::201", 13, Process.DECAY),
        ("4::121", 2112, Process.HADRONIC), ("9::999", 0, Process.UNKNOWN), ("", 0, Process.UNKNOWN),
        ("Transportation", 0, Process.UNKNOWN),
    ],
)  # fmt: skip
def test_names_of_processes(name: str, parent: int, process: Process) -> None:
    assert process_of(name, parent) == process


@pytest.mark.parametrize("process", Process)
@pytest.mark.parametrize("parent", [0, 11, 13, 211])
def test_written_names_are_read(process: Process, parent: int) -> None:
    assert process_of(process_name(process, parent), parent) == process


@pytest.mark.parametrize(
    ("pdg", "process", "label"),
    [
        (2212, Process.HADRONIC, VoxelLabel.HIP), (13, Process.PRIMARY, VoxelLabel.MIP),
        (-211, Process.DECAY, VoxelLabel.MIP), (22, Process.PRIMARY, VoxelLabel.SHOWER),
        (11, Process.PRIMARY, VoxelLabel.SHOWER), (-11, Process.CONVERSION, VoxelLabel.SHOWER),
        (11, Process.COMPTON, VoxelLabel.SHOWER), (11, Process.NEUTRON_CAPTURE, VoxelLabel.SHOWER),
        (11, Process.IONISATION, VoxelLabel.DELTA), (11, Process.MUON_CAPTURE, VoxelLabel.MICHEL),
        (-11, Process.DECAY, VoxelLabel.MICHEL),
    ],
)  # fmt: skip
def test_labels_of_particles(pdg: int, process: Process, label: VoxelLabel) -> None:
    assert label_of(pdg, process) == label


def test_masses() -> None:
    """Values of the Review of Particle Physics (2024)."""
    assert mass_mev(2212) == pytest.approx(938.27209, abs=1e-4)
    assert mass_mev(-13) == pytest.approx(105.65838, abs=1e-4)
    assert mass_mev(22) == 0.0
    assert np.isnan(mass_mev(0))
