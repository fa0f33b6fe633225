"""`set_random_seed` with the reach that Keras gives it: Python's, NumPy's and Netlet's generators."""

from __future__ import annotations

import numpy as np

from netlet import random


def set_random_seed(seed: int) -> None:
    """Make everything random that follows a function of ``seed``: Netlet's, NumPy's (legacy) and Python's generators.

    Args:
        seed: 0 to 2^64-1. NumPy's legacy generator takes its low 32 bits.

    Raises: TypeError if ``seed`` is not an integer, ValueError if it is out of range.
    """
    import random as python_random  # not needed by anything else here: keeps `import netlet` short

    random.set_random_seed(seed)
    python_random.seed(int(seed))
    np.random.seed(int(seed) & 0xFFFFFFFF)  # noqa: NPY002 - what scripts written for Keras draw from
