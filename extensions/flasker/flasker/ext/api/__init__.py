"""A ReSTful API over the models of a project."""

from __future__ import annotations

from .manager import APIManager

__all__ = ["APIManager"]
