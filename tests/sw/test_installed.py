"""libsterna as it is installed: programs in C and C++ find it, build without a warning and compute what they should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sterna
from sterna.compile import compile_graph
from sterna.graph import reference
from sterna.package import file as package_file
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


@pytest.mark.slow
def test_refusals_reach_the_program(programs: Path, package_path: Path, tmp_path: Path) -> None:
    said = run(programs / "outputs", tmp_path / "none.sterna", "x", status=1)[1]
    assert said.startswith(f"error: {tmp_path}/none.sterna: is not a file that can be read") and said.count("\n") == 1
    damaged = tmp_path / "damaged.sterna"
    damaged.write_bytes(package_path.read_bytes()[:-1])
    for program, *more in (("outputs", "x"), ("layers",)):
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
  if (count != 2 || strlen(sterna_last_error())) return 1;
  show(sterna_package_open(NULL, &package));
  show(sterna_package_open(arguments[1], NULL));
  show(sterna_package_read(NULL, 1, &package));
  show(sterna_package_read("x", 0, &package));
  if (package || sterna_package_open(arguments[1], &package) || !package) return 1;
  show(sterna_package_layer(package, 99, &layer));
  show(sterna_emulator_open(package, &none, 1, 1, &emulator));
  show(sterna_emulator_open(package, &input, 1, -1, &emulator));
  if (emulator || sterna_emulator_open(package, &input, 1, 1, &emulator)) return 1;
  sterna_package_close(package);
  show(sterna_emulator_run(emulator, image, 1, maps));
  show(sterna_emulator_run(emulator, image, sizeof image, maps));
  show(sterna_emulator_run(NULL, image, sizeof image, maps));
  sterna_emulator_close(emulator);
  sterna_emulator_close(NULL);
  sterna_package_close(NULL);
  printf("%s %s %zu\\n", sterna_version(), sterna_result_text((sterna_result)77), sterna_package_layers(NULL));
  return 0;
}
"""


@pytest.mark.slow
def test_wrong_calls_are_told(prefix: Path, package_path: Path, tmp_path: Path) -> None:
    source, program = tmp_path / "wrong.c", tmp_path / "wrong"
    source.write_text(WRONG_CALLS)
    run("gcc", "-Wall", "-Werror", source, "-o", program, f"-I{prefix}/include", f"-L{prefix}/lib", "-lsterna")
    lines = run(program, package_path, LD_LIBRARY_PATH=str(prefix / "lib"))[0].splitlines()
    wrong, refused = "the call is wrong: ", "a file or a value in it is not as it should be: "
    assert lines == [
        f"{wrong}sterna_package_open: path and package must not be null",
        f"{wrong}sterna_package_open: path and package must not be null",
        f"{wrong}sterna_package_read: data and package must not be null",
        f"{refused}package: is truncated; remedy: copy or compile it again",
        f"{wrong}sterna_package_layer: index = 99; allowed: below 5",
        f"{wrong}sterna_emulator_open: layer = 99; allowed: below 5",
        f"{wrong}sterna_emulator_open: threads = -1; allowed: 0 .. 1024",
        f"{wrong}sterna_emulator_run: the image has 1 bytes; allowed: 351",
        f"{wrong}sterna_emulator_run: map 0 must not be null",
        f"{wrong}sterna_emulator_run: emulator, image and maps must not be null",
        f"{sterna.__version__} an unknown result 0",
    ]
