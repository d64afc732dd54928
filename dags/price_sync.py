"""Prices: one Airflow DAG for each source that hub.yaml gives the flow.

    price_from_erp      price lists and promotions of the ERP

What counts now in each channel is derived from all of them. A price that begins later, and a promotion that ends, are
published when their moment has come, by whichever of these DAGs or of those in delivery.py runs first after it.
"""

from __future__ import annotations

from hub.airflow.dags import ingest_dags

globals().update(ingest_dags("price"))
