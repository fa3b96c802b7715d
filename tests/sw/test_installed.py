"""libsterna as it is installed: programs in C and C++ find it, build without a warning and compute what they should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sterna
from sterna.compile import compile_graph
from sterna.graph import reference
from sterna.package import file as package_file
from sterna.package import signing
from sterna.spec.paths import ROOT
from support.packages import NANO, small_graph

HEADER = ROOT / "sw" / "include" / "sterna.h"
EXAMPLES = ROOT / "sw" / "examples"
MOST_LINES = 60


def run(*command: object, status: int = 0, **environment: str) -> tuple[str, str]:
    """What a command says on stdout and stderr; cmake and ninja may be those of the Python environment."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = os.environ | {"PATH": path} | environment
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, env=variables)
    assert done.returncode == status, done.stderr
    return done.stdout, done.stderr


def functions() -> set[str]:
    """Those that the header declares."""
    return set(re.findall(r"^STERNA_API .*?(sterna_\w+)\(", HEADER.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("program", [*EXAMPLES.glob("*.c"), *EXAMPLES.glob("*.cpp")], ids=lambda path: str(path.name))
def test_examples_are_short(program: Path) -> None:
    assert len(program.read_text("utf-8").splitlines()) < MOST_LINES


@pytest.mark.parametrize("compiler", [("gcc", "-std=c11", "-xc"), ("g++", "-std=c++20", "-xc++")])
def test_headers_need_no_others(compiler: tuple[str, ...], tmp_path: Path) -> None:
    headers = ["sterna.h"] if compiler[0] == "gcc" else ["sterna.h", "sterna.hpp"]
    for header in headers:
        source = tmp_path / "source"
        source.write_text(f"#include <{header}>\n#include <{header}>\n")
        flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-I{HEADER.parent}"]
        run(*compiler, *flags, source)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where libsterna is installed."""
    folder = tmp_path_factory.mktemp("libsterna")
    options = ["-DSTERNA_TESTS=OFF", f"-DCMAKE_INSTALL_PREFIX={folder / 'prefix'}", "-DCMAKE_INSTALL_LIBDIR=lib"]
    run("cmake", "-G", "Ninja", "-S", ROOT / "sw", "-B", folder / "build", *options)
    run("cmake", "--build", folder / "build")
    run("cmake", "--install", folder / "build")
    return folder / "prefix"


@pytest.fixture(scope="module")
def programs(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, built with find_package."""
    build = tmp_path_factory.mktemp("examples")
    options = [f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_C_FLAGS=-Werror", "-DCMAKE_CXX_FLAGS=-Werror -std=c++20"]
    run("cmake", "-G", "Ninja", "-S", EXAMPLES, "-B", build, *options)
    run("cmake", "--build", build)
    return build


@pytest.fixture(scope="module")
def package_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "small.sterna"
    package_file.save(compile_graph(small_graph(), NANO, cycles=False), path)
    return path


@pytest.mark.slow
def test_only_the_functions_of_the_header_are_exported_each_with_its_version(prefix: Path) -> None:
    said = run("nm", "-D", "--defined-only", prefix / "lib" / "libsterna.so")[0]
    names = [line.split()[-1] for line in said.splitlines()]
    assert sorted(names) == sorted(["STERNA_0", *(f"{name}@@STERNA_0" for name in functions())])


@pytest.mark.slow
def test_a_c_program_finds_what_the_reference_does(programs: Path, package_path: Path, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 13, 3)).astype(np.uint8)
    image = tmp_path / "image.rgb"
    image.write_bytes(pixels.tobytes())
    values = (pixels.astype(np.int16) - 128).astype(np.int8).transpose(2, 0, 1)
    out = reference.execute(small_graph(), values)["out"][0]
    expected = f"out [{', '.join(map(str, out.shape))}]: {out.max()} at {out.argmax()}\n"
    assert run(programs / "outputs", package_path, image) == (expected, "")


@pytest.mark.slow
def test_a_cpp_program_finds_what_the_reference_does(programs: Path, package_path: Path) -> None:
    maps = reference.execute(small_graph(), np.zeros((3, 9, 13), np.int8))
    expected = [
        f"{name} [{', '.join(map(str, made.shape[1:]))}]: {made.sum(dtype=np.int64)}" for name, made in maps.items()
    ]
    assert run(programs / "layers", package_path)[0].splitlines() == expected


def described(detector: sterna.Detector, image: np.ndarray) -> list[tuple[str, list[str]]]:
    """Of each box in an image that Python finds: class and score, and its sides; to the last bit."""
    found = detector.detect(image)
    classes = [detector.classes[kind] for kind in found.classes]
    return [
        (f"{name} {score:.9g}", [f"{side:.9g}" for side in box])
        for name, score, box in zip(classes, found.scores, found.boxes, strict=True)
    ]


@pytest.fixture(scope="module")
def detector() -> Iterator[sterna.Detector]:
    with sterna.Detector(sterna.compile("demo-nano")) as detector:
        yield detector


@pytest.fixture(scope="module")
def detector_path(detector: sterna.Detector, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("detector") / "demo.sterna"
    package_file.save(detector.package, path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("size", [(160, 160), (247, 333), (720, 405)])
def test_a_c_program_finds_the_boxes_that_python_finds(
    programs: Path, detector: sterna.Detector, detector_path: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    height, width = size
    path = tmp_path / "image.jpg"
    Image.fromarray(sterna.scene(7, height, width)).save(path)
    expected = [f"{name}: {' '.join(sides)}" for name, sides in described(detector, np.asarray(Image.open(path)))]
    said = run(programs / "boxes", detector_path, path)
    assert expected and said == ("".join(f"{line}\n" for line in expected), "")


@pytest.mark.slow
def test_a_stream_of_a_cpp_program_finds_the_boxes_that_python_finds(
    programs: Path, detector: sterna.Detector, detector_path: Path, tmp_path: Path
) -> None:
    images = [sterna.scene(seed, 96, 128) for seed in range(9)]
    path = tmp_path / "frames.rgb"
    path.write_bytes(b"".join(image.tobytes() for image in images))
    expected = []
    for number, image in enumerate(images):
        boxes = [f"{name} ({' '.join(sides)})" for name, sides in described(detector, image)]
        expected.append(" ".join([f"frame {number}:", *boxes]))
    with path.open("rb") as frames:
        done = subprocess.run(
            [programs / "stream", detector_path, "128", "96"], stdin=frames, capture_output=True, text=True, check=True
        )
    assert sum(line.count("(") for line in expected) > 9 and done.stdout.splitlines() == expected


@pytest.mark.slow
def test_refusals_reach_the_program(programs: Path, package_path: Path, tmp_path: Path) -> None:
    said = run(programs / "outputs", tmp_path / "none.sterna", "x", status=1)[1]
    assert said.startswith(f"error: {tmp_path}/none.sterna: is not a file that can be read") and said.count("\n") == 1
    damaged = tmp_path / "damaged.sterna"
    damaged.write_bytes(package_path.read_bytes()[:-1])
    (tmp_path / "image.rgb").write_bytes(bytes(3))
    for program, *more in (
        ("outputs", "x"),
        ("layers",),
        ("boxes", tmp_path / "image.rgb"),
        ("stream", "1", "1"),
    ):
        said = run(programs / program, damaged, *more, status=1)[1]
        assert said.startswith(f"error: {damaged}: is truncated or has extra bytes") and "remedy: copy" in said


@pytest.mark.slow
def test_pkg_config_tells_how_to_build(prefix: Path, package_path: Path, tmp_path: Path) -> None:
    paths = {"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    assert run("pkg-config", "--modversion", "sterna", **paths)[0].strip() == sterna.__version__
    flags = run("pkg-config", "--cflags", "--libs", "sterna", **paths)[0].split()
    program = tmp_path / "outputs"
    run("gcc", "-std=c11", EXAMPLES / "outputs.c", "-o", program, *flags)
    said = run(program, tmp_path, "x", status=1, LD_LIBRARY_PATH=str(prefix / "lib"))[1]
    assert "is not a file that can be read" in said


#: Opens the package of its first argument, which the key of its second one must have signed.
SIGNED = """
#include <sterna.hpp>
#include <iostream>
int main(int, char **arguments) {
  try {
    std::cout << sterna::Package(arguments[1], arguments[2]).layers().size() << "\\n";
  } catch (const sterna::Error &error) {
    std::cout << error.what() << "\\n";
  }
}
"""


@pytest.mark.slow
def test_signed_packages(prefix: Path, package_path: Path, tmp_path: Path) -> None:
    source, program, signed = tmp_path / "signed.cpp", tmp_path / "signed", tmp_path / "signed.sterna"
    source.write_text(SIGNED)
    run("g++", "-std=c++20", source, "-o", program, f"-I{prefix}/include", f"-L{prefix}/lib", "-lsterna")
    signed.write_bytes(package_path.read_bytes())
    keys = [signing.make_keys(tmp_path / name) for name in ("mine", "other")]
    signing.sign(signed, tmp_path / "mine", str)
    mine, other = (run(program, signed, key.read_text(), LD_LIBRARY_PATH=str(prefix / "lib"))[0] for key in keys)
    assert mine == "5\n" and other.startswith(f"{signed}: is signed with another key; remedy: ")


#: Prints of each wrong call its result, and whether a text tells why.
WRONG_CALLS = """
#include <sterna.h>
#include <stdio.h>
#include <string.h>
static void show(sterna_result result) {
  printf("%s: %s\\n", sterna_result_text(result), sterna_last_error());
}
int main(int count, char **arguments) {
  sterna_package *package = NULL;
  sterna_emulator *emulator = NULL;
  sterna_layer layer;
  size_t input = 0, none = 99;
  int8_t image[351], *maps[] = {NULL};
  sterna_detector *detector = NULL;
  sterna_detector_options options;
  const uint8_t pixels[9] = {0};
  sterna_image picture = {pixels, 3, 1, 0, STERNA_RGB, 0};
  sterna_box boxes[STERNA_MOST_BOXES];
  size_t found;
  uint64_t ticket = 9;
  if (count != 3 || strlen(sterna_last_error())) return 1;
  show(sterna_package_open(NULL, &package));
  show(sterna_package_open(arguments[1], NULL));
  show(sterna_package_open_signed(arguments[1], NULL, &package));
  show(sterna_package_open_signed(arguments[1], "key", &package));
  show(sterna_package_read(NULL, 1, &package));
  show(sterna_package_read("x", 0, &package));
  if (package || sterna_package_open(arguments[1], &package) || !package) return 1;
  show(sterna_package_layer(package, 99, &layer));
  show(sterna_emulator_open(package, &none, 1, 1, &emulator));
  show(sterna_emulator_open(package, &input, 1, -1, &emulator));
  if (emulator || sterna_emulator_open(package, &input, 1, 1, &emulator)) return 1;
  show(sterna_detector_open(package, NULL, &detector));
  show(sterna_detector_open(NULL, NULL, &detector));
  sterna_package_close(package);
  show(sterna_emulator_run(emulator, image, 1, maps));
  show(sterna_emulator_run(emulator, image, sizeof image, maps));
  show(sterna_emulator_run(NULL, image, sizeof image, maps));
  sterna_emulator_close(emulator);
  sterna_emulator_close(NULL);
  if (detector || sterna_package_open(arguments[2], &package)) return 1;
  sterna_detector_defaults(NULL);
  sterna_detector_defaults(&options);
  options.device = "pc:";
  show(sterna_detector_open(package, &options, &detector));
  options.device = NULL;
  show(sterna_detector_open(package, &options, &detector));
  options.device = "emulator:?threads=1";
  options.aspect = (sterna_aspect)9;
  show(sterna_detector_open(package, &options, &detector));
  options.aspect = STERNA_LETTERBOX;
  options.frames = 1;
  if (detector || sterna_detector_open(package, &options, &detector)) return 1;
  sterna_package_close(package);
  if (sterna_detector_classes(detector) != 2 || sterna_detector_class(detector, 2)) return 1;
  show(sterna_detector_submit(detector, NULL, NULL));
  picture.order = STERNA_JPEG;
  show(sterna_detector_submit(detector, &picture, NULL));
  picture.bytes = 9;
  show(sterna_detector_run(detector, &picture, boxes, &found));
  picture.order = STERNA_RGB;
  picture.stride = 8;
  show(sterna_detector_submit(detector, &picture, NULL));
  picture.stride = 0;
  picture.width = 0;
  show(sterna_detector_submit(detector, &picture, NULL));
  picture.width = 3;
  if (sterna_detector_wait(detector, boxes, &found, NULL) != STERNA_EMPTY) return 1;
  if (sterna_detector_submit(detector, &picture, NULL)) return 1;
  if (sterna_detector_submit(detector, &picture, NULL) != STERNA_FULL) return 1;
  show(sterna_detector_run(detector, &picture, boxes, &found));
  show(sterna_detector_wait(detector, NULL, &found, NULL));
  if (sterna_detector_wait(detector, boxes, &found, &ticket) || ticket != 1) return 1;
  if (sterna_detector_submit(detector, &picture, &ticket) || ticket != 2) return 1;
  sterna_detector_close(detector);
  sterna_detector_close(NULL);
  sterna_package_close(NULL);
  printf("%s %s %zu\\n", sterna_version(), sterna_result_text((sterna_result)77), sterna_package_layers(NULL));
  return 0;
}
"""


@pytest.mark.slow
def test_wrong_calls_are_told(prefix: Path, package_path: Path, detector_path: Path, tmp_path: Path) -> None:
    source, program = tmp_path / "wrong.c", tmp_path / "wrong"
    source.write_text(WRONG_CALLS)
    run("gcc", "-Wall", "-Werror", source, "-o", program, f"-I{prefix}/include", f"-L{prefix}/lib", "-lsterna")
    lines = run(program, package_path, detector_path, LD_LIBRARY_PATH=str(prefix / "lib"))[0].splitlines()
    wrong, refused = "the call is wrong: ", "a file or a value in it is not as it should be: "
    assert lines == [
        f"{wrong}sterna_package_open: path and package must not be null",
        f"{wrong}sterna_package_open: path and package must not be null",
        f"{wrong}sterna_package_open_signed: path, public_key and package must not be null",
        f"{refused}{package_path}: is not signed; allowed: a package with its signature {package_path}.minisig; "
        "remedy: take both from its maker",
        f"{wrong}sterna_package_read: data and package must not be null",
        f"{refused}package: is truncated; remedy: copy or compile it again",
        f"{wrong}sterna_package_layer: index = 99; allowed: below 5",
        f"{wrong}sterna_emulator_open: layer = 99; allowed: below 5",
        f"{wrong}sterna_emulator_open: threads = -1; allowed: 0 .. 1024",
        f"{refused}graph: is not a detector; kind = ; allowed: yolov2 with its classes and anchors; remedy: give a "
        "package of a graph made by sterna train",
        f"{wrong}sterna_detector_open: package, device and detector must not be null",
        f"{wrong}sterna_emulator_run: the image has 1 bytes; allowed: 351",
        f"{wrong}sterna_emulator_run: map 0 must not be null",
        f"{wrong}sterna_emulator_run: emulator, image and maps must not be null",
        f"{refused}device 'pc:': there is no such device; scheme = pc; allowed: emulator, sim, soc, pcie; remedy: "
        "choose one of these",
        f"{wrong}sterna_detector_open: package, device and detector must not be null",
        f"{wrong}sterna_detector_open: aspect = 9; allowed: those of sterna_aspect",
        f"{wrong}sterna_detector_submit: image and its pixels must not be null",
        f"{wrong}sterna_detector_submit: bytes = 0; allowed: those of a JPEG file",
        f"{refused}JPEG: cannot be read (Not a JPEG file: starts with 0x00 0x00); remedy: save the image again as a "
        "JPEG of grey or RGB",
        f"{wrong}sterna_detector_submit: stride = 8; allowed: 0, or at least 9",
        f"{refused}image: cannot have this size; 0 x 1; allowed: 1 .. 65535 a side; remedy: scale or crop it",
        f"{wrong}sterna_detector_run: frames are in flight; wait for them first",
        f"{wrong}sterna_detector_wait: detector, boxes and count must not be null",
        f"{sterna.__version__} an unknown result 0",
    ]
