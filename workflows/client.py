"""The one place that makes a Temporal client."""

import asyncio
import logging
from datetime import timedelta

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import RetryConfig

log = logging.getLogger(__name__)

CALL_RETRIES = RetryConfig(
    initial_interval_millis=50,
    max_interval_millis=400,
    max_elapsed_time_millis=1200,
    max_retries=6,
)
"""A dead server is known to be dead after about a second; callers decide what then."""
TRY_AGAIN_AFTER = 1.0
CONNECT_WITHIN = timedelta(seconds=1)


async def open_client() -> Client:
    """A client as Temporal's own environment says (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ...).

    It connects when it is first used: the API starts and takes submissions without Temporal.
    """
    return await Client.connect(
        **ClientConfig.load_client_connect_config(),
        data_converter=pydantic_data_converter,
        retry_config=CALL_RETRIES,
        connect_timeout=CONNECT_WITHIN,
        lazy=True,
    )


async def wait_for_client() -> Client:
    """A connected client for a worker, which cannot do anything without Temporal: waits for it."""
    while True:
        try:
            return await Client.connect(
                **ClientConfig.load_client_connect_config(),
                data_converter=pydantic_data_converter,
                connect_timeout=CONNECT_WITHIN,
            )
        except RuntimeError as error:
            log.warning("waiting for Temporal: %s", error)
            await asyncio.sleep(TRY_AGAIN_AFTER)
