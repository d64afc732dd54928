"""What Airflow does with the engine's errors: minutes belong to Airflow, seconds to hub.transport."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowFailException

from hub.errors import Held, HubError, StopRun, TryLater, Unknown

# After 30 s, then 1, 2 and 2 minutes. While a task waits for its next try, news of its source waits too;
# when the last try has failed, the schedule starts afresh.
RETRIES: dict[str, Any] = {
    "retries": 4,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=2),
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
