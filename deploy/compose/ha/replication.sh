#!/bin/bash
# Let the standby follow: "all" databases do not mean replication.
set -eu
echo "host replication sirenade all scram-sha-256" >> "$PGDATA/pg_hba.conf"
