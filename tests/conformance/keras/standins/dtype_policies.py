"""``keras.dtype_policies`` as tests save and restore it: the one policy is the default float."""

from __future__ import annotations

from typing import Any

from standins import backend
from standins.missing import Missing, NotInNetlet


def dtype_policy() -> str:
    return backend.floatx()


def set_dtype_policy(policy: Any) -> None:
    if policy != backend.floatx():
        raise NotInNetlet("netlet has no dtype_policies.set_dtype_policy")


DTypePolicy = Missing("dtype_policies.DTypePolicy")
