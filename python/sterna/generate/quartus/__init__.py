"""What Intel's Quartus needs of a generated engine folder: a component, and a project that fits the engine alone."""
