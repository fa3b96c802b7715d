"""The driver: packages, devices that run them, and what comes out."""
