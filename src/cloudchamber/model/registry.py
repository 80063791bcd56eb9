"""Networks by name: configuration and constructor; the conformance tests run over all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel
from torch import nn

from cloudchamber.errors import InputError
from cloudchamber.model.beam_small import BeamSmall, BeamSmallConfig
from cloudchamber.model.energy_cnn import EnergyCNN, EnergyCNNConfig
from cloudchamber.model.energy_paper import EnergyPaper, EnergyPaperConfig
from cloudchamber.model.energy_sparse import EnergySparse, EnergySparseConfig
from cloudchamber.model.ensemble import Ensemble, EnsembleConfig
from cloudchamber.model.hits_patch import HitsPatch, HitsPatchConfig
from cloudchamber.model.hits_plane import HitsPlane, HitsPlaneConfig
from cloudchamber.model.hits_vertex import HitsVertex, HitsVertexConfig
from cloudchamber.model.tiramisu import Tiramisu, TiramisuConfig
from cloudchamber.model.voxels_uresnet import SparseUResNet, SparseUResNetConfig
from cloudchamber.model.walls_cnn import WallsCNN, WallsCNNConfig
from cloudchamber.model.walls_conv_dense import WallsConvDense, WallsConvDenseConfig
from cloudchamber.model.walls_dncnn import WallsDnCNN, WallsDnCNNConfig
from cloudchamber.model.walls_encoder_decoder import WallsEncoderDecoder, WallsEncoderDecoderConfig
from cloudchamber.model.walls_mlp import WallsMLP, WallsMLPConfig
from cloudchamber.model.walls_resnet import WallsResNet, WallsResNetConfig
from cloudchamber.model.walls_unet import WallsUNet, WallsUNetConfig


@dataclass(frozen=True)
class Network:
    """One network: its configuration class and what builds it."""

    config: type[BaseModel]
    build: Callable[..., nn.Module]


def _ensemble(config: EnsembleConfig) -> nn.Module:
    return Ensemble([build_network(each.name, each.options) for each in config.members], config.vote_cut)


NETWORKS = {
    "beam-small": Network(BeamSmallConfig, BeamSmall),
    "beam-tiramisu": Network(TiramisuConfig, Tiramisu),
    "energy-cnn": Network(EnergyCNNConfig, EnergyCNN),
    "energy-paper": Network(EnergyPaperConfig, EnergyPaper),
    "energy-sparse": Network(EnergySparseConfig, EnergySparse),
    "ensemble": Network(EnsembleConfig, _ensemble),
    "hits-patch": Network(HitsPatchConfig, HitsPatch),
    "hits-plane": Network(HitsPlaneConfig, HitsPlane),
    "hits-vertex": Network(HitsVertexConfig, HitsVertex),
    "voxels-uresnet": Network(SparseUResNetConfig, SparseUResNet),
    "walls-cnn": Network(WallsCNNConfig, WallsCNN),
    "walls-conv-dense": Network(WallsConvDenseConfig, WallsConvDense),
    "walls-dncnn": Network(WallsDnCNNConfig, WallsDnCNN),
    "walls-encoder-decoder": Network(WallsEncoderDecoderConfig, WallsEncoderDecoder),
    "walls-mlp": Network(WallsMLPConfig, WallsMLP),
    "walls-resnet": Network(WallsResNetConfig, WallsResNet),
    "walls-unet": Network(WallsUNetConfig, WallsUNet),
}


def build_network(name: str, options: dict[str, object]) -> nn.Module:
    """Build a network from its name and options.

    Raises
    ------
    InputError
        if there is no network of that name.
    pydantic.ValidationError
        if an option is unknown or out of range.
    """
    if name not in NETWORKS:
        raise InputError("network", "name", f"one of {', '.join(NETWORKS)}", repr(name))
    network = NETWORKS[name]
    return network.build(network.config.model_validate(options))
