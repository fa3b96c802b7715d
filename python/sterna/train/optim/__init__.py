"""Losses, optimisers, and communication between processes."""
