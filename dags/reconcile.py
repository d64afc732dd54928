"""Reconciliation: one Airflow DAG for each flow of hub.yaml, with a task for each of its targets.

    reconcile_stock     what shop and tills really hold, against what they should
    reconcile_price     the same of prices
    reconcile_product   the same of texts, pictures and articles
    reconcile_order     orders in the ERP, parcels and refunds in the shop

Deliveries believe what a target confirmed. This believes nothing and reads it all, once a day, and of a target that
answers again after its circuit was open; what drifted is sent again by the DAGs in delivery.py.
"""

from __future__ import annotations

from hub.airflow.dags import reconcile_dags

globals().update(reconcile_dags())
