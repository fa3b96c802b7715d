#!/usr/bin/env python3
"""Refuses a commit message, in the file that is named, whose subject is missing or too long."""

from __future__ import annotations

import sys
from pathlib import Path

MOST = 72


def complaint(message: str) -> str | None:
    """What is wrong with the subject of `message`, if anything; lines that start with # do not count."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject = next(filter(None, lines), "")
    if not subject:
        return f"the commit has no subject; remedy: write one of at most {MOST} characters"
    if len(subject) > MOST:
        return f"the subject has {len(subject)} characters; allowed: {MOST}; remedy: move the why to the body"
    if len(lines) > 1 and lines[0] and lines[1]:
        return "the second line is not empty; remedy: leave a line between subject and body"
    return None


if __name__ == "__main__":
    if found := complaint(Path(sys.argv[1]).read_text("utf-8")):
        sys.exit(f"error: {found}")
