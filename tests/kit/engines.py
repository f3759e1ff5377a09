"""PostgreSQL with the newest schema, and Temporal servers with settings of a test's own."""

import sys
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

import migrations
from embedded.postgres import postgres, postgres_url
from embedded.program import running
from embedded.temporal import address, free_port, temporal

CONNECTIONS = 400
"""Each process of a parallel run keeps pools for several houses and databases."""


def short_folder() -> Path:
    """A new folder for engines: a socket's path must be short."""
    return Path(tempfile.mkdtemp(prefix="hw-"))


@asynccontextmanager
async def migrated_postgres(folder: Path) -> AsyncIterator[Path]:
    """A PostgreSQL server in this folder, with the newest schema in its own database."""
    usual = postgres(folder, durable=False)
    more = ("-c", f"max_connections={CONNECTIONS}")
    async with running(replace(usual, argv=(*usual.argv, *more))):
        await migrations.upgrade(postgres_url(folder))
        yield folder


@asynccontextmanager
async def temporal_with(folder: Path, *settings: str, identity: str = "") -> AsyncIterator[Client]:
    """A client of a Temporal server with these dynamic settings."""
    port = free_port()
    usual = temporal(folder, port, durable=False)
    more = [part for setting in settings for part in ("--dynamic-config-value", setting)]
    async with running(replace(usual, argv=(*usual.argv, *more))):
        yield await Client.connect(
            address(port),
            data_converter=pydantic_data_converter,
            identity=identity or None,
        )


async def apart(client: Client) -> Client:
    """A client of the same server, where there is nothing of other tests: of a namespace of its
    own, which costs a fortieth of a server."""
    name = f"apart-{uuid.uuid4().hex[:12]}"
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace=name, workflow_execution_retention_period=Duration(seconds=24 * 60 * 60)
        )
    )
    config = client.config()
    config["namespace"] = name
    return Client(**config)


async def start_skipping() -> WorkflowEnvironment:
    """A Temporal server on which time passes when the test says so."""
    settings = (
        "frontend.WorkflowTimeSkippingEnabled=true",
        'history.timerProcessorMaxTimeShift="10ms"',
        "history.transferProcessorMaxPollRPS=1000",
        "history.timerProcessorMaxPollRPS=1000",
    )
    return await WorkflowEnvironment.start_time_skipping_v2(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=str(Path(sys.executable).parent / "temporal"),
        dev_server_extra_args=[
            part for setting in settings for part in ("--dynamic-config-value", setting)
        ],
    )
