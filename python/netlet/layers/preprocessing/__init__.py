"""Layers that make raw data ready for the others, and are saved with the model. Imported when one is asked for."""

from __future__ import annotations

from netlet.layers.preprocessing.categories import CategoryEncoding, Discretization
from netlet.layers.preprocessing.hashing import Hashing
from netlet.layers.preprocessing.images import CenterCrop, RandomContrast, RandomFlip, Resizing
from netlet.layers.preprocessing.integer_lookup import IntegerLookup
from netlet.layers.preprocessing.numbers import Normalization, Rescaling
from netlet.layers.preprocessing.random_affine import RandomRotation, RandomTranslation, RandomZoom
from netlet.layers.preprocessing.string_lookup import StringLookup

__all__ = [
    "CategoryEncoding",
    "CenterCrop",
    "Discretization",
    "Hashing",
    "IntegerLookup",
    "Normalization",
    "RandomContrast",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "Rescaling",
    "Resizing",
    "StringLookup",
]
