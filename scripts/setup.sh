#!/bin/sh
# Makes the Python environment in the folder given as $1, or brings it up to date, with the versions of constraints.txt.
set -eu
venv=$1

fail() {
  echo "error: $1; remedy: $2" >&2
  exit 1
}

for tool in g++ make perl; do
  command -v "$tool" >/dev/null || fail "$tool is missing (Verilator and the C++ library need it)" "sudo apt install g++ make perl"
done

# The versions that all packages of constraints.txt have wheels for.
for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
  if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
[ -n "${python:-}" ] || fail "no Python 3.11, 3.12 or 3.13 found" \
  "install python3 with its venv module, or run make PYTHON=/path/to/python3.11"
"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python has no venv module" "sudo apt install python3-venv"

echo "Installing into $venv with $("$python" --version). This happens once and takes some minutes."
# An environment that works is brought up to date; anything else is made anew.
"$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear "$venv"
install() {
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "$@" ||
    fail "the packages could not be installed" "see the lines above; a network or a package mirror is needed"
}
# torch alone first: installed together with others it may bring the GPU build, several GB, where there is a CPU build.
install "$(grep '^torch==' constraints.txt)"
# What builds the C++ module comes first: in an environment of its own it would be built anew each time.
install $(grep -E '^(cmake|nanobind|ninja|scikit_build_core)==' constraints.txt)
install --no-build-isolation --editable '.[dev,docs,video,interop,corruptions]'
# It asks for one version of each of its helpers, of which others want newer ones; it works with those.
install --no-deps "$(grep '^tclint==' constraints.txt)"
