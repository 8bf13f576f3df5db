#!/bin/sh
# Writes the lock files: every package with its exact version and the hashes of all its builds, for every platform.
# dev.txt is a superset of app.txt and image.txt with the same versions, so that one environment serves all.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null || { echo "lock: uv is needed (https://docs.astral.sh/uv)" >&2; exit 1; }
compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links "$@"
}
compile pyproject.toml --extra dev --output-file requirements/dev.txt
compile pyproject.toml --extra local --constraint requirements/dev.txt --output-file requirements/app.txt
compile pyproject.toml --extra image --constraint requirements/dev.txt --output-file requirements/image.txt
compile requirements/emulator.in --output-file requirements/emulator.txt
