#!/bin/bash
# Start a node of the cluster with the cookie that all of them have.
set -eu
cookie=/var/lib/rabbitmq/.erlang.cookie
rm -f "$cookie"
install --mode=400 --owner=rabbitmq --group=rabbitmq /run/secrets/rabbitmq_cookie "$cookie"
exec docker-entrypoint.sh "$@"
