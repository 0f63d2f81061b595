"""Helpers for models and other classes: caching, jsonifying, logging."""

from __future__ import annotations

from .caching import Cacheable, cached_property
from .jsonifying import Jsonifiable, jsonify
from .loggable import Loggable
from .model import Model

__all__ = ["Cacheable", "Jsonifiable", "Loggable", "Model", "cached_property", "jsonify"]
