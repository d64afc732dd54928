"""The names that operations see in Airflow; the gateway rings the same assets."""

from __future__ import annotations


def ingest_dag_id(flow: str, system: str) -> str:
    return f"{flow}_from_{system}"


def deliver_dag_id(system: str) -> str:
    return f"deliver_{system}"


def reconcile_dag_id(flow: str) -> str:
    return f"reconcile_{flow}"


def approve_dag_id(flow: str) -> str:
    return f"approve_{flow}"


def pool(system: str) -> str:
    """One vendor account, one pool, whatever flows use it."""
    return f"hub_{system}"


def arrived(system: str) -> str:
    """The asset that is rung when something new has arrived at or from ``system``."""
    return f"hub://arrived/{system}"


def waiting(system: str) -> str:
    """The asset that is rung when deliveries wait for ``system``."""
    return f"hub://deliver/{system}"


def held(flow: str) -> str:
    """The asset that is rung when a batch of ``flow`` waits for a person."""
    return f"hub://held/{flow}"


def recovered(system: str) -> str:
    """The asset that is rung when ``system`` answers again after its circuit was open."""
    return f"hub://recovered/{system}"
