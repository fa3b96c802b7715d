"""What a training came to: precision, density, plots, pages."""
