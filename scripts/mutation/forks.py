"""Runs tests on a changed module, each in a fork of a process that has imported all libraries but Sterna.

The file on disk stays as it is: the changed text is what the import of the module gives.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import NoReturn

from sterna.spec.paths import build_cache

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "mutation"
#: What Sterna and its tests import that takes long.
LIBRARIES = (
    "numpy", "torch", "torch.nn", "brevitas.nn", "brevitas.quant", "hypothesis.extra.numpy", "matplotlib.figure",
    "matplotlib.backends.backend_agg", "numba", "cv2", "PIL.Image", "pycocotools.cocoeval", "pydantic", "rich.table",
    "typer", "jinja2", "yaml", "pytest", "unittest.mock",
)  # fmt: skip
#: Modules of the compiled cycle model or with constants in it, and its folder among what is built.
COMPILED, CLOCK = ("sterna.compile.clock.", "sterna.spec."), "clock"
_POLL = 0.05  # seconds
#: A module that others start as a process of its own does so by its file, which then is one with the changed text.
_RUN_AS_SCRIPT = 'if __name__ == "__main__":'


@dataclass(frozen=True)
class Job:
    """Tests on a module. key: what the outcome is known by. module: dotted name; source: its changed text."""

    key: str
    tests: tuple[str, ...]
    module: str = ""
    source: str = ""
    #: Seconds of processor time after which the tests are ended; None: no limit.
    limit: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How a job ended. code: pytest's, None if it was ended for its time. seconds: of processor time.

    noticed: the node id of the test that failed or did not come to an end; None if there is none.
    """

    key: str
    code: int | None
    seconds: float
    noticed: str | None = None

    @property
    def killed(self) -> bool:
        """Whether the tests noticed: one failed, none could be collected, or they did not come to an end."""
        return self.code != 0


def preload() -> None:
    """Import what all tests need, once."""
    os.environ["OMP_NUM_THREADS"] = "1"
    for folder in ("tests", "scripts", "python"):
        sys.path.insert(0, str(ROOT / folder))
    for name in LIBRARIES:
        importlib.import_module(name)
    from hypothesis import settings

    settings.register_profile("mutation", derandomize=True, database=None, deadline=None)


def run(jobs: Iterable[Job], workers: int) -> Iterator[Outcome]:
    """Run `jobs`, so many at a time; the outcomes as they come."""
    waiting, running = iter(jobs), dict[int, tuple[Job, float]]()
    while True:
        while len(running) < workers and (job := next(waiting, None)):
            running[_start(job)] = job, time.monotonic()
        if not running:
            return
        pid, status, used = os.wait4(-1, os.WNOHANG)
        if not pid:
            _end_late(running)
            time.sleep(_POLL)
            continue
        job, _ = running.pop(pid)
        _end_group(pid)
        code = os.waitstatus_to_exitcode(status)
        begun = _LastBegun(pid).read() if code else None
        shutil.rmtree(BUILD / f"tmp-{pid}", ignore_errors=True)
        yield Outcome(job.key, None if code < 0 else code, used.ru_utime + used.ru_stime, begun)


def _end_late(running: dict[int, tuple[Job, float]]) -> None:
    """End what waits for ever: the limit is of processor time, so a process that sleeps would never reach it."""
    for pid, (job, began) in running.items():
        if job.limit is not None and time.monotonic() - began > 60 + 20 * job.limit:
            _end_group(pid)


def _end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _start(job: Job) -> int:
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        try:
            _work(job)
        finally:
            os._exit(70)
    return pid


def _work(job: Job) -> NoReturn:
    os.setsid()
    if job.limit is not None:
        seconds = int(job.limit) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    log = BUILD / "logs" / f"{os.getpid()}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1), os.dup2(output, 2)
    print(job.key, flush=True)
    for name in [name for name in sys.modules if name.partition(".")[0] == "sterna"]:
        del sys.modules[name]  # the process that was forked needed a little of it
    base = BUILD / f"tmp-{os.getpid()}"
    base.mkdir(parents=True)
    if job.module:
        sys.meta_path.insert(0, _Changed(job.module, job.source, base))
        _build_apart(job.module, base / "build")
    os.chdir(ROOT)
    import pytest

    code = pytest.main(
        ["-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "-p", "no:xdist",
         "--hypothesis-profile=mutation", f"--basetemp={base / 'tests'}", *job.tests],
        plugins=[_LastBegun(os.getpid())],
    )  # fmt: skip
    sys.stdout.flush()
    if code == 0:
        log.unlink()
    os._exit(int(code))


def _build_apart(module: str, folder: Path) -> None:
    """Let what tests build come to `folder`, as it may be wrong.

    The compiled cycle model is shared unless `module` is a part of it: numba finds it by files on disk.
    """
    compiled = folder / CLOCK
    folder.mkdir()
    if not module.startswith(COMPILED):
        shared = build_cache() / CLOCK
        shared.mkdir(parents=True, exist_ok=True)
        compiled.symlink_to(shared)
    os.environ["STERNA_BUILD_DIR"] = str(folder)


class _LastBegun:
    """A plugin of pytest that keeps the node id of the test that began last: with -x, none begins after a failure."""

    def __init__(self, pid: int) -> None:
        self._file = BUILD / f"tmp-{pid}" / "begun"

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._file.write_text(nodeid, "utf-8")

    def read(self) -> str | None:
        """The node id; None if no test began."""
        return self._file.read_text("utf-8") if self._file.is_file() else None


class _Changed(importlib.abc.MetaPathFinder):
    """Finds one module, with another text than its file has."""

    def __init__(self, name: str, source: str, folder: Path) -> None:
        self._name, self._source, self._folder = name, source, folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec is not None and spec.origin is not None
        spec.loader = _Loader(fullname, spec.origin, self._source, self._folder)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, source: str, folder: Path) -> None:
        super().__init__(fullname, path)
        self._source, self._folder = source, folder

    def exec_module(self, module: ModuleType) -> None:
        if _RUN_AS_SCRIPT in self._source:
            changed = self._folder / Path(self.path).name
            changed.write_text(self._source, "utf-8")
            module.__file__ = str(changed)
        super().exec_module(module)

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self._source.encode(), self.path)  # type: ignore[assignment]
        return code
