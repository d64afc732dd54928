#!/bin/sh
# Makes docker/secrets/, each file once: run it again and nothing changes. Keep a copy in a safe place.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets

# The folder keeps others out; the files are read inside containers by another user.
keep() {
  if [ ! -e "secrets/$1" ]; then
    cat >"secrets/.$1"
    chmod 0444 "secrets/.$1"
    mv "secrets/.$1" "secrets/$1"
  fi
}
random() {
  head -c "$1" /dev/urandom | base64 | tr -d '\n'
}
urlsafe() {
  random "$1" | tr '+/' '-_'
}
word() {
  urlsafe "$1" | tr -d '='
}

word 24 | keep postgres_password
word 24 | keep redis_password
urlsafe 32 | keep airflow_fernet_key
word 32 | keep airflow_secret_key
word 48 | keep airflow_jwt_secret
printf '{"admin": "%s", "gateway": "%s"}\n' "$(word 12)" "$(word 24)" | keep airflow_passwords
echo '{}' | keep connections # {"erp": {"conn_type": "http", "host": ..., "password": ...}, ...}

postgres="omnihub:$(cat secrets/postgres_password)@postgres:5432"
redis=$(cat secrets/redis_password)
printf 'postgresql://%s/omnihub' "$postgres" | keep hub_database_url
printf 'postgresql+psycopg2://%s/airflow' "$postgres" | keep airflow_database_url
printf 'db+postgresql://%s/airflow' "$postgres" | keep celery_result_backend
printf 'redis://:%s@redis:6379/0' "$redis" | keep celery_broker_url
printf 'requirepass %s\nappendonly yes\n' "$redis" | keep redis_conf

echo "secrets are in $PWD/secrets; the sign-in of Airflow is in airflow_passwords"
