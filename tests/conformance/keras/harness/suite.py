"""Which of Keras' test files are run, in which families, and where the installed wheel has them.

The wheel is only read: nothing here imports it.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
from pathlib import Path

#: The release that the recorded outcomes are of.
VERSION = "3.15.1"

HERE = Path(__file__).resolve().parent.parent

#: What Keras' tests import, what teaches NumPy the name bfloat16, and what Netlet's TensorBoard writes with.
IMPORTED = ("absl", "h5py", "ml_dtypes", "pytest", "requests", "scipy", "tensorboardX")

#: Folders of ``keras/src`` whose ``*_test.py`` make up a family.
FAMILIES = {
    "activations": ["activations"],
    "losses": ["losses"],
    "metrics": ["metrics"],
    "initializers": ["initializers"],
    "regularizers": ["regularizers"],
    "constraints": ["constraints"],
    "optimizers": ["optimizers"],
    "schedules": ["optimizers/schedules"],
    "callbacks": ["callbacks"],
}


@functools.cache
def keras_folder() -> Path | None:
    """Return the ``keras`` folder that ``NETLET_KERAS`` names, or that is installed, or None."""
    if given := os.environ.get("NETLET_KERAS"):
        folder = Path(given).resolve()
        return folder if (folder / "src").is_dir() else None
    spec = importlib.util.find_spec("keras")
    places = [] if spec is None else [Path(place) for place in spec.submodule_search_locations or []]
    return next((place for place in places if (place / "src").is_dir()), None)


def keras_version(folder: Path) -> str:
    """Return the version of the Keras in ``folder``, read from its text."""
    text = (folder / "src" / "version.py").read_text(encoding="utf-8")
    found = re.search(r'__version__\s*=\s*"([^"]+)"', text)
    return found[1] if found else "unknown"


def missing_requirement() -> str | None:
    """Return why Keras' tests cannot run here, or None if they can."""
    folder = keras_folder()
    if folder is None:
        return "keras is not installed: pip install 'netlet[conformance]'"
    if (version := keras_version(folder)) != VERSION:
        return f"the recorded outcomes are of keras {VERSION}, installed is {version}"
    absent = [module for module in IMPORTED if importlib.util.find_spec(module) is None]
    if absent:
        return f"{', '.join(absent)}, imported by Keras' tests, not installed: pip install 'netlet[conformance]'"
    return None


def files_of(family: str) -> list[str]:
    """Return the family's test files, relative to ``keras/src``, with forward slashes."""
    folder = keras_folder()
    assert folder is not None, "ask missing_requirement() first"
    src = folder / "src"
    return sorted(
        path.relative_to(src).as_posix() for place in FAMILIES[family] for path in (src / place).glob("*_test.py")
    )


def family_of(name: str) -> str:
    """Return the family of a test, or of its file."""
    place = name.split("::")[0].rpartition("/")[0]
    return next(family for family, places in FAMILIES.items() if place in places)
