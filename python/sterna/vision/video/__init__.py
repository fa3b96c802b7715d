"""Videos: reading and writing them, tracks, counting lines and zones, unusual movement.

What it needs is in the extra `video`; nothing outside this folder imports it before it is used.
"""
