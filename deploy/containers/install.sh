#!/bin/sh
# install-packages FILE: the pinned packages of FILE, hashes checked, compiled, in /packages.
set -eu
pip install --quiet --require-hashes --target /packages --requirement "$1"
# Scripts name an interpreter and a folder that the image does not have; tests are nobody's here.
rm -rf /packages/bin /packages/share
find /packages -type d -name tests -prune -exec rm -rf {} +
find /packages -name '*.pyx' -delete
python -m compileall -q /packages
