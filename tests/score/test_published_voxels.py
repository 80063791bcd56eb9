from cloudchamber.labels import VoxelLabel
from cloudchamber.score.published_voxels import ACCURACIES, MICHELS, RATIOS


def test_accuracies_are_those_of_the_slides() -> None:
    michel = [row.accuracy[VoxelLabel.MICHEL] for row in ACCURACIES]
    assert michel == [0.566, 0.944, 0.947, 0.957]
    assert [row.accuracy[VoxelLabel.DELTA] for row in ACCURACIES] == [0.857, 0.948, 0.96, 0.972]
    assert all(0.5 < value < 1 for row in ACCURACIES for value in row.accuracy.values())


def test_every_figure_says_whose_it_is() -> None:
    assert all("Domine" in row.source for row in (*ACCURACIES, *MICHELS, *RATIOS))
    assert [row.n_candidates for row in MICHELS] == [7105, None]
