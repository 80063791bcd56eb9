"""Beam, halo and cosmic muons come whence and when they should."""

import numpy as np
import pytest
from pydantic import ValidationError

from cloudchamber.labels import Origin
from cloudchamber.simulate.lartpc.constants import ELECTRON, MASS_MEV, MU_MINUS, MU_PLUS, PI_PLUS, PROTON
from cloudchamber.simulate.wires.config import BEAM_SHARES, Beam, Cosmics, Geometry, Halo, WiresConfig
from cloudchamber.simulate.wires.event import readout_rng
from cloudchamber.simulate.wires.geometry import layout_of
from cloudchamber.simulate.wires.primaries import (
    beam_particles,
    cosmic_muons,
    draw_wire_primaries,
    shares_at,
)

CONFIG = WiresConfig()


def test_the_beam_enters_near_the_cathode_and_points_down_and_to_the_apa() -> None:
    found = beam_particles(readout_rng(1, 0), Beam(count=16, spread_mm=0, spread_mrad=0))
    for kind, kinetic, place, direction, tick in found:
        momentum = np.sqrt(kinetic * (kinetic + 2 * MASS_MEV[kind]))
        assert momentum == pytest.approx(7000)
        at_front = place - direction * place[2] / direction[2]
        assert at_front == pytest.approx([-320, 4232, 0], abs=5)
        assert direction[0] < 0 > direction[1]
        assert np.degrees(np.arctan(direction[:2] / direction[2])) == pytest.approx([-11.8, -11.1])
        assert tick == 500


def test_species_are_as_published_and_by_choice() -> None:
    for momentum, shares in BEAM_SHARES.items():
        assert shares_at(momentum) == pytest.approx(shares)
        assert sum(shares.values()) == pytest.approx(1.0, abs=0.011)
    between = shares_at(6.5)["pi"]
    assert min(BEAM_SHARES[6.0]["pi"], BEAM_SHARES[7.0]["pi"]) <= between <= BEAM_SHARES[7.0]["pi"]
    rng = readout_rng(2, 0)
    kinds = [beam_particles(rng, Beam())[0][0] for _ in range(3000)]
    assert np.mean(np.array(kinds) == PI_PLUS) == pytest.approx(shares_at(7.0)["pi"], abs=0.03)
    only = Beam(shares={"e": 1.0}, positive=0.0, momentum_gev=(0.5, 1.0))
    drawn = [beam_particles(rng, only)[0] for _ in range(50)]
    assert {each[0] for each in drawn} == {ELECTRON}
    assert all(499 < each[1] < 1000 for each in drawn)
    assert beam_particles(rng, Beam(shares={"p": 1.0}, positive=0.0))[0][0] == PROTON


def test_cosmic_muons_cover_time_and_faces() -> None:
    config = CONFIG.model_copy(update={"cosmics": Cosmics(count=(4000, 4000))})
    found = cosmic_muons(readout_rng(3, 0), config)
    kind, kinetic, place, direction, tick = (np.array(column) for column in zip(*found, strict=True))
    assert set(kind) == {MU_MINUS, MU_PLUS}
    assert (direction[:, 1] < 0).all()
    size = np.array([2 * 3594.0, 6070.0, 3 * 480 * 4.79])
    inside = place + np.array([3594.0, 0, 0])
    off = np.minimum(np.abs(inside), np.abs(inside - size)).min(axis=1)
    assert off.max() < 1e-6
    top = np.abs(place[:, 1] - 6070) < 1e-6
    assert 0.4 < top.mean() < 0.8  # the others through the sides
    assert tick.min() == pytest.approx(-3594 / 0.8, abs=20)
    assert tick.max() == pytest.approx(6000, abs=20)
    assert tick.std() == pytest.approx((6000 + 3594 / 0.8) / np.sqrt(12), rel=0.03)
    momentum = np.sqrt(kinetic * (kinetic + 2 * MASS_MEV[MU_MINUS]))
    assert momentum.min() >= 200
    assert 3000 < momentum.mean() < 10000
    assert momentum.max() > 1e5


def test_only_what_meets_the_box_is_followed_and_it_starts_there() -> None:
    layout = layout_of(CONFIG)
    size = np.array(layout.size_mm)
    seen = []
    for index in range(12):
        drawn = draw_wire_primaries(readout_rng(4, index), CONFIG, layout)
        origin, start = drawn.origin, drawn.particles.position_mm
        assert (origin == Origin.BEAM).sum() == 1
        assert start[origin == Origin.BEAM][0, 2] == pytest.approx(-50)
        others = start[origin != Origin.BEAM]
        assert ((others > -1e-6) & (others < size + 1e-6)).all()
        seen.append((origin == Origin.COSMIC).sum())
    assert 30 < np.mean(seen) < 60  # of 60 to 70, those that cross this half
    whole = CONFIG.model_copy(update={"readout": "all"})
    drawn = draw_wire_primaries(readout_rng(4, 0), whole, layout_of(whole))
    assert 60 <= (drawn.origin == Origin.COSMIC).sum() <= 70


def test_nothing_can_come() -> None:
    none = {"beam": Beam(count=0), "halo": Halo(count=(0, 0)), "cosmics": Cosmics(count=(0, 0))}
    drawn = draw_wire_primaries(readout_rng(1, 0), CONFIG.model_copy(update=none), layout_of(CONFIG))
    assert len(drawn.origin) == 0
    assert drawn.particles.position_mm.shape == (0, 3)


def test_layouts() -> None:
    layout = layout_of(CONFIG)
    assert layout.wires == 1440
    assert layout.size_mm == pytest.approx((3594, 6070, 1440 * 4.79))
    whole = layout_of(CONFIG.model_copy(update={"readout": "all"}))
    assert whole.wires == 5760
    assert [face.first_wire for face in whole.faces] == [480 * k for k in range(12)]
    assert whole.origin_mm[0] == pytest.approx(-3594 - 50, abs=1)
    cells = sorted((face.low, face.high) for face in whole.faces[::3])
    assert cells[0][0] == 0
    assert cells[-1][1] == whole.box.cells[0]
    ends = [face.low if face.towards_low else face.high for face in whole.faces]
    assert len(set(ends)) == 2  # both faces of an APA at one place


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Beam(momentum_gev=(3.0, 1.0)),
        lambda: Beam(shares={"pi": 0.0}),
        lambda: Cosmics(count=(5, 2)),
        lambda: Halo(momentum_gev=(0.0, 1.0)),
        lambda: WiresConfig(rebin=7),
        lambda: Geometry(apas=0),
    ],
)
def test_what_cannot_be_is_refused(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ValidationError):
        wrong()
