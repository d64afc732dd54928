"""Stock: one Airflow DAG for each source that hub.yaml gives the flow.

    stock_from_erp      warehouse stock, when the ERP is open
    stock_from_stores   stock files of the stores, as soon as one is complete
    stock_from_tills    sales at the tills, as movements
    stock_from_shop     orders and cancellations of the web shop, as reservations

Each reads what is new, keeps it in the journal, computes what every channel may sell, and delivers
at once where it can; what is left is sent by the DAGs in delivery.py.
"""

from __future__ import annotations

from hub.airflow.dags import ingest_dags

globals().update(ingest_dags("stock"))
