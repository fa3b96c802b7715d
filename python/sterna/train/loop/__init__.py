"""The training itself: stages, batches, interruption."""
