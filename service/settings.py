"""Settings from the environment: `HEADWAY_...`. The engine reads Temporal's own `TEMPORAL_...`."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
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
    reporting_currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    """The currency of reports over several use cases (ISO 4217)."""
    check_share: float = Field(default=0.1, ge=0, le=1)
    """The share of adoptions that opened a gate and are checked afterwards."""
    check_seed: str = Field(default="headway", min_length=1, max_length=100)
    """What the draw of those begins with."""
    public_url: str | None = Field(default=None, pattern=r"^https?://[^/?#\s]+$")
    """The address that people type, without a path, when something in front speaks TLS."""
    harness_token: SecretStr | None = None
    """With which `headway harness report` brings runs to another installation."""
    oidc_issuer: str | None = Field(default=None, pattern=r"^https?://[^?#\s]+$")
    """The OpenID Connect provider's issuer; without it people sign in by links."""
    oidc_client_id: str | None = None
    """What the provider calls this installation."""
    oidc_client_secret: SecretStr | None = None
    """The secret that the provider gave out; none for a public client."""
    oidc_roles_claim: str = Field(default="roles", min_length=1)
    """The claim of the ID token that carries groups or roles."""
    oidc_roles: dict[str, str] | None = None
    """Which of the claim's values gives which role here, as JSON."""

    @model_validator(mode="after")
    def _provider_is_complete(self) -> Self:
        if self.oidc_issuer is None:
            return self
        if self.oidc_client_id is None or self.public_url is None or not self.oidc_roles:
            raise ValueError(
                "HEADWAY_OIDC_ISSUER needs HEADWAY_OIDC_CLIENT_ID, HEADWAY_OIDC_ROLES and "
                "HEADWAY_PUBLIC_URL as well"
            )
        from service.people.sign_in import check_mapping

        check_mapping(self.oidc_roles)
        return self
