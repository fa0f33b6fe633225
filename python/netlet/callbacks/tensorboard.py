"""``TensorBoard``: event files for TensorBoard, written by the package tensorboardX."""

from __future__ import annotations

import itertools
import os
import time
from typing import Any

import numpy as np

from netlet.callbacks.callback import Callback, Logs
from netlet.callbacks.inner_optimizers import learning_rates

_NUMBERS = itertools.count()  # of the event files of this process


class TensorBoard(Callback):
    """Writes metrics, weights and the graph of the model to event files: ``tensorboard --logdir logs`` shows them.

    Scalars in ``<log_dir>/train`` and ``<log_dir>/validation``, under Keras' tags: ``epoch_<metric>`` and
    ``epoch_learning_rate`` against epochs (``epoch_learning_rate_<name>`` of each optimizer of a `MultiOptimizer`),
    ``evaluation_<metric>_vs_iterations`` against updates, ``batch_<metric>`` against batches. A file is made when there
    is something to write.

    Args:
        log_dir: the folder; default "logs".
        histogram_freq: every how many epochs to write histograms of the weights; default 0, never.
        write_graph: whether to write the model's program as a graph of ops; default True.
        write_images: whether to write the weights as images, too, along with their histograms; default False.
        write_steps_per_second: whether to write how many steps a second training makes, per epoch and, with a number as
            ``update_freq``, per batch; default False.
        update_freq: "epoch", the default, or every how many batches to write the metrics of the epoch so far; "batch"
            is 1.
        profile_batch: 0. ``model.profile`` tells where the time goes.
        embeddings_freq: every how many epochs to write the rows of `Embedding` layers for TensorBoard's projector, over
            those of the epoch before; default 0, never.
        embeddings_metadata: file with the labels of the embeddings' rows, or a dict of such by the layers' names.

    Raises: ImportError if tensorboardX is missing (``pip install 'netlet[tensorboard]'``); ValueError for another
        ``update_freq`` or ``profile_batch``, or an embedding layer that the model lacks.

    Example::

        model.fit(x, y, epochs=5, callbacks=[TensorBoard("logs/run7", histogram_freq=1)])
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        try:
            import tensorboardX  # noqa: F401 - to fail here and not after an epoch
        except ImportError as error:
            raise ImportError(
                "TensorBoard needs the package tensorboardX: pip install 'netlet[tensorboard]'"
            ) from error
        if profile_batch:
            raise ValueError(f"TensorBoard: profile_batch must be 0, got {profile_batch!r}; see model.profile()")
        freq = 1 if update_freq == "batch" else update_freq
        if freq != "epoch" and not (isinstance(freq, int) and freq > 0):
            raise ValueError(f"TensorBoard: update_freq must be 'epoch', 'batch' or a number, got {update_freq!r}")
        self.log_dir: str = os.fsdecode(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = freq
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._writers: dict[str, Any] = {}
        self._global_train_batch = 0
        self._epoch_begin = (0.0, 0)  # time, updates
        self._batch_begin = (0.0, 0)  # time, batch
        if freq == "epoch":
            self._idle(TensorBoard, "on_train_batch_begin", "on_train_batch_end")

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._close()

    def _writer(self, name: str) -> Any:
        """The writer of "train" or "validation"."""
        if name not in self._writers:
            from tensorboardX import SummaryWriter

            suffix = f".{os.getpid()}.{next(_NUMBERS)}"  # files of one second must not have one name
            self._writers[name] = SummaryWriter(os.path.join(self.log_dir, name), filename_suffix=suffix)
        return self._writers[name]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    # Hooks

    def on_train_begin(self, logs: Logs = None) -> None:
        self._global_train_batch = 0
        if self.write_graph:
            self._write_graph()
        if self.embeddings_freq:
            self._write_projector()

    def on_train_end(self, logs: Logs = None) -> None:
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch_begin = (time.perf_counter(), self.model.optimizer.iterations)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch_begin = (time.perf_counter(), batch)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        begin, first = self._batch_begin
        done = batch + 1 - first  # several, with steps_per_execution
        before = self._global_train_batch
        self._global_train_batch += done
        freq = int(self.update_freq)
        if self._global_train_batch // freq == before // freq:
            return
        writer, step = self._writer("train"), self._global_train_batch
        if self.write_steps_per_second:
            seconds = max(time.perf_counter() - begin, 1e-9)
            writer.add_scalar("batch_steps_per_second", done / seconds, step)
        for name, value in (logs or {}).items():
            writer.add_scalar(f"batch_{name}", _number(value), step)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        train = {name: value for name, value in logs.items() if not name.startswith("val_")}
        optimizer = self.model.optimizer
        train = self._collect_learning_rate(train)
        if self.write_steps_per_second:
            begin, updates = self._epoch_begin
            train["steps_per_second"] = (optimizer.iterations - updates) / max(time.perf_counter() - begin, 1e-9)
        for name, value in train.items():
            self._writer("train").add_scalar(f"epoch_{name}", _number(value), epoch)
        for name, value in logs.items():
            if name.startswith("val_"):
                self._writer("validation").add_scalar(f"epoch_{name[4:]}", _number(value), epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()
        for writer in self._writers.values():
            writer.flush()

    def _collect_learning_rate(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Return the logs with the learning rate among them, or that of each optimizer."""
        logs.update(learning_rates(self.model.optimizer))
        return logs

    def on_test_end(self, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        if optimizer is None:
            return
        writer = self._writer("validation")
        for name, value in (logs or {}).items():
            writer.add_scalar(f"evaluation_{name}_vs_iterations", _number(value), optimizer.iterations)
        writer.flush()

    def get_state(self) -> dict[str, Any]:
        return {"batch": self._global_train_batch}

    def set_state(self, state: dict[str, Any]) -> None:
        self._global_train_batch = state["batch"]

    # Weights, graph, embeddings

    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for weight in self.model.weights:
            values = weight.numpy()
            if np.isfinite(values).all():  # a histogram of NaN has no bounds
                writer.add_histogram(f"{weight.path}/histogram", values.reshape(-1), epoch)
            if self.write_images:
                for number, image in enumerate(_images(values)):
                    tag = f"{weight.path}/image" if number == 0 else f"{weight.path}/image/{number}"
                    writer.add_image(tag, image, epoch, dataformats="HWC")

    def _write_graph(self) -> None:
        """The program's ops, and what they read: values of other ops, inputs and weights."""
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.graph_pb2 import GraphDef
        from tensorboardX.proto.node_def_pb2 import NodeDef

        program = self.model.lower()
        weights = [program.params, program.state]
        nodes = [NodeDef(name=param.name, op="Weight") for params in weights for param in params]
        names = {}  # of the nodes that make the values
        for place in program.inputs:
            names[place] = f"input_{program.values[place].name}"
            nodes.append(NodeDef(name=names[place], op="Input"))
        for number, op in enumerate(program.ops):
            read = [weights[0][i].name for i in op.params] + [weights[1][i].name for i in op.state]
            layer = read[0].rpartition("/")[0] + "/" if read else ""
            names[op.output] = f"{layer}{op.op}_{number}"
            nodes.append(NodeDef(name=names[op.output], op=op.op, input=[names[i] for i in op.inputs] + read))
        event = Event(graph_def=GraphDef(node=nodes).SerializeToString())
        self._writer("train").file_writer.add_event(event)

    def _write_projector(self) -> None:
        """The projector's settings, as text of its protocol buffer."""
        metadata = self.embeddings_metadata
        named = dict(metadata) if isinstance(metadata, dict) else None
        lines = []
        for layer in self._embeddings():
            path = metadata if named is None else named.pop(layer.name, None)
            lines += ["embeddings {", f'  tensor_name: "{layer.weights[0].path}"', f'  tensor_path: "{layer.name}.tsv"']
            lines += [f'  metadata_path: "{path}"'] if path else []
            lines.append("}")
        if named:
            raise ValueError(f"TensorBoard: embeddings_metadata names {list(named)}, which are no Embedding layers")
        os.makedirs(self.log_dir, exist_ok=True)
        with open(os.path.join(self.log_dir, "projector_config.pbtxt"), "w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))

    def _write_embeddings(self) -> None:
        for layer in self._embeddings():
            path = os.path.join(self.log_dir, f"{layer.name}.tsv")
            np.savetxt(path, layer.weights[0].numpy(), fmt="%.9g", delimiter="\t")

    def _embeddings(self) -> list[Any]:
        from netlet.layers import Embedding

        return [layer for layer in self.model.layers if isinstance(layer, Embedding)]


def _number(value: Any) -> float:
    return float(np.mean(value))


def _images(values: np.ndarray[Any, Any]) -> list[Any]:
    """A weight as pictures ``[H, W, 1]`` of numbers in [0, 1]: a vector as one row, a matrix lying down, a stack of
    matrices ``[H, W, C]`` one by one."""
    squeezed = np.squeeze(values)
    if not 1 <= squeezed.ndim <= 3 or not np.isfinite(squeezed).all():
        return []
    low, high = float(squeezed.min()), float(squeezed.max())
    scaled = (squeezed - low) / (high - low) if high > low else np.zeros_like(squeezed)
    if scaled.ndim == 1:
        return [scaled[None, :, None]]
    if scaled.ndim == 2:
        return [(scaled.T if scaled.shape[0] > scaled.shape[1] else scaled)[..., None]]
    return [scaled[..., channel, None] for channel in range(scaled.shape[2])]
