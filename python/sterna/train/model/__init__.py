"""The network as a PyTorch module, its forms, and its integer graph."""
