"""Graphs and detectors written as files for other programs."""
