"""Bytes of tensors that exist at a time while something runs."""

from __future__ import annotations

from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile


def peak(work: Callable[[], object]) -> int:
    """Most bytes of PyTorch's tensors in main memory at a time during `work`, besides those that were there before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as taken:
        work()
    events = [event for event in taken.profiler.kineto_results.events() if event.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most
