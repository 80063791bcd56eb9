"""Whole readouts: the same every time, consistent, and the truth lies on the signal."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
import pytest
from numpy.random import default_rng

from cloudchamber.labels import Activity, BeamLabel, Origin, Process, VertexFlag
from cloudchamber.simulate.lartpc.constants import ELECTRON, GAMMA, K_PLUS, MU_PLUS, PI_PLUS
from cloudchamber.simulate.wires import event as module
from cloudchamber.simulate.wires.config import WiresConfig
from cloudchamber.simulate.wires.event import simulate_particles, simulate_wires, simulate_wires_events
from cloudchamber.simulate.wires.noise import pixel_noise
from cloudchamber.wire_events import WireEvents
from tests.simulate.wires.conftest import Aim


@pytest.fixture(scope="module")
def events(small: WiresConfig) -> WireEvents:
    return simulate_wires_events(3, range(6), small)


def same(one: WireEvents, other: WireEvents) -> bool:
    names = [field.name for field in fields(WireEvents) if field.name != "readout"]
    pairs = [(np.asarray(getattr(one, name)), np.asarray(getattr(other, name))) for name in names]
    return all(a.tobytes() == b.tobytes() for a, b in pairs)


def test_a_readout_is_a_function_of_seed_index_and_configuration(
    events: WireEvents, small: WiresConfig
) -> None:
    with ThreadPoolExecutor(2) as pool:
        again = list(pool.map(lambda index: simulate_wires(3, index, small), (4, 0)))
    assert same(again[0], events.chosen(4, 5))
    assert same(again[1], events.chosen(0, 1))
    assert not same(again[0], simulate_wires(4, 4, small))


def test_room_for_deposits_changes_nothing(
    events: WireEvents, small: WiresConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CAPACITY", 512)
    assert same(simulate_wires(3, 2, small), events.chosen(2, 3))


def test_readouts_are_consistent(events: WireEvents, small: WiresConfig) -> None:
    assert events.code.shape == (6, 96, 250)
    assert events.code.dtype == np.uint8
    for event in events:
        beam, activity, michel = event.beam, event.activity, event.michel
        particle, rows, hits = event.particle, event.particles, event.hits
        assert beam is not None
        assert activity is not None
        assert michel is not None
        assert particle is not None
        assert rows is not None
        assert hits is not None
        assert np.array_equal(np.bincount(particle[particle >= 0], minlength=len(rows)), rows["voxels"])
        assert (particle[(activity > 0)] >= 0).all()
        assert (particle[(activity == 0) & (beam == 0)] == -1).all()
        active = activity > 0
        assert np.array_equal(rows["label"][particle[active]], activity[active])
        assert (np.isin(np.abs(rows["pdg"]), [11, 22]) == (rows["label"] == Activity.EM)).all()
        assert (activity[michel > 0] == Activity.EM).all()
        both = (beam > 0) & (particle >= 0)
        origin = rows["origin"][particle[both]]
        assert ((origin == Origin.BEAM) == (beam[both] == BeamLabel.BEAM)).mean() > 0.97
        assert (rows["parent"] < np.arange(len(rows))).all()
        assert np.array_equal(rows["parent"] == -1, rows["process"] == Process.PRIMARY)
        child = rows["parent"] >= 0
        assert np.array_equal(rows["origin"][child], rows["origin"][rows["parent"][child]])
        assert (np.diff(hits["wire"]) >= 0).all()
        assert ((hits["peak_tick"] >= 0) & (hits["peak_tick"] < 1500)).all()


def test_the_truth_lies_on_the_signal(events: WireEvents, small: WiresConfig) -> None:
    """Pixels without a label hold noise; nearly all of a clear signal has one, and hits are on tracks."""
    assert events.beam is not None
    assert events.hits is not None
    assert events.hit_offsets is not None
    signal, noise = events.signal(), pixel_noise(small)
    dark = signal[events.beam == BeamLabel.BACKGROUND]
    assert dark.std() == pytest.approx(noise, rel=0.15)
    assert abs(dark.mean()) < 0.5
    assert (events.beam[signal > 6 * noise] > 0).mean() > 0.995
    owner = np.repeat(np.arange(len(events)), np.diff(events.hit_offsets))
    pixel = np.floor((events.hits["peak_tick"] + 0.5) / 6).astype(int)
    assert (events.beam[owner, events.hits["wire"], pixel] > 0).mean() > 0.97


def test_a_muon_is_where_it_flies(aim: Aim, quiet: WiresConfig) -> None:
    """Along z at 400 mm from the wires, come at tick 200: all charge near tick 700, one hit a wire."""
    event = simulate_particles(default_rng(1), aim(MU_PLUS, 3000.0, [(400.0, 500.0, -10.0)]), quiet)
    assert event.beam is not None
    assert event.hits is not None
    beam = event.beam[0] == BeamLabel.BEAM
    assert beam.any(axis=1).mean() > 0.98
    assert not (event.beam == BeamLabel.NOT_BEAM).any()
    main = event.hits[np.argsort(event.hits["sum"])[-90:]]
    assert np.median(main["peak_tick"]) == pytest.approx(700, abs=1)
    wires = np.unique(event.hits["wire"][np.abs(event.hits["peak_tick"] - 700) < 10])
    assert len(wires) >= 95
    assert np.median(main["sum"]) == pytest.approx(26.7e3 / 24.2, rel=0.1)  # most probable, not the mean
    halo = simulate_particles(
        default_rng(1), aim(MU_PLUS, 3000.0, [(400.0, 500.0, -10.0)], origin=Origin.HALO), quiet
    )
    assert halo.beam is not None
    assert np.array_equal(halo.beam[0] == BeamLabel.NOT_BEAM, beam)
    assert np.array_equal(halo.code, event.code)


def test_particles_add_up(aim: Aim, quiet: WiresConfig) -> None:
    """What is followed first, the last, is the same with and without what comes after."""
    starts = [(200.0, 500.0, -10.0), (600.0, 500.0, -10.0)]
    whole = simulate_particles(default_rng(1), aim(MU_PLUS, 3000.0, starts), quiet)
    last = simulate_particles(default_rng(1), aim(MU_PLUS, 3000.0, starts[1:]), quiet)
    far = slice((200 + 500) // 6, None)  # of the particle followed first, the last
    assert (whole.code != last.code)[:, :, far].mean() < 3e-3  # photons of the other one may come by
    assert (last.code[:, :, far] > 60).mean() > 0.005


def test_stopping_muons_have_michel_electrons_at_a_decay(aim: Aim, quiet: WiresConfig) -> None:
    starts = [(x, 500.0, 20.0) for x in (100.0, 250.0, 400.0, 550.0, 700.0)]
    event = simulate_particles(default_rng(2), aim(MU_PLUS, 60.0, starts), quiet)
    assert event.michel is not None
    assert event.vertex is not None
    assert event.particles is not None
    decays = np.argwhere(event.vertex[0] & VertexFlag.DECAY)
    assert len(decays) == 5
    michel = np.argwhere(event.michel[0])
    assert len(michel) > 20
    nearest = np.abs(michel[:, None] - decays).max(axis=2).min(axis=0)
    assert np.median(nearest) <= 3
    ends = np.argwhere(event.vertex[0] & VertexFlag.ELECTRON_END)
    assert len(ends) >= 3
    assert not (event.vertex & VertexFlag.HADRONIC).any()


def test_pions_interact_and_photons_convert(aim: Aim, quiet: WiresConfig) -> None:
    starts = [(40.0 * k + 20, 500.0, -10.0) for k in range(19)]
    pions = simulate_particles(default_rng(3), aim(PI_PLUS, 1500.0, starts), quiet)
    assert pions.vertex is not None
    hadronic = pions.vertex & VertexFlag.HADRONIC > 0
    assert 3 <= hadronic.sum() <= 40  # 46 cm of argon, 84 cm to an interaction
    kinds = pions.vertex & (VertexFlag.ELASTIC | VertexFlag.INELASTIC)
    assert (kinds[hadronic] > 0).all()
    assert (kinds[~hadronic] == 0).all()
    photons = simulate_particles(default_rng(4), aim(GAMMA, 500.0, starts), quiet)
    assert photons.vertex is not None
    assert 10 <= (photons.vertex & VertexFlag.CONVERSION > 0).sum() <= 19
    electrons = simulate_particles(default_rng(4), aim(ELECTRON, 500.0, starts), quiet)
    assert electrons.vertex is not None
    assert electrons.activity is not None
    assert not (electrons.vertex & VertexFlag.CONVERSION).any()  # photons of the shower are not counted
    assert not (electrons.activity == Activity.TRACK).any()


def test_kaons_end_in_muons_or_pions(aim: Aim, quiet: WiresConfig) -> None:
    starts = [(40.0 * k + 20, 500.0, 20.0) for k in range(19)]
    event = simulate_particles(default_rng(5), aim(K_PLUS, 60.0, starts), quiet)
    assert event.particles is not None
    muons = event.particles[(event.particles["pdg"] == -13) & (event.particles["process"] == Process.DECAY)]
    muons = muons[muons["kinetic_mev"] > 5]  # not of pions at rest
    assert 6 <= len(muons) <= 18
    assert muons["kinetic_mev"] == pytest.approx(np.full(len(muons), 152.5), abs=0.3)
    pions = event.particles[(event.particles["pdg"] == 211) & (event.particles["process"] == Process.DECAY)]
    assert pions["kinetic_mev"] == pytest.approx(np.full(len(pions), 108.6), abs=0.3)


def test_gain_and_noise_change_signals_but_not_the_truth(small: WiresConfig) -> None:
    plain = simulate_wires(7, 0, small)
    louder = simulate_wires(
        7, 0, small.model_copy(update={"noise": small.noise.model_copy(update={"scale": 2.0})})
    )
    assert np.array_equal(np.asarray(plain.beam), np.asarray(louder.beam))
    assert np.array_equal(np.asarray(plain.vertex), np.asarray(louder.vertex))
    dark = plain.beam == 0
    assert louder.signal()[dark].std() == pytest.approx(2 * plain.signal()[dark].std(), rel=0.1)


def test_all_faces_and_full_resolution(small: WiresConfig) -> None:
    config = small.model_copy(update={"readout": "all", "rebin": 1})
    event = simulate_wires(1, 0, config)
    assert event.code.shape == (1, 4 * 96, 1500)
    assert event.code.dtype == np.int16
    assert event.beam is not None
    lit = (event.beam[0] > 0).reshape(4, -1).mean(axis=1)
    assert lit[0] > 0.005
    assert lit[2] > 0.005
    assert max(lit[1], lit[3]) < 0.5 * min(lit[0], lit[2])  # the faces towards the walls see little
    coarse = simulate_wires(1, 0, config.model_copy(update={"rebin": 6}))
    mean = event.signal().reshape(1, 384, 250, 6).mean(axis=3)
    inside = (mean > -29) & (mean < 220)
    assert np.abs(coarse.signal() - mean)[inside].max() <= 0.51


def test_regions_are_kept_and_the_rest_is_nought(small: WiresConfig) -> None:
    whole = small.model_copy(update={"signal": "electrons", "rebin": 1})
    regions = whole.model_copy(
        update={"deconvolution": whole.deconvolution.model_copy(update={"regions": True})}
    )
    plain, cut = simulate_wires(2, 1, whole).signal(), simulate_wires(2, 1, regions).signal()
    assert cut.min() >= 0
    kept = cut > 0
    assert 0.001 < kept.mean() < 0.2
    assert np.array_equal(cut[kept], plain[kept])
    assert (kept[plain > 6 * pixel_noise(whole, 1)]).all()
