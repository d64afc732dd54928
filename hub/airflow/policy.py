"""What Airflow does with the engine's errors: minutes belong to Airflow, seconds to hub.transport."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowFailException

from hub.errors import Held, HubError, StopRun, TryLater, Unknown

RETRIES: dict[str, Any] = {
    "retries": 4,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2,  # 1, 2, 4, 8 minutes
    "max_retry_delay": timedelta(minutes=10),
}

POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=StopRun, action=RetryAction.FAIL, reason="repeating it does not help: a person must act"),
        RetryRule(exception=Held, action=RetryAction.FAIL, reason="a guard waits for a person or a newer snapshot"),
        RetryRule(exception=TryLater, action=RetryAction.DEFAULT, reason="the system may answer in some minutes"),
        RetryRule(exception=Unknown, action=RetryAction.DEFAULT, reason="the next try reads back before it sends"),
    ]
)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Fail with the sentence a person needs: no chain of causes, and no retry where repeating does not help."""
    try:
        yield
    except (StopRun, Held) as error:
        raise AirflowFailException(str(error)) from None
    except HubError as error:
        raise error.with_traceback(None) from None
