"""What hardware and software agree on: engine configs, tape format, register map."""

from __future__ import annotations

from sterna.spec.config import EngineConfig, config_names, load_config

__all__ = ["EngineConfig", "config_names", "load_config"]
