"""The Lightning module for hits: losses of patches, planes and vertices, last losses, areas of ROC curves."""

from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from cloudchamber.labels import Activity
from cloudchamber.prepare.hit_images import CLASSES, NOT_A_VERTEX
from cloudchamber.score.roc import roc_area
from cloudchamber.train.epochs import EpochModule
from cloudchamber.train.hits_batches import PatchBatch, PlaneBatch
from cloudchamber.train.hits_loss import hits_loss, soft_loss
from cloudchamber.train.hits_recipe import HitsLossOptions, HitsTraining, Reads

_NONE, _TRACK, _EM = (CLASSES.index(each) for each in (Activity.NONE, Activity.TRACK, Activity.EM))


class Outcome(NamedTuple):
    """Of the pixels of a batch: which example each is of, its loss, logits and truth, packed."""

    example: Int64[Tensor, "pixel"]
    loss: Float[Tensor, "pixel"]
    logits: Float[Tensor, "pixel output"]
    target: Int64[Tensor, "pixel"]
    extra: Float[Tensor, ""] | None = None  # a loss that is not of these pixels


class HitsLearner(nn.Module):
    """A network, its loss, and the last loss of every example, which belong to the state of a training."""

    last_loss: Tensor
    epoch_loss: Tensor

    def __init__(self, network: nn.Module, reads: Reads, options: HitsLossOptions, examples: int) -> None:
        super().__init__()
        self.network, self.reads, self.options = network, reads, options
        self.register_buffer("last_loss", torch.full((examples,), float("nan")))
        self.register_buffer("epoch_loss", torch.full((examples,), float("nan")))  # as the epoch began

    def forward(self, batch: PatchBatch | PlaneBatch) -> Outcome:
        """Return loss, logits and truth of the pixels of a batch: the lit ones, of crops and planes."""
        if isinstance(batch, PlaneBatch):
            return self._of_planes(batch)
        example = torch.arange(len(batch.example), device=batch.x.device)
        target = batch.target.long()
        if self.reads == "vertex-patch":
            logits = self.network(batch.x)
            loss = F.cross_entropy(logits, target >> 3, reduction="none")
            return Outcome(example, loss, logits, target)
        classes, michel = self.network(batch.x)
        loss = hits_loss(classes, michel[:, 0], target & 3, (target >> 2 & 1).float(), self.options)
        return Outcome(example, loss, torch.cat([classes, michel], dim=1), target)

    def _of_planes(self, batch: PlaneBatch) -> Outcome:
        both = torch.cat(self.network(batch.x), dim=1).permute(0, 2, 3, 1)
        mask = batch.bright | ((batch.target & 3) != _NONE)
        logits, target = both[mask].float(), batch.target[mask].long()
        michel = (target >> 2 & 1).float()
        loss = hits_loss(logits[:, :3], logits[:, 3], target & 3, michel, self.options)
        extra = None
        if len(batch.taught):
            said = both[batch.taught_at.unbind(dim=1)].float()
            extra = soft_loss(said[:, :3], said[:, 3], batch.taught, self.options).mean()
        return Outcome(mask.nonzero()[:, 0], loss, logits, target, extra)

    @torch.no_grad()
    def note(self, batch: PatchBatch | PlaneBatch, outcome: Outcome) -> None:
        """Keep the losses of the examples of a batch: means over the pixels of each."""
        n = len(batch.example)
        sums = torch.zeros(n, device=outcome.loss.device).index_add_(0, outcome.example, outcome.loss.float())
        counts = torch.bincount(outcome.example, minlength=n)
        self.last_loss[batch.example] = sums / counts.clamp(min=1)


class HitsModule(EpochModule):
    """Train a network to say what pixels show."""

    network: HitsLearner

    def __init__(
        self,
        learner: HitsLearner,
        training: HitsTraining,
        steps_per_epoch: int,
        resume: tuple[dict[str, Any], dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(learner, training, steps_per_epoch, resume)
        self.soft = training.loss.soft
        self._losses: list[Tensor] = []
        self._logits: list[Tensor] = []
        self._target: list[Tensor] = []

    @property
    def headline(self) -> str:
        """The areas under the ROC curves, or the accuracy over vertices."""
        figures = self.figures
        if "val_accuracy" in figures:
            return f"accuracy {figures['val_accuracy']:.4f}, vertex area {figures['val_vertex_area']:.4f}"
        return f"ROC areas: em {figures['val_em_area']:.4f}, Michel {figures['val_michel_area']:.4f}"

    def begin_epoch(self) -> Float[np.ndarray, "example"]:
        """Return the losses that the present epoch is drawn from: the last ones as it began."""
        learner = self.network
        if self.batch == 0:
            learner.epoch_loss.copy_(learner.last_loss)
        return np.asarray(learner.epoch_loss.cpu().numpy(), np.float64)

    def training_step(self, batch: PatchBatch | PlaneBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch: mean over its pixels."""
        outcome = self.network(batch)
        self.network.note(batch, outcome)
        loss: Tensor = outcome.loss.mean() if len(outcome.loss) else outcome.logits.sum()
        if outcome.extra is not None:
            loss = (1 - self.soft) * loss + self.soft * outcome.extra
        self.loss_sum += float(loss.detach())
        self.batch += 1
        return loss

    def validation_step(self, batch: PatchBatch | PlaneBatch, batch_idx: int) -> None:
        """Note losses, logits and truth of a batch."""
        outcome = self.network(batch)
        self._losses.append(outcome.loss.float().cpu())
        self._logits.append(outcome.logits.float().cpu())
        self._target.append(outcome.target.cpu())

    def validation_figures(self) -> dict[str, float]:
        """Return the loss, mean over pixels, and areas under ROC curves; 0.5 where they say nothing."""
        logits, target = torch.cat(self._logits), torch.cat(self._target).numpy()
        figures = {"val_loss": float(torch.cat(self._losses).double().mean())}
        for noted in (self._losses, self._logits, self._target):
            noted.clear()
        if self.network.reads == "vertex-patch":
            kinds = target >> 3
            score = 1 - torch.softmax(logits, dim=1)[:, NOT_A_VERTEX].numpy().astype(np.float64)
            figures["val_accuracy"] = float((logits.argmax(dim=1).numpy() == kinds).mean())
            return figures | {"val_vertex_area": _area(score, kinds != NOT_A_VERTEX)}
        values = logits.numpy().astype(np.float64)
        charged = (target & 3) != _NONE
        em = values[charged, _EM] - values[charged, _TRACK]
        figures["val_em_area"] = _area(em, (target[charged] & 3) == _EM)
        return figures | {"val_michel_area": _area(values[:, 3], (target >> 2 & 1) == 1)}


def _area(score: Float[np.ndarray, "pixel"], positive: np.ndarray) -> float:
    area = roc_area(score, positive)
    return area if np.isfinite(area) else 0.5
