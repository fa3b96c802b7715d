"""One interface to everything that executes a package: the same calls, the same results.

To add a backend, derive a class from `Backend`, in any distribution, and name it in the entry point group
`sterna.backends`; the name of the entry point is the scheme of its URIs:

    [project.entry-points."sterna.backends"]
    mine = "my_module:MyBackend"

A backend need only define `_run`; one that can take the next image while it works on one overrides `_stream` too. One
that reaches an engine by registers and memory derives from `sterna.run.engine.EngineBackend` instead, and brings a
`sterna.run.transport.Transport`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from types import TracebackType
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.package.counters import Counters
from sterna.package.package import Package
from sterna.run.transport import Transport
from sterna.run.uri import Parameter, Uri

#: By layer name: int8[N, C, H, W].
Results = dict[str, NDArray[np.int8]]
#: Called now and then during a batch with the image's number and the steps of the tape that are done.
Progress = Callable[[int, int], None]
#: Called with one line about whatever takes long.
Announce = Callable[[str], None]


class Backend(ABC):
    """Executes packages. Used as `with open_backend(uri) as backend: backend.load(package); backend.infer(images)`.

    It is ready as soon as it is made. Every method raises SternaError for errors that a user can fix.

    >>> package = sterna.compile("demo-nano")
    >>> image = sterna.prepare(package.graph, sterna.scene(7))
    >>> with sterna.open_backend("reference:") as backend:
    ...     backend.load(package)
    ...     backend.infer(image[None])["output"].shape
    (1, 35, 10, 10)
    """

    #: How a URI of it is written, for people.
    usage: ClassVar[str]
    #: The parameters of its URIs, by name.
    parameters: ClassVar[Mapping[str, Parameter]] = {}
    #: Bytes of an engine's memory that `sterna board test` tries one by one.
    tried_bytes: ClassVar[int] = 64 << 20

    _package: Package | None = None
    _is_closed = False

    @classmethod
    def from_uri(cls, uri: Uri, announce: Announce) -> Self:
        """The backend that `uri` names; here that of a class whose URIs have neither path nor parameters.

        Raises SternaError for a path or parameters that do not exist (`Uri.values` reads those of `cls.parameters`).
        """
        uri.check_no_path()
        uri.values({})
        return cls()

    @classmethod
    def reach(cls, uri: Uri, announce: Announce) -> Transport:
        """The transport to the engine that `uri` names, not open yet. Raises SternaError if the backend has none."""
        raise SternaError(
            "the backend has no engine to look at",
            where=f"backend '{uri}'",
            remedy="name a board or a simulated engine",
        )

    @checked
    def load(self, package: Package) -> None:
        """Make `package` the one that `infer` runs. Raises SternaError if it is damaged or unsuitable."""
        if self._is_closed:
            raise SternaError("is closed", where="backend", remedy="open it again")
        self._package = None
        self._load(package)
        self._package = package

    @checked
    def infer(self, images: NDArray[np.int8], progress: Progress | None = None) -> Results:
        """Run int8[N, C, H, W] (rgb - 128) and return every stored layer and every output of the package."""
        if self._package is None:
            raise SternaError("no package is loaded", where="backend", remedy="load one first")
        self._check(images, self._package)
        return _with_outputs(self._run(images, self._package, progress), self._package)

    @checked
    def stream(self, images: Iterable[NDArray[np.int8]], progress: Progress | None = None) -> Generator[Results]:
        """Run images int8[C, H, W] one after another, and give for each what `infer` returns for it.

        An engine has the next image while it works on one, so images are taken before they are due. Whoever stops in
        the middle closes the generator.
        """
        if self._package is None:
            raise SternaError("no package is loaded", where="backend", remedy="load one first")
        return self._results(images, self._package, progress)

    def _results(
        self, images: Iterable[NDArray[np.int8]], package: Package, progress: Progress | None
    ) -> Generator[Results]:
        def checked() -> Iterator[NDArray[np.int8]]:
            for image in images:
                self._check(image[np.newaxis], package)
                yield image

        with closing(self._stream(checked(), package, progress)) as results:
            for stored in results:
                yield _with_outputs(stored, package)

    def counters(self) -> Counters | None:
        """The cost of the last image; None if the backend has no clock or has run nothing."""
        return None

    def note(self) -> str | None:
        """A line for people that says what exactly executed the package; None if the backend's name says it all."""
        return None

    def close(self) -> None:
        """Release everything, including the package. May be called twice."""
        if not self._is_closed:
            self._is_closed = True
            self._package = None
            self._close()

    def _load(self, package: Package) -> None:
        """Take `package`; raise SternaError if it is damaged or does not suit this backend."""
        package.verify_tape()

    @abstractmethod
    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        """Every stored layer (`package.schedule.stores`) of a checked batch: int8[N, C, H, W] by the layer's name.

        They must be bit-identical to those of `sterna.graph.reference`.
        """

    def _stream(
        self, images: Iterator[NDArray[np.int8]], package: Package, progress: Progress | None
    ) -> Generator[Results]:
        """The same for each of checked images int8[C, H, W]: here one by one."""
        for number, image in enumerate(images):
            yield self._run(image[np.newaxis], package, progress and _of_image(progress, number))

    def _close(self) -> None:  # noqa: B027 (most hold nothing)
        """Release what it holds outside Python."""

    @staticmethod
    def _check(images: NDArray[np.int8], package: Package) -> None:
        shape = package.graph.info[package.graph.input.name].shape
        if images.dtype != np.int8 or images.ndim != 4 or images.shape[1:] != shape or not len(images):
            raise SternaError(
                "the images do not fit the model",
                where=f"layer '{package.graph.input.name}'",
                attribute="images",
                value=f"{images.dtype} {images.shape}",
                allowed=f"int8 [N, C, H, W] with C, H, W = {shape}",
                remedy="resize the images and subtract 128",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def one_by_one(
    compute: Callable[[NDArray[np.int8]], Results],
    images: NDArray[np.int8],
    package: Package,
    progress: Progress | None,
) -> Results:
    """What `compute` gives for each image int8[1, C, H, W] of `images`, as one batch.

    progress: told of each image that all steps of its tape are done.
    """
    frames = []
    for number in range(len(images)):
        frames.append(compute(images[number : number + 1]))
        if progress:
            progress(number, len(package.schedule.steps))
    return {name: np.concatenate([frame[name] for frame in frames]) for name in frames[0]}


def _of_image(progress: Progress, number: int) -> Progress:
    """`progress` for the only image of a batch, which is number `number` of a stream."""
    return lambda _, done: progress(number, done)


def _with_outputs(stored: Results, package: Package) -> Results:
    """The stored layers of a batch and, under their own names, the graph's outputs."""
    return stored | {name: stored[package.source_of(name).layer] for name in package.schedule.outputs}
