"""Airflow's side of the hub: DAGs built from hub.yaml, two tasks, one plugin. Only this room imports Airflow."""
