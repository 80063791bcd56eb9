"""Sea-level rates against what is known without this code."""

import numpy as np
import pytest

from cloudchamber.simulate.walls.config import Muons, challenge_2022, full
from cloudchamber.simulate.walls.exposure import with_count
from cloudchamber.simulate.walls.flux import VERTICAL_HZ, muon_rate, share_above
from cloudchamber.simulate.walls.muons import sample_momentum


def test_flux_through_a_plane_is_about_one_per_square_centimetre_and_minute() -> None:
    """The rule of thumb of the PDG, all muons; above 1 GeV/c, cos^2 gives I pi/2 = 110 per m^2 and s."""
    above_1_gev = muon_rate(challenge_2022()).flux_hz_per_m2
    assert above_1_gev == pytest.approx(VERTICAL_HZ * np.pi / 2, rel=0.05)
    assert 0.7 < muon_rate(full()).flux_hz_per_m2 * 60 / 1e4 < 1.0


def test_share_above_is_that_of_the_momenta_drawn() -> None:
    momenta = sample_momentum(np.random.default_rng(1), 200_000, 0.5)
    assert 1 / (momenta > 1).mean() == pytest.approx(share_above(0.5), rel=0.01)
    assert (momenta > 5).sum() / (momenta > 1).sum() == pytest.approx(share_above(5.0), rel=0.02)
    assert share_above(1.0) == 1


def test_the_start_area_is_that_of_the_challenge() -> None:
    rate = muon_rate(challenge_2022())
    assert rate.area_m2 == pytest.approx((10 + 2 * 12 * np.tan(np.radians(15))) ** 2)
    assert 0.4 < rate.reaching < 0.6
    assert rate.seconds(20_000) == pytest.approx(2 * rate.seconds(10_000))


def test_from_right_above_nearly_all_muons_meet_the_volume() -> None:
    config = challenge_2022()
    near = config.model_copy(update={"muons": Muons(margin_deg=0.0, theta_max_deg=20.0)})
    assert muon_rate(near).reaching > 0.95
    far = config.model_copy(update={"muons": Muons(margin_deg=60.0)})
    rate = muon_rate(far)
    assert rate.reaching < 0.15
    assert rate.hz > muon_rate(config).hz


def test_the_number_of_muons_does_not_matter() -> None:
    assert muon_rate(with_count(full(), 7)) == muon_rate(full())
