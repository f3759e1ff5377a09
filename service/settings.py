"""Settings from the environment: `HEADWAY_...`. The engine reads Temporal's own `TEMPORAL_...`."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """How this process is configured. Every setting is described in docs/settings.md."""

    model_config = SettingsConfigDict(env_prefix="HEADWAY_", frozen=True)

    data_dir: Path = Path("data")
    """Where the embedded engines keep everything."""
    database_url: SecretStr | None = None
    """postgresql://user:password@host:5432/name; without it, an embedded PostgreSQL is run."""
    host: str = "127.0.0.1"
    """Where the API listens."""
    port: int = Field(default=8000, ge=1, le=65535)
    """The API's port."""
    database_pool: int = Field(default=10, ge=1, le=200)
    """Most connections that one process keeps to PostgreSQL."""
    task_queue: str = Field(default="headway", min_length=1)
    """The Temporal task queue of workflows and activities."""
    decision_timeout: float = Field(default=5.0, gt=0, le=60)
    """Seconds that a decision may take before the answer is "pending"."""
