"""``keras.utils.file_utils`` over local files."""

from __future__ import annotations

import os

exists, isdir, join, listdir, remove, makedirs = (
    os.path.exists,
    os.path.isdir,
    os.path.join,
    os.listdir,
    os.remove,
    os.makedirs,
)
File = open
