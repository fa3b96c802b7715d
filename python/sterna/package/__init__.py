"""A model for an engine as one file, `.sterna`, and how its tensors lie in memory."""
