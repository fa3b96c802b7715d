"""Detectors written as files of other programs."""
