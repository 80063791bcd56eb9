import pytest

from cloudchamber.score.published_energy import ABLATIONS


def test_the_ablation_is_that_of_the_slides() -> None:
    assert [row.mi.value for row in ABLATIONS] == [19.42, 18.5, 18.72, 19.2, 19.30, 19.33, 19.4, 17.45]
    assert [row.mi.error for row in ABLATIONS] == [0.08, 0.3, 0.08, 0.2, 0.05, 0.09, 0.1, 0.09]
    assert len({row.key for row in ABLATIONS}) == len(ABLATIONS)
    assert all("Strong" in row.source for row in ABLATIONS)


def test_printed_changes_follow_from_the_values() -> None:
    default = ABLATIONS[0].mi.value
    assert default is not None
    for row in ABLATIONS[1:]:
        assert row.change_percent is not None
        assert row.mi.value is not None
        error = row.change_percent.error
        assert row.change_percent.value == pytest.approx(100 * (row.mi.value / default - 1), abs=error)
