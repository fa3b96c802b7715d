"""Detectors written as files for other programs."""
