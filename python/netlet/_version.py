"""The version of Netlet: the one place where it is written (pyproject.toml and CMakeLists.txt read it here)."""

__version__ = "0.1.0"
