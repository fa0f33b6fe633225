"""Callbacks: hooks into training. `History` is what ``fit`` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netlet.callbacks.callback import Callback
from netlet.callbacks.callback_list import CallbackList

if TYPE_CHECKING:
    from netlet.callbacks.backup_and_restore import BackupAndRestore
    from netlet.callbacks.csv_logger import CSVLogger
    from netlet.callbacks.early_stopping import EarlyStopping
    from netlet.callbacks.lambda_callback import LambdaCallback
    from netlet.callbacks.learning_rate_scheduler import LearningRateScheduler
    from netlet.callbacks.model_checkpoint import ModelCheckpoint
    from netlet.callbacks.monitor_callback import MonitorCallback
    from netlet.callbacks.progbar_logger import ProgbarLogger
    from netlet.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
    from netlet.callbacks.remote_monitor import RemoteMonitor
    from netlet.callbacks.rich_progress import RichProgress
    from netlet.callbacks.swap_ema_weights import SwapEMAWeights
    from netlet.callbacks.tensorboard import TensorBoard
    from netlet.callbacks.terminate_on_nan import TerminateOnNaN
    from netlet.models.history import History

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "MonitorCallback",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "RichProgress",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]

# Where each class lies. They are imported when they are asked for, which keeps `import netlet` short.
_PLACES = {
    "BackupAndRestore": "netlet.callbacks.backup_and_restore",
    "CSVLogger": "netlet.callbacks.csv_logger",
    "EarlyStopping": "netlet.callbacks.early_stopping",
    "History": "netlet.models.history",
    "LambdaCallback": "netlet.callbacks.lambda_callback",
    "LearningRateScheduler": "netlet.callbacks.learning_rate_scheduler",
    "ModelCheckpoint": "netlet.callbacks.model_checkpoint",
    "MonitorCallback": "netlet.callbacks.monitor_callback",
    "ProgbarLogger": "netlet.callbacks.progbar_logger",
    "ReduceLROnPlateau": "netlet.callbacks.reduce_lr_on_plateau",
    "RemoteMonitor": "netlet.callbacks.remote_monitor",
    "RichProgress": "netlet.callbacks.rich_progress",
    "SwapEMAWeights": "netlet.callbacks.swap_ema_weights",
    "TensorBoard": "netlet.callbacks.tensorboard",
    "TerminateOnNaN": "netlet.callbacks.terminate_on_nan",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(_PLACES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
