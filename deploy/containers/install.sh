#!/bin/sh
# install-packages FILE: install the pinned packages of FILE, hashes checked, into /packages.
set -eu
pip install --quiet --require-hashes --target /packages --requirement "$1"
# Scripts name an interpreter that the image lacks; nothing uses the tests.
rm -rf /packages/bin /packages/share
find /packages -type d -name tests -prune -exec rm -rf {} +
find /packages -name '*.pyx' -delete
python -m compileall -q /packages
