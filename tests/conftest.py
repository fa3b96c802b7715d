"""What all tests share: one thread for each process, and how a case reports what it saw."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from support.cases import GOT, tell

# Small tensors gain nothing from more threads, and busy machines lose much.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def got(record_property: Callable[[str, object], None]) -> Callable[[object], None]:
    """Keeps what a test of a case saw, for docs/results/cases.json."""
    return lambda value: record_property(GOT, str(value))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        tell(item)
