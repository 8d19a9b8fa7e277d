#!/bin/sh
# Starts the embedded PostgreSQL: makes its databases where the volume has none, gives the role the
# password of the Secret, and serves. JOURNAL_DATA is the volume, JOURNAL_PASSWORD_FILE the Secret's key.
set -eu
# Not the volume itself, which has files of its own such as lost+found.
data=$JOURNAL_DATA/databases

# SQL, a command a line, while nobody else is let in. No statement is logged: one holds the password.
alone() {
  postgres --single -D "$1" -c exit_on_error=on -c log_min_error_statement=panic postgres >/dev/null
}

if [ ! -d "$data" ]; then
  # A start that was cut short leaves no more than this behind.
  rm -rf "$data.new"
  initdb --pgdata="$data.new" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=peer --auth-host=scram-sha-256 >/dev/null
  echo "host all all all scram-sha-256" >>"$data.new/pg_hba.conf"
  printf '%s\n' "CREATE ROLE isthmus LOGIN;" "CREATE DATABASE isthmus OWNER isthmus;" | alone "$data.new"
  sync
  mv "$data.new" "$data"
fi
echo "ALTER ROLE isthmus PASSWORD '$(cat "$JOURNAL_PASSWORD_FILE")';" | alone "$data"
# Routes of many pods: each holds some connections.
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp -c max_connections=300 "$@"
