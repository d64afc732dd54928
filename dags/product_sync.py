"""Products: one Airflow DAG for each source that hub.yaml gives the flow.

    product_from_pim    texts, attributes, variants
    product_from_dam    pictures
    product_from_erp    GTIN, tax class, status

Each system owns its fields. An article goes to shop and tills once it is complete: hub trace says what it waits for.
"""

from __future__ import annotations

from hub.airflow.dags import ingest_dags

globals().update(ingest_dags("product"))
