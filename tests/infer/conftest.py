"""A small bundle, untrained: what it predicts does not matter here."""

import pytest
import torch

from cloudchamber.infer.bundle import Bundle, BundleConfig
from cloudchamber.infer.thresholds import Thresholds
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.normalise import Inputs, Standardise


@pytest.fixture
def bundle() -> Bundle:
    torch.manual_seed(2)
    options: dict[str, object] = {"features": 4, "levels": 1, "layers": 10, "gravnet": None}
    network = build_network("walls-unet", options).eval()
    for p in network.parameters():
        p.data = p.data.half().float()
    config = BundleConfig(
        name="small",
        task="walls",
        network="walls-unet",
        options=options,
        inputs=Inputs(maps={"x0": Standardise(mean=-3.3, std=0.7)}),
        thresholds=Thresholds(kind="global", cuts=(0.48,)),
    )
    return Bundle(config, network, "# small\n\nUntrained, for tests.\n")
