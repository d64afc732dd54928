"""Orders: one Airflow DAG for each source that hub.yaml gives the flow.

    order_from_shop     orders, payments, edits, cancellations and refunds of the web shop
    order_from_tills    tickets and returns of the stores
    order_from_erp      what the ERP accepted, shipped, cancelled and took back

They go to the ERP once and only once; its parcels, cancellations and refunds go back to the shop.
"""

from __future__ import annotations

from hub.airflow.dags import ingest_dags

globals().update(ingest_dags("order"))
