#!/bin/bash
# Start one of two PostgreSQL servers. An empty one copies the other where that takes writes. One
# that was the primary does not start beside another primary: empty its volume, and it follows.
set -eu
PGPASSWORD=$(cat /run/secrets/postgres_password)
export PGPASSWORD

peer_takes_writes() {
  asked=$(psql --host="$PEER" --username=sirenade --dbname=sirenade --no-align --tuples-only \
    --command="SELECT pg_is_in_recovery()" 2>/dev/null) && [ "$asked" = f ]
}

if [ -s "$PGDATA/PG_VERSION" ]; then
  if [ ! -e "$PGDATA/standby.signal" ] && peer_takes_writes; then
    echo "$PEER takes writes: this server is an old primary; empty its volume to let it follow" >&2
    exit 1
  fi
elif [ "$BEGINS_AS" = standby ] || peer_takes_writes; then
  until peer_takes_writes; do sleep 1; done
  install --directory --mode=700 --owner=postgres --group=postgres "$PGDATA"
  gosu postgres pg_basebackup --dbname="host=$PEER user=sirenade" --pgdata="$PGDATA" \
    --write-recovery-conf --checkpoint=fast
fi
unset PGPASSWORD
exec docker-entrypoint.sh "$@"
