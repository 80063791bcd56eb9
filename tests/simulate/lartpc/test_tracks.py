"""Followed particles: Landau, Highland, Bragg, rates, ranges, showers, and where the energy goes."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.stats import gamma as gamma_distribution

from cloudchamber.labels import Process
from cloudchamber.simulate.lartpc.config import VoxelsConfig
from cloudchamber.simulate.lartpc.constants import (
    ELECTRON,
    ELECTRON_MEV,
    EXCITATION_MEV,
    GAMMA,
    GRAMS_PER_MM,
    HALF_K_MEV_MM,
    INTERACTION_MM,
    MU_MINUS,
    MU_PLUS,
    MUON_MEV,
    POSITRON,
    PROTON,
    PROTON_MEV,
    X0_MM,
)
from cloudchamber.simulate.lartpc.ionisation import density_effect, soft_loss
from cloudchamber.simulate.lartpc.record import Record

Shot = Callable[..., Record]
SLAB = VoxelsConfig(side_px=100, margin_mm=0)


def layers(record: Record, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the layer in z and the energy of every deposit."""
    used = slice(0, int(record.counts[2]))
    return record.key[used] // side**2, record.energy[used]


def test_most_probable_loss_is_that_of_landau(shoot: Shot) -> None:
    """PDG 2024, eq. 34.12: xi [ln(2 m beta^2 gamma^2 / I) + ln(xi / I) + 0.200 - beta^2 - delta], in 3 mm."""
    kinetic = 1000.0
    losses = []
    for seed in range(60):
        record = shoot(MU_MINUS, kinetic, 1, VoxelsConfig(side_px=200, margin_mm=0), (300, 300, 0.0), seed)
        layer, energy = layers(record, 200)
        losses.append(np.bincount(layer, weights=energy, minlength=200)[:100])
    loss = np.concatenate(losses)
    gamma = 1 + (kinetic - 60) / MUON_MEV
    bg2 = gamma**2 - 1
    beta2 = bg2 / gamma**2
    xi = 3 * HALF_K_MEV_MM / beta2
    expected = xi * (
        np.log(2 * ELECTRON_MEV * bg2 / EXCITATION_MEV)
        + np.log(xi / EXCITATION_MEV)
        + 0.2
        - beta2
        - float(density_effect(bg2))
    )
    # The top of a parabola through the logarithm of the density around its highest point.
    counts, edges = np.histogram(loss, bins=np.linspace(0.6 * expected, 1.6 * expected, 41))
    middle = 0.5 * (edges[1:] + edges[:-1])
    near = counts > 0.6 * counts.max()
    square, line, _ = np.polyfit(middle[near], np.log(counts[near]), 2)
    assert -line / (2 * square) == pytest.approx(expected, rel=0.03)
    # And 4.018 xi is its full width at half maximum.
    half = middle[counts > 0.5 * counts.max()]
    assert half[-1] - half[0] == pytest.approx(4.018 * xi, abs=2.5 * (middle[1] - middle[0]))


def test_mean_loss_is_that_of_bethe(shoot: Shot) -> None:
    """All that muons of 300 MeV leave in 200 mm, delta electrons and their photons included."""
    count = 300
    record = shoot(MU_PLUS, 300.0, count, VoxelsConfig(side_px=400), (600, 600, 300.0))
    ended = record.kinetics[:count]
    assert (ended[:, 9] - 300 > 200).all()
    layer, energy = layers(record, 400)
    within = (layer >= 100) & (layer < 100 + 66)
    steps = np.linspace(0, 198, 100)
    kinetic, expected = 300.0, 0.0
    for step in np.diff(steps):
        loss = float(soft_loss(kinetic, MUON_MEV, 1e9)) * step
        expected, kinetic = expected + loss, kinetic - loss
    # Muons scatter, so the path is a little longer than the depth, and delta electrons carry some out.
    assert energy[within].sum() / count == pytest.approx(expected, rel=0.015)


def test_scattering_is_that_of_highland(shoot: Shot) -> None:
    """Displacement theta0 L / sqrt(3) after L = 300 mm, with the logarithm at one radiation length."""
    count, length = 2000, 300.0
    record = shoot(MU_MINUS, 1000.0, count, SLAB, (150, 150, 0.0))
    away = record.kinetics[:count, 7:9] - 150
    kinetic = 1000.0 - 0.5 * 0.21 * length / 1.5  # the early part of the path has the longer lever
    p_beta = kinetic * (kinetic + 2 * MUON_MEV) / (kinetic + MUON_MEV)
    theta0 = 13.6 / p_beta * np.sqrt(length / X0_MM)
    rms = np.sqrt((away**2).mean())
    assert rms == pytest.approx(theta0 * length / np.sqrt(3), rel=4 / np.sqrt(4 * count))


@pytest.mark.parametrize(("kind", "mass"), [(MU_PLUS, MUON_MEV), (PROTON, PROTON_MEV)])
def test_tracks_end_at_their_range(shoot: Shot, kind: int, mass: float) -> None:
    """Muons of 200 MeV: 106.3 g/cm2; protons of 100 MeV, those that do not interact: 10.92 g/cm2."""
    kinetic, published = (200.0, 106.3) if kind == MU_PLUS else (100.0, 10.92)
    record = shoot(kind, kinetic, 200)
    ended = record.kinetics[:200]
    way = np.linalg.norm(ended[:, 7:10] - ended[:, 4:7], axis=1) * GRAMS_PER_MM
    if kind == PROTON:
        rows = record.rows[: record.counts[1]]
        way = np.delete(way, np.unique(rows[rows[:, 2] == Process.HADRONIC, 1]))
    # Straight lines are 0.5 to 1% shorter than paths; straggling is 1 to 3% of a track.
    assert np.median(way) == pytest.approx(0.993 * published, rel=0.012)
    assert 0.005 < way.std() / way.mean() < 0.05


def test_loss_rises_to_the_end_as_bragg_found(shoot: Shot) -> None:
    """10 MeV between the published ranges of 20 and 10 MeV, against 2 MeV/cm far from the end."""
    count, side = 200, 600
    record = shoot(MU_PLUS, 200.0, count, VoxelsConfig(side_px=side), (900, 900, 300.0))
    used = slice(0, int(record.counts[2]))
    own = record.owner[used] < count
    z = (record.key[used] // side**2 + 0.5) * 3
    residual = record.kinetics[record.owner[used], 9] - z
    energy = record.energy[used]

    def between(low: float, high: float) -> float:
        return float(energy[own & (residual > low) & (residual < high)].sum() / count)

    assert between(300, 500) / 20 == pytest.approx(2.05, rel=0.06)  # MeV/cm, less what delta electrons carry
    assert between(0.9833 / GRAMS_PER_MM, 3.321 / GRAMS_PER_MM) == pytest.approx(10.0, rel=0.06)


def test_protons_interact_after_the_interaction_length(shoot: Shot) -> None:
    """Survival over 500 mm of protons that lose little: exp(-500 / 840)."""
    count = 800
    record = shoot(PROTON, 2000.0, count, VoxelsConfig(side_px=400, margin_mm=0), (600, 600, 0.0))
    rows = record.rows[: record.counts[1]]
    ended = record.kinetics[:count, 9] < 500
    survived = 1 - ended.mean()
    assert survived == pytest.approx(np.exp(-500 / INTERACTION_MM), abs=4 * np.sqrt(0.25 / count))
    parents = np.unique(rows[rows[:, 2] == Process.HADRONIC, 1])
    assert ended[parents[parents < count]].mean() > 0.5  # interactions past 500 mm have products, too


@pytest.mark.parametrize(
    ("kind", "kinetic_mev"), [(ELECTRON, 30), (ELECTRON, 300), (GAMMA, 300), (POSITRON, 50)]
)
def test_contained_showers_keep_their_energy(shoot: Shot, kind: int, kinetic_mev: float) -> None:
    """A positron's rest mass, and that of the electron that it finds, come on top."""
    count = 20
    record = shoot(kind, float(kinetic_mev), count)
    extra = 2 * ELECTRON_MEV if kind == POSITRON else 0.0
    deposited = record.energy[: record.counts[2]].sum()
    assert deposited == pytest.approx(count * (kinetic_mev + extra), rel=1e-9)


def test_shower_has_the_length_and_width_of_argon(shoot: Shot) -> None:
    """A gamma distribution along the axis, maximum at ln(E/Ec) - 0.5 (PDG 2024, eq. 34.36); 93 mm across."""
    count, side = 60, 4000
    record = shoot(ELECTRON, 1000.0, count)
    used = slice(0, int(record.counts[2]))
    z, energy = (record.key[used] // side**2 + 0.5) * 3 - 6000, record.energy[used]
    depth, width = z / X0_MM, 0.5
    profile, edges = np.histogram(depth, bins=np.arange(0, 16, width), weights=energy / energy.sum())
    middle = 0.5 * (edges[1:] + edges[:-1])

    def shape(t: np.ndarray, a: float, b: float) -> np.ndarray:
        return np.asarray(width * gamma_distribution.pdf(t, a, scale=1 / b))

    (a, b), _ = curve_fit(shape, middle, profile, p0=(3.0, 0.5))
    assert (a - 1) / b == pytest.approx(np.log(1000 / 32.8) - 0.5, abs=0.5)
    assert b == pytest.approx(0.55, abs=0.1)
    assert profile[middle < 14].sum() > 0.95
    x = (record.key[used] % side + 0.5) * 3 - 6000
    y = (record.key[used] // side % side + 0.5) * 3 - 6000
    moliere = np.hypot(x, y) < 93
    assert energy[moliere].sum() / energy.sum() == pytest.approx(0.88, abs=0.05)


def test_delta_electrons_have_the_rutherford_spectrum(shoot: Shot) -> None:
    """Numbers per mm above 1 and 3 MeV against the integral of (1 - beta^2 T/T_max) / T^2."""
    count, length = 200, 300.0
    record = shoot(MU_MINUS, 2000.0, count, SLAB, (150, 150, 0.0))
    rows = record.rows[: record.counts[1]]
    deltas = rows[:, 2] == Process.IONISATION
    energy = record.kinetics[: len(rows), 0][deltas]
    kinetic = 1970.0
    gamma = 1 + kinetic / MUON_MEV
    beta2 = 1 - 1 / gamma**2
    ratio = ELECTRON_MEV / MUON_MEV
    top = 2 * ELECTRON_MEV * (gamma**2 - 1) / (1 + 2 * gamma * ratio + ratio**2)
    for cut in (1.0, 3.0):
        per_mm = HALF_K_MEV_MM / beta2 * (1 / cut - 1 / top - beta2 / top * np.log(top / cut))
        expected = per_mm * length * count
        assert (energy > cut).sum() == pytest.approx(expected, abs=4 * np.sqrt(expected))
