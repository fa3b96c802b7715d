"""What all tests share: one thread for each process, no clock for random tests, and how a case reports what it saw."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

from support.cases import GOT, tell

# Small tensors gain nothing from more threads, and busy machines lose much.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A busy machine is no fault of a test: how long an example takes is not looked at.
settings.register_profile("sterna", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sterna")


@pytest.fixture
def got(record_property: Callable[[str, object], None]) -> Callable[[object], None]:
    """Keeps what a test of a case saw, for docs/results/cases.json."""
    return lambda value: record_property(GOT, str(value))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        tell(item)
