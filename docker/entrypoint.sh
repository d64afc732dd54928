#!/bin/sh
# Secrets come as files in /run/secrets, of which a container has those that it needs. They are handed on here in the
# form that each program reads, and never printed.
set -eu
umask 077
secrets=${SECRETS_FOLDER:-/run/secrets}

# variable:file
for pair in \
  HUB_DATABASE_URL:hub_database_url \
  AIRFLOW__DATABASE__SQL_ALCHEMY_CONN:airflow_database_url \
  AIRFLOW__CELERY__RESULT_BACKEND:celery_result_backend \
  AIRFLOW__CELERY__BROKER_URL:celery_broker_url \
  AIRFLOW__CORE__FERNET_KEY:airflow_fernet_key \
  AIRFLOW__API__SECRET_KEY:airflow_secret_key \
  AIRFLOW__API_AUTH__JWT_SECRET:airflow_jwt_secret; do
  file="$secrets/${pair#*:}"
  if [ -r "$file" ]; then
    export "${pair%%:*}=$(cat "$file")"
  fi
done

# A copy of this user's own: the hub refuses a file of connections that others may read, Airflow writes to its file.
own() {
  if [ -r "$1" ]; then
    cat "$1" >"$2.$$"
    mv "$2.$$" "$2"
  fi
}
own "$secrets/connections" "$HUB_HOME/connections.json"
own "$secrets/airflow_passwords" "$AIRFLOW_HOME/passwords.json"

exec "$@"
