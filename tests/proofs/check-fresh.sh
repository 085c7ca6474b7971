#!/bin/sh
# Try the two commands in fresh clones, as far as this machine allows, and print the matrix.
#   CHECK=demo (default): make demo N=2000 and the tests of the private servers
#   CHECK=full: make demo N=2000 and make test
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/sirenade-fresh.XXXXXX")
chmod 755 "$work"
rows="$work/matrix"
failed=0
trap 'chmod -R u+rwX "$work" 2>/dev/null; rm -rf "$work"' EXIT

# A bundle: git refuses to clone another user's repository.
git -C "$root" bundle create --quiet "$work/bundle" HEAD || exit 1
chmod 644 "$work/bundle"

# attempt LABEL FOLDER RUNNER PYTHON
attempt() {
  label=$1 folder=$2 runner=$3 python=$4
  started=$(date +%s)
  log="$work/log"
  if ! $runner git clone --quiet "$work/bundle" "$folder" >"$log" 2>&1; then
    outcome="clone failed: $(tail -n 1 "$log")"
  elif ! $runner make -C "$folder" PYTHON="$python" demo N=2000 >"$log" 2>&1; then
    outcome="demo failed: $(tail -n 1 "$log")"
  elif [ "${CHECK:-demo}" = full ] && ! $runner make -C "$folder" PYTHON="$python" test >"$log" 2>&1; then
    outcome="test failed: $(tail -n 1 "$log")"
  elif ! $runner make -C "$folder" PYTHON="$python" servers >"$log" 2>&1 ||
    ! $runner sh -c 'cd "$1" && .venv/bin/python -m pytest -q tests/integration/deploy/local tests/integration/servers' sh "$folder" >"$log" 2>&1; then
    outcome="servers failed: $(tail -n 1 "$log")"
  else
    outcome=passed
  fi
  [ "$outcome" = passed ] || failed=1
  $runner make -C "$folder" clean >/dev/null 2>&1
  printf '%-44s %4s s  %s\n' "$label" "$(($(date +%s) - started))" "$outcome" | tee -a "$rows"
}

skip() { printf '%-44s %6s  %s\n' "$1" "" "not on this machine" | tee -a "$rows"; }

if [ "$(id -u)" = 0 ]; then
  attempt "root, path with spaces" "$work/a path with spaces" "" python3
  mkdir -m 700 "$work/private"
  attempt "root, below a 0700 folder" "$work/private/clone" "" python3
  mkdir "$work/user" && chown nobody "$work/user"
  # The interpreter must be one that an ordinary user can reach.
  other=$(setpriv --reuid=nobody --regid=65534 --clear-groups sh -c 'PATH=/usr/local/bin:/usr/bin:/bin command -v python3')
  if [ -n "$other" ]; then
    attempt "an ordinary user ($other)" "$work/user/clone" \
      "setpriv --reuid=nobody --regid=65534 --clear-groups env HOME=$work/user" "$other"
  else
    skip "an ordinary user"
  fi
else
  attempt "an ordinary user, path with spaces" "$work/a path with spaces" "" python3
  skip "root, and root below a 0700 folder"
fi
for version in 3.11 3.12 3.13; do
  if command -v "python$version" >/dev/null 2>&1 && "python$version" -c '' 2>/dev/null; then
    attempt "Python $version" "$work/python$version" "" "python$version"
  else
    skip "Python $version"
  fi
done
echo
echo "The matrix:"
cat "$rows"
exit $failed
