"""Delivery: one Airflow DAG for each vendor account that a flow of hub.yaml delivers to.

    deliver_shop    available stock to the web shop
    deliver_tills   stock on hand to the tills of the stores

All flows share an account's DAG, because they share the account's budget of calls.
"""

from __future__ import annotations

from hub.airflow.dags import delivery_dags

globals().update(delivery_dags())
