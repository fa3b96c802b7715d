"""Losses, optimisers, and what several processes exchange."""
