"""Bundles: a trained model as a folder or a .zip, with configuration, card and checksums; no pickle."""

import hashlib
import tomllib
import zipfile
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, TypeVar

import tomli_w
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from cloudchamber import __version__
from cloudchamber.errors import InputError
from cloudchamber.files import whole
from cloudchamber.infer.thresholds import Thresholds
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.normalise import Inputs
from cloudchamber.toml import with_none, without_none

WEIGHTS, CONFIG, CARD, SUMS = "weights.safetensors", "config.toml", "card.md", "SHA256SUMS"
_LARGEST = 2**31


class BundleConfig(BaseModel):
    """What it takes to run a model beside its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    task: str
    network: str
    options: dict[str, Any]
    inputs: Inputs
    thresholds: Thresholds
    symmetries: bool = True
    version: str = __version__


@dataclass(frozen=True)
class Bundle:
    """A trained model ready to predict."""

    config: BundleConfig
    network: nn.Module
    card: str

    @property
    def about(self) -> str:
        """What the card says first: its paragraph under the title."""
        return about_card(self.card)


def about_card(card: str) -> str:
    """Return what a card says first: its paragraph under the title."""
    paragraphs = [" ".join(part.split()) for part in card.split("\n\n") if part.strip()]
    return next((part for part in paragraphs if not part.startswith("#")), "")


def save_bundle(path: Path, bundle: Bundle) -> None:
    """Write a bundle as a whole: a .zip if the name ends so, else a folder.

    Learned weights are stored in half precision, which moves a probability by less than 1e-3.
    """
    write_parts(path, bundle.config, bundle.network, bundle.card)


def write_parts(path: Path, configuration: BaseModel, network: nn.Module, card: str) -> None:
    """Write configuration, weights, card and their sums, of a model for any task.

    Running sums and averages, which half precision may not hold, are stored as they are.
    """
    learned = {name for name, value in network.named_parameters() if value.is_floating_point()}
    weights = {
        name: (value.half() if name in learned else value).contiguous()
        for name, value in network.state_dict().items()
    }
    config = configuration.model_dump(mode="json", exclude_none=False)
    parts = {
        WEIGHTS: save_tensors(weights),
        CONFIG: tomli_w.dumps(without_none(config)).encode(),
        CARD: card.encode(),
    }
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in parts.items())
    parts[SUMS] = sums.encode()
    with whole(path) as temporary:
        if path.suffix == ".zip":
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, data in parts.items():
                    archive.writestr(zipfile.ZipInfo(name), data)
        else:
            temporary.mkdir()
            for name, data in parts.items():
                (temporary / name).write_bytes(data)


def _read_parts(path: Path) -> dict[str, bytes]:
    wanted = (WEIGHTS, CONFIG, CARD, SUMS)
    parts: dict[str, bytes] = {}
    try:
        if path.is_dir():
            for name in wanted:
                if (path / name).is_file():
                    parts[name] = (path / name).read_bytes()
        else:
            with zipfile.ZipFile(path) as archive:
                for name in set(wanted) & set(archive.namelist()):
                    if archive.getinfo(name).file_size > _LARGEST:
                        raise InputError(path, name, f"at most {_LARGEST} bytes", "more")
                    parts[name] = archive.read(name)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        raise InputError(path, "", "a bundle (a folder or a .zip)", str(error)) from error
    for name in wanted:
        if name not in parts:
            raise InputError(path, name, "a file of that name in the bundle", "none")
    return parts


def _verify(path: Path, parts: dict[str, bytes]) -> None:
    try:
        lines = [line.split() for line in parts[SUMS].decode().splitlines()]
        recorded = {name: digest for digest, name in lines}
    except ValueError as error:
        raise InputError(path, SUMS, "lines of a digest and a name", str(error)) from error
    for name in (WEIGHTS, CONFIG, CARD):
        found = hashlib.sha256(parts[name]).hexdigest()
        if recorded.get(name) != found:
            raise InputError(path, name, f"SHA-256 {recorded.get(name)}", found)


Config = TypeVar("Config", bound=BaseModel)


def _configuration(path: Path, parts: dict[str, bytes]) -> dict[str, Any]:
    try:
        return dict(with_none(tomllib.loads(parts[CONFIG].decode())))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(path, CONFIG, "a bundle's configuration", str(error)) from error


def build_parts(
    path: Path, parts: dict[str, bytes], kind: type[Config], task: str
) -> tuple[Config, nn.Module, str]:
    """Return configuration, network and card of a model for a task, from what ``find_parts`` read.

    Raises
    ------
    InputError
        if the model is for another task, or configuration or weights do not fit.
    """
    found = _configuration(path, parts)
    if found.get("task") != task:
        raise InputError(path, f"{CONFIG}, task", f"a model for {task}", repr(found.get("task")))
    try:
        config = kind.model_validate(found)
        network = build_network(found["network"], found["options"])
    except ValidationError as error:
        raise InputError(path, CONFIG, "a bundle's configuration", str(error)) from error
    try:
        weights = load_tensors(parts[WEIGHTS])
        float_weights = {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}
        network.load_state_dict(float_weights)
    except (SafetensorError, RuntimeError) as error:
        raise InputError(path, WEIGHTS, f"the weights of {found['network']}", str(error)) from error
    if not all(torch.isfinite(v).all() for v in float_weights.values() if v.is_floating_point()):
        raise InputError(path, WEIGHTS, "finite weights", "NaN or infinity")
    network.eval()
    return config, network, parts[CARD].decode(errors="replace")


def list_bundles(task: str = "") -> list[str]:
    """Return the names of the bundles that come with the package, of one task or of all."""
    with as_file(files("cloudchamber") / "bundles") as folder:
        names = sorted(path.parent.relative_to(folder).as_posix() for path in folder.rglob(CONFIG))
    return [name for name in names if name.startswith(f"{task}/" if task else "")]


def find_parts(name: str | Path) -> tuple[Path, dict[str, bytes]]:
    """Read the files of a bundle, by path or by name, and check their sums; return where they are, too.

    Raises
    ------
    InputError
        if there is none, or a file of it is missing or damaged.
    """
    path = Path(name)
    if path.exists():
        parts = _read_parts(path)
        _verify(path, parts)
        return path, parts
    if str(name) in list_bundles():
        with as_file(files("cloudchamber") / "bundles" / str(name)) as inside:
            return find_parts(inside)
    raise InputError(name, "", f"a bundle: a folder, a .zip or one of {', '.join(list_bundles())}", "neither")


def task_of_bundle(name: str | Path) -> str:
    """Return the task that a model is for.

    Raises
    ------
    InputError
        as ``find_parts`` does.
    """
    path, parts = find_parts(name)
    return str(_configuration(path, parts).get("task"))


def load_bundle(name: str | Path) -> Bundle:
    """Load a bundle for walls: a folder or .zip by path, or one of the package's by name.

    Raises
    ------
    InputError
        if there is none, it is for another task, a file of it is missing, damaged or does not fit the
        network.
    """
    return Bundle(*build_parts(*find_parts(name), BundleConfig, "walls"))
