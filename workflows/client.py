"""The one place that makes a Temporal client."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import RetryConfig

CALL_RETRIES = RetryConfig(
    initial_interval_millis=50,
    max_interval_millis=400,
    max_elapsed_time_millis=1200,
    max_retries=6,
)
"""A dead server is known to be dead after about a second; callers decide what then."""
CONNECT_WITHIN = timedelta(seconds=1)


async def open_client() -> Client:
    """A client as Temporal's own environment says (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ...).

    It connects when it is first used: whoever starts before the server does not fail.
    """
    return await Client.connect(
        **ClientConfig.load_client_connect_config(),
        data_converter=pydantic_data_converter,
        retry_config=CALL_RETRIES,
        connect_timeout=CONNECT_WITHIN,
        lazy=True,
    )
