"""Whether Airflow is up, asked through its own API."""

from __future__ import annotations

from dataclasses import dataclass, field

import requests

COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


@dataclass(slots=True)
class AirflowHealth:
    """The four components behind one address; ``token`` is got once, when it is first needed."""

    url: str
    user: str
    password: str = field(repr=False)
    _session: requests.Session = field(default_factory=requests.Session, repr=False)
    _token: str | None = field(default=None, repr=False)

    def missing(self) -> list[str]:
        """The components that are not healthy yet."""
        try:
            told = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=3).json()
        except (requests.RequestException, ValueError):
            return ["api-server", *COMPONENTS]
        return [name for name in COMPONENTS if (told.get(name) or {}).get("status") != "healthy"]

    def warm(self) -> None:
        """Make the first call of the API that tasks use: it takes seconds, and a task would wait for it."""
        self._session.get(f"{self.url}/execution/health", timeout=60).raise_for_status()

    def dags(self) -> set[str]:
        """The DAGs that Airflow has read, paused ones left out."""
        answer = self._session.get(
            f"{self.url}/api/v2/dags",
            params={"limit": "100", "paused": "false"},
            headers={"Authorization": f"Bearer {self._signed_in()}"},
            timeout=10,
        )
        answer.raise_for_status()
        return {dag["dag_id"] for dag in answer.json()["dags"]}

    def import_errors(self) -> list[str]:
        """What kept a DAG file from being read, one sentence each."""
        answer = self._session.get(
            f"{self.url}/api/v2/importErrors",
            headers={"Authorization": f"Bearer {self._signed_in()}"},
            timeout=10,
        )
        answer.raise_for_status()
        told = answer.json()["import_errors"]
        return [f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}" for error in told]

    def ring(self, uri: str) -> None:
        """Post an event of the asset ``uri``; nothing happens while Airflow does not know it."""
        headers = {"Authorization": f"Bearer {self._signed_in()}"}
        found = self._session.get(
            f"{self.url}/api/v2/assets", params={"uri_pattern": uri}, headers=headers, timeout=10
        ).json()["assets"]
        for asset in found:
            if asset["uri"] == uri:
                body = {"asset_id": asset["id"]}
                self._session.post(f"{self.url}/api/v2/assets/events", json=body, headers=headers, timeout=10)

    def _signed_in(self) -> str:
        if self._token is None:
            body = {"username": self.user, "password": self.password}
            answer = self._session.post(f"{self.url}/auth/token", json=body, timeout=10)
            answer.raise_for_status()
            self._token = str(answer.json()["access_token"])
        return self._token
