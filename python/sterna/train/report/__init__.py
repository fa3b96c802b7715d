"""Results of training: precision, density, plots, pages."""
