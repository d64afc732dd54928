-- Airflow's own database beside the journal's, made when the server is initialised.
CREATE DATABASE airflow;
