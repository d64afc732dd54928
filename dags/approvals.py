"""Approvals: one Airflow DAG for each flow of hub.yaml with guards.

    approve_stock       a stock file that was cut, or would empty a store
    approve_price       prices that move too far, or too many at once
    approve_product     too many articles that change at once

A batch that a guard holds starts a run, which waits for a person under Required Actions. Reading goes on meanwhile: a
held batch never blocks the next one.
"""

from __future__ import annotations

from hub.airflow.dags import approval_dags

globals().update(approval_dags())
