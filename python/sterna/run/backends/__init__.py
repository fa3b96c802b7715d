"""Backends that are opened by name, one file each."""
