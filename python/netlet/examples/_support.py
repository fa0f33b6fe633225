"""What the examples share: their common options, and a friendly word where a package is missing."""

from __future__ import annotations

import argparse
import importlib
import os

from netlet.examples import EXAMPLES

EXTRAS = {"sklearn": "scikit-learn", "matplotlib": "matplotlib"}


def require(*modules: str) -> None:
    """Ends the program with one line that says what to install, unless all of ``modules`` can be imported."""
    missing = [EXTRAS[module] for module in modules if not _importable(module)]
    if missing:
        raise SystemExit(f"error: this example needs {' and '.join(missing)}: pip install 'netlet[examples]'")


def _importable(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def parser(example: str, *, epochs: int | None = None, seed: int = 0) -> argparse.ArgumentParser:
    """An argument parser with what all examples take: ``--seed``, ``--backend`` and, with a default, ``--epochs``."""
    made = argparse.ArgumentParser(
        prog=f"python -m netlet.examples.{example}",
        description=EXAMPLES[example],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    if epochs is not None:
        made.add_argument("--epochs", type=positive, default=epochs, metavar="N", help="passes over the training data")
    made.add_argument("--seed", type=int, default=seed, metavar="N", help="of the data, the weights and the shuffling")
    made.add_argument(
        "--backend",
        default=os.environ.get("NETLET_BACKEND") or None,
        metavar="NAME",
        help="native, native:avx2, numba, numpy, ...; None is the best that is available",
    )
    return made


def positive(text: str) -> int:
    """``text`` as a positive int, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, got {text}")
    return value


def choose_backend(name: str | None) -> None:
    """Makes ``name`` the backend of this process, or leaves the choice to Netlet if it is None.

    Ends the program with one line if that backend, or the one that ``NETLET_BACKEND`` names, cannot serve here.
    """
    from netlet.backends import default_target
    from netlet.errors import BackendUnavailableError

    if name:
        os.environ["NETLET_BACKEND"] = name
    try:
        default_target()
    except (ValueError, BackendUnavailableError) as error:
        raise SystemExit(f"error: {error}") from None
