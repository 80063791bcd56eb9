"""What keeps a run resumable: checkpoints as it goes, and metrics that never say a thing twice."""

import json
import time
from pathlib import Path
from typing import Any

import lightning as L
from safetensors.torch import save_file

from cloudchamber.files import whole, write_text
from cloudchamber.train.checkpoint import save_checkpoint
from cloudchamber.train.epochs import EpochModule

CHECKPOINT, BEST = "checkpoint.safetensors", "best.safetensors"


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

    def __init__(self, folder: Path, first_epoch: int, seconds: float = 60.0) -> None:
        self.folder, self.metrics, self.seconds = folder, folder / "metrics.jsonl", seconds
        self.lines = [line for line in read_metrics(self.metrics) if line["epoch"] < first_epoch]
        self._last = self._began = time.monotonic()

    def _save(self, trainer: L.Trainer, module: EpochModule) -> None:
        now = time.monotonic()
        module.seconds += now - self._began
        self._last = self._began = now
        if not trainer.is_global_zero:
            return
        schedule = trainer.lr_scheduler_configs[0].scheduler.state_dict()
        state = {
            "epoch": module.epoch,
            "batch": module.batch,
            "loss_sum": module.loss_sum,
            "best_loss": module.best_loss,
            "best_epoch": module.best_epoch,
            "seconds": module.seconds,
            "schedule": {key: value for key, value in schedule.items() if not callable(value)},
        }
        save_checkpoint(self.folder / CHECKPOINT, module.network, trainer.optimizers[0], state)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save when it is time."""
        if not isinstance(pl_module, EpochModule):
            raise TypeError(f"expected an EpochModule, got {type(pl_module).__name__}")
        if time.monotonic() - self._last >= self.seconds and pl_module.batch < pl_module.steps_per_epoch:
            self._save(trainer, pl_module)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Close the epoch, write its figures, then save."""
        if not isinstance(pl_module, EpochModule):
            raise TypeError(f"expected an EpochModule, got {type(pl_module).__name__}")
        pl_module.close_epoch()
        self.lines.append(pl_module.figures)
        if trainer.is_global_zero:
            write_text(self.metrics, "".join(json.dumps(line) + "\n" for line in self.lines))
            if pl_module.fitting.patience and pl_module.best_epoch == pl_module.epoch - 1:
                with whole(self.folder / BEST) as temporary:
                    save_file(
                        {k: v.contiguous() for k, v in pl_module.network.state_dict().items()}, temporary
                    )
        self._save(trainer, pl_module)
        trainer.should_stop = pl_module.finished
