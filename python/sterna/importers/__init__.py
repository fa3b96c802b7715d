"""Detectors of other programs, read as network descriptions and plain arrays.

`registry` finds the importer of a file.
"""
