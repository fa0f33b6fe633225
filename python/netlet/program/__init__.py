"""The Program: a network as data. What it is made of, how it is built, checked, encoded and simplified.

>>> from netlet.program import ProgramBuilder, optimize
"""

from netlet.program.builder import Node, ProgramBuilder
from netlet.program.ops import ACTIVATIONS, EPILOGUES, LOSSES, METRICS, OPS, OPTIMIZERS, all_specs
from netlet.program.passes import drop_noops, drop_unread, fuse_activation, fuse_loss, optimize
from netlet.program.program import (
    Loss,
    Metric,
    Op,
    Optimizer,
    Param,
    Program,
    Value,
    metric_slices,
    sums_size,
)

__all__ = [
    "ACTIVATIONS",
    "EPILOGUES",
    "LOSSES",
    "METRICS",
    "OPS",
    "OPTIMIZERS",
    "Loss",
    "Metric",
    "Node",
    "Op",
    "Optimizer",
    "Param",
    "Program",
    "ProgramBuilder",
    "Value",
    "all_specs",
    "drop_noops",
    "drop_unread",
    "fuse_activation",
    "fuse_loss",
    "metric_slices",
    "optimize",
    "sums_size",
]
