"""What Airflow does with the engine's errors: it repeats what may help, and stops where a person must act."""

from __future__ import annotations

import pytest

from hub.errors import ConfigError, Held, HubError, StopRun, TryLater, Unknown


@pytest.mark.parametrize("error", [StopRun("sign-in refused"), ConfigError("wrong"), Held("40% fewer rows")])
def test_what_only_a_person_can_solve_is_not_repeated(error: HubError) -> None:
    from airflow.sdk import RetryAction

    from hub.airflow.policy import POLICY

    assert POLICY.evaluate(error, try_number=1, max_tries=4).action is RetryAction.FAIL


@pytest.mark.parametrize("error", [TryLater("503", 30.0), Unknown("no answer"), ConnectionError("reset")])
def test_what_may_pass_is_repeated_after_growing_pauses(error: Exception) -> None:
    from airflow.sdk import RetryAction

    from hub.airflow.policy import POLICY

    assert POLICY.evaluate(error, try_number=1, max_tries=4).action is RetryAction.DEFAULT


def test_the_policy_survives_the_way_through_airflows_database() -> None:
    from airflow.sdk import ExceptionRetryPolicy

    from hub.airflow.policy import POLICY

    again = ExceptionRetryPolicy.deserialize(POLICY.serialize())
    assert again.evaluate(StopRun("x"), 1, 4).action is POLICY.evaluate(StopRun("x"), 1, 4).action


def test_a_failure_is_one_sentence_without_the_chain_behind_it() -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from hub.airflow.policy import one_sentence

    refused = StopRun("the ERP refuses the password")
    refused.__cause__ = OSError("a wall of text")
    with pytest.raises(AirflowFailException, match=r"^the ERP refuses the password$") as caught, one_sentence():
        raise refused
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_an_error_that_may_pass_keeps_its_kind_so_that_the_policy_sees_it() -> None:
    from hub.airflow.policy import one_sentence

    with pytest.raises(TryLater, match="busy"), one_sentence():
        raise TryLater("busy", 2.0)
