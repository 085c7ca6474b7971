#!/bin/sh
# up.sh [SERVICE…]: start, and wait until all is healthy. What is to be waited for is named: the
# wait for all would fail at migrate, which ends well.
set -eu
cd "$(dirname "$0")/../.."
if [ $# -eq 0 ]; then
  set -- $(docker compose config --services | grep -vx migrate)
fi
docker compose up --detach --wait --wait-timeout 180 "$@" || {
  docker compose ps --all >&2
  echo "error: not all is healthy: make logs-fetcher … shows why, make doctor what is missing" >&2
  exit 1
}
