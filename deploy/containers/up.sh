#!/bin/sh
# up.sh [SERVICE…]: start services and wait until all are healthy. Services are named: a wait for all
# would fail at roles and migrate, which end by themselves.
set -eu
cd "$(dirname "$0")/../.."
if [ $# -eq 0 ]; then
  set -- $(docker compose config --services | grep -vx -e roles -e migrate)
fi
docker compose up --detach --wait --wait-timeout 180 "$@" || {
  docker compose ps --all >&2
  echo "error: a service is not healthy: see make logs-fetcher …, and make doctor" >&2
  exit 1
}
