"""Boards: an engine as a project of Quartus that goes onto one, made from its description in hw/boards."""
