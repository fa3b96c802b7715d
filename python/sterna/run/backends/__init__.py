"""Backends that are opened by name, one per file."""
