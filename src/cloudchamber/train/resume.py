"""What keeps a run resumable: checkpoints as it goes, and metrics that never say a thing twice."""

import json
import time
from pathlib import Path
from typing import Any

import lightning as L

from cloudchamber.files import write_text
from cloudchamber.train.checkpoint import save_checkpoint
from cloudchamber.train.module import SegmentationModule


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the figures of each epoch in a run's metrics.jsonl; none if there is no such file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class Resumable(L.Callback):
    """Save a checkpoint every ``seconds`` and after every epoch, and the figures of each epoch once.

    ``metrics.jsonl`` is written before the checkpoint that lies behind it; on resumption the lines of epochs
    not yet over are dropped, so a resumed run ends in the same file as one that was never stopped.
    """

    def __init__(self, checkpoint: Path, metrics: Path, first_epoch: int, seconds: float = 60.0) -> None:
        self.checkpoint, self.metrics, self.seconds = checkpoint, metrics, seconds
        self.lines = [line for line in read_metrics(metrics) if line["epoch"] < first_epoch]
        self._last = time.monotonic()

    def _save(self, trainer: L.Trainer, module: SegmentationModule) -> None:
        self._last = time.monotonic()
        if not trainer.is_global_zero:
            return
        schedule = trainer.lr_scheduler_configs[0].scheduler.state_dict()
        state = {
            "epoch": module.epoch,
            "batch": module.batch,
            "loss_sum": module.loss_sum,
            "schedule": {key: value for key, value in schedule.items() if not callable(value)},
        }
        save_checkpoint(self.checkpoint, module.network, trainer.optimizers[0], state)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save when it is time."""
        if not isinstance(pl_module, SegmentationModule):
            raise TypeError(f"expected a SegmentationModule, got {type(pl_module).__name__}")
        if time.monotonic() - self._last >= self.seconds and pl_module.batch < pl_module.steps_per_epoch:
            self._save(trainer, pl_module)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Close the epoch, write its figures, then save."""
        if not isinstance(pl_module, SegmentationModule):
            raise TypeError(f"expected a SegmentationModule, got {type(pl_module).__name__}")
        pl_module.close_epoch()
        self.lines.append(pl_module.figures)
        if trainer.is_global_zero:
            write_text(self.metrics, "".join(json.dumps(line) + "\n" for line in self.lines))
        self._save(trainer, pl_module)
