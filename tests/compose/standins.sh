#!/usr/bin/env bash
# standins.sh: images in place of those that compose.yaml and the Dockerfile name, for a machine
# with a Docker engine that reaches Debian's packages but no image registry. What is there already
# stays. They prove how the parts are wired, not the official images.
#
# Needs Debian or Ubuntu with mmdebstrap. Grafana is in no Debian package: it has no stand-in.
set -euo pipefail
cd "$(dirname "$0")/../.."
suite=trixie # its packages: PostgreSQL 17, RabbitMQ 4.0, Python 3.13, Prometheus 2.53
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf 'standins: %s\n' "$*" >&2; }
have() { docker image inspect "$1" >/dev/null 2>&1; }
# The name that the project's files give to an image: `named deploy/compose/postgres.yaml postgres:`.
named() { sed -nE "s#^ *(image: |ARG PYTHON_IMAGE=)([^ ]*$2[^ ]*)\$#\2#p" "$1" | head -1; }
# BUILD NAME: a Dockerfile from standard input, with what lies in $work/NAME.
build() { mkdir -p "$work/$2"; cat >"$work/$2/Dockerfile"; say "$1"; docker build --quiet --tag "$1" "$work/$2" >/dev/null; }

debian() {
  have standin/debian && return
  command -v mmdebstrap >/dev/null || { echo "error: mmdebstrap is missing: apt-get install mmdebstrap" >&2; exit 2; }
  local mirror
  mirror=$( (awk '/^URIs:/{print $2}' /etc/apt/sources.list.d/*.sources
    awk '$1=="deb"{for(i=2;i<=NF;i++)if($i~/^http/){print $i;break}}' /etc/apt/sources.list) 2>/dev/null | grep '/debian/*$' | head -1 || true)
  [ -n "$mirror" ] || { echo "error: no Debian mirror in this machine's apt sources" >&2; exit 2; }
  say "debian $suite"
  mmdebstrap -q --variant=minbase --include=ca-certificates,netbase,tzdata --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$suite" "$work/root.tar" "deb $mirror $suite main" </dev/null
  docker import "$work/root.tar" standin/bare >/dev/null
  # This machine's authorities: a network may have one of its own.
  mkdir -p "$work/debian" && cp -L /etc/ssl/certs/ca-certificates.crt "$work/debian/ca.crt"
  build standin/debian debian <<'D'
FROM standin/bare
COPY ca.crt /etc/ssl/certs/ca-certificates.crt
COPY ca.crt /usr/local/share/authorities.crt
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 PIP_CERT=/usr/local/share/authorities.crt
CMD ["bash"]
D
}

python() {
  local name; name=$(named deploy/Dockerfile python:)
  have "$name" && return
  debian
  build "$name" python <<'D'
FROM standin/debian
RUN apt-get update -q && apt-get install -y -q --no-install-recommends python3 python3-pip >/dev/null \
 && rm -rf /var/lib/apt/lists/* /usr/lib/python3*/EXTERNALLY-MANAGED && ln -s python3 /usr/bin/python
CMD ["python3"]
D
}

postgres() {
  local name; name=$(named deploy/compose/postgres.yaml postgres:)
  have "$name" && return
  debian; mkdir -p "$work/postgres"
  # The official entrypoint's contract, as far as it is used here.
  cat >"$work/postgres/entry" <<'D'
#!/bin/bash
set -Eeuo pipefail
if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
  POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); export POSTGRES_PASSWORD; unset POSTGRES_PASSWORD_FILE
fi
[ "$1" = postgres ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /run/postgresql; chown -R postgres "$PGDATA" /run/postgresql; chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD") $POSTGRES_INITDB_ARGS
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start
  psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
  pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec "$@"
D
  build "$name" postgres <<'D'
FROM standin/debian
RUN groupadd -r -g 999 postgres && useradd -r -u 999 -g 999 -d /var/lib/postgresql postgres && mkdir -p /etc/postgresql-common \
 && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf && apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql-17 >/dev/null && rm -rf /var/lib/apt/lists/* \
 && sed -i "s/#listen_addresses = 'localhost'/listen_addresses = '*'/" /usr/share/postgresql/17/postgresql.conf.sample
COPY --chmod=755 entry /usr/local/bin/docker-entrypoint.sh
ENV PATH=$PATH:/usr/lib/postgresql/17/bin PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
D
}

rabbitmq() {
  local name; name=$(named deploy/compose/rabbitmq.yaml rabbitmq:)
  have "$name" && return
  debian; mkdir -p "$work/rabbitmq"
  # As the official one: no password out of a file, no default user beside definitions.
  cat >"$work/rabbitmq/entry" <<'D'
#!/bin/bash
set -euo pipefail
if [ "$(id -u)" = 0 ] && [ "$1" = rabbitmq-server ]; then
  chown -R rabbitmq /var/lib/rabbitmq
  exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups "$0" "$@"
fi
exec "$@"
D
  build "$name" rabbitmq <<'D'
FROM standin/debian
RUN groupadd -r -g 999 rabbitmq && useradd -r -u 999 -g 999 -d /var/lib/rabbitmq rabbitmq && apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends rabbitmq-server >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/lib/rabbitmq/* /var/lib/rabbitmq/.erlang.cookie /var/log/rabbitmq/* && mkdir -p /etc/rabbitmq/conf.d \
 && chown -R rabbitmq /etc/rabbitmq /var/lib/rabbitmq /var/log/rabbitmq && ln -s $(ls -d /usr/lib/rabbitmq/lib/rabbitmq_server-*) /opt/rabbitmq
COPY --chmod=755 entry /usr/local/bin/docker-entrypoint.sh
ENV PATH=/opt/rabbitmq/sbin:$PATH HOME=/var/lib/rabbitmq RABBITMQ_LOGS=-
VOLUME /var/lib/rabbitmq
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["rabbitmq-server"]
D
}

# monitor NAME PACKAGE BINARY DATA: a server of the monitoring, out of its Debian package.
monitor() {
  local name; name=$(named deploy/compose/monitoring.yaml "/$1:")
  have "$name" && return
  debian
  build "$name" "$1" <<D
FROM standin/debian
RUN apt-get update -q && apt-get install -y -q --no-install-recommends wget >/dev/null && cd /tmp && apt-get download -q $2 >/dev/null \\
 && for p in *.deb; do dpkg-deb -x \$p /; done && rm -rf /tmp/*.deb /var/lib/apt/lists/* && mkdir -p $4 && chown -R nobody $4
USER nobody
WORKDIR $4
ENTRYPOINT ["/usr/bin/$3"]
D
}

docker version >/dev/null || { echo "error: no Docker engine answers" >&2; exit 2; }
python
postgres
rabbitmq
if [ "${1:-}" = --monitoring ]; then
  monitor prometheus prometheus prometheus /prometheus
  monitor alertmanager prometheus-alertmanager prometheus-alertmanager /alertmanager
  monitor postgres-exporter prometheus-postgres-exporter prometheus-postgres-exporter /srv
fi
