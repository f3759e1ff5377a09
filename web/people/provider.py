"""The identity provider: OpenID Connect, the authorisation code flow with PKCE."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import SecretStr, TypeAdapter, ValidationError

from service.errors import Fault
from service.kinds import LONGEST_NAME, Email
from service.people.sign_in import Claimed
from service.settings import Settings
from web.kit.context import Pages

log = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures with the provider's own key. Never `none`, and no secret that both sides know."""
WITHIN = 10.0
"""Seconds for each answer of the provider."""
LEEWAY = 60
"""Seconds by which the two clocks may differ."""
KEPT_FOR = 3600.0
"""Seconds for which the provider's description and keys are kept."""
ASK_AGAIN_AFTER = 30.0
"""Seconds before its keys are asked for again because a token names one that is not known."""
LARGEST_ANSWER = 1_000_000
LONGEST_SUBJECT = 255
EMAIL: TypeAdapter[str] = TypeAdapter(Email)


class ProviderAway(Fault):
    """The identity provider does not answer, or not as OpenID Connect asks."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    words = "provider_away"

    def __str__(self) -> str:
        return "the identity provider cannot be reached just now: try again in a moment"


class NotSignedIn(Fault):
    """What came back from the provider is not a sign-in. Why is logged, not shown."""

    status = HTTPStatus.FORBIDDEN

    def __str__(self) -> str:
        return "the sign-in did not succeed: start it again"


@dataclass(slots=True)
class Provider:
    """One OpenID Connect provider, and how its groups become roles."""

    issuer: str
    client_id: str
    client_secret: SecretStr | None
    roles_claim: str
    roles: Mapping[str, str]
    _description: dict[str, Any] = field(default_factory=dict)
    _described_at: float = float("-inf")
    _keys: KeySet | None = None
    _keys_at: float = float("-inf")

    async def address(self, *, state: str, nonce: str, verifier: str, redirect_uri: str) -> str:
        """Where to send the browser."""
        description = await self._described()
        async with self._client(redirect_uri) as client:
            url, _ = client.create_authorization_url(
                description["authorization_endpoint"],
                state=state,
                nonce=nonce,
                code_verifier=verifier,
            )
        return str(url)

    async def claimed(self, *, code: str, nonce: str, verifier: str, redirect_uri: str) -> Claimed:
        """Who comes back with this code. `NotSignedIn` for a token that is not for us, not from
        the provider, not now, or not for this sign-in; `ProviderAway`."""
        description = await self._described()
        try:
            async with self._client(redirect_uri) as client:
                answer = await client.fetch_token(
                    description["token_endpoint"], code=code, code_verifier=verifier
                )
        except AuthlibBaseError as error:
            log.warning("the provider gave no token: %s", error.error)
            raise NotSignedIn from error
        except (httpx2.HTTPError, ValueError) as error:
            log.warning("the provider cannot be asked for a token: %s", type(error).__name__)
            raise ProviderAway from error
        claims = await self._verified(str(answer.get("id_token", "")), nonce)
        return self._claimed(claims)

    async def _verified(self, token: str, nonce: str) -> dict[str, Any]:
        try:
            try:
                decoded = jwt.decode(token, await self._signing_keys(), algorithms=ALGORITHMS)
            except (InvalidKeyIdError, ValueError):  # perhaps signed with a key that is new
                keys = await self._signing_keys(again=True)
                decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            rules = jwt.JWTClaimsRegistry(
                leeway=LEEWAY,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            rules.validate(decoded.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("an ID token was refused: %s: %s", type(error).__name__, error)
            raise NotSignedIn from error
        claims = dict(decoded.claims)
        for_more = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (for_more or "azp" in claims) and claims.get("azp") != self.client_id:
            log.warning("an ID token was refused: it was issued to another client")
            raise NotSignedIn
        return claims

    def _claimed(self, claims: dict[str, Any]) -> Claimed:
        groups = claims.get(self.roles_claim, [])
        groups = [groups] if isinstance(groups, str) else groups
        subject = str(claims["sub"])
        if len(subject) > LONGEST_SUBJECT or not subject.isprintable():
            log.warning("an ID token has a subject that OpenID Connect does not know")
            raise NotSignedIn
        try:
            email = EMAIL.validate_python(claims.get("email"))
        except ValidationError:
            email = ""
        if not email or not isinstance(groups, list):
            log.warning("an ID token has no email, or no list under %s", self.roles_claim)
            raise NotSignedIn
        return Claimed(
            issuer=self.issuer,
            subject=subject,
            email=email,
            email_verified=claims.get("email_verified") is True,
            name=_plain(claims.get("name")) or email,
            groups=tuple(str(group) for group in groups),
        )

    def _client(self, redirect_uri: str) -> AsyncOAuth2Client:
        secret = self.client_secret.get_secret_value() if self.client_secret else None
        return AsyncOAuth2Client(
            self.client_id,
            secret,
            scope="openid email profile",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            timeout=WITHIN,
            follow_redirects=False,
        )

    async def _described(self) -> dict[str, Any]:
        if time.monotonic() - self._described_at < KEPT_FOR:
            return self._description
        url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = await self._ask(url)
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if found.get("issuer") != self.issuer or not all(
            isinstance(found.get(name), str) for name in wanted
        ):
            log.warning("%s does not describe the issuer %s", url, self.issuer)
            raise ProviderAway
        self._description, self._described_at = found, time.monotonic()
        return found

    async def _signing_keys(self, *, again: bool = False) -> KeySet:
        age = time.monotonic() - self._keys_at
        if self._keys is None or age > KEPT_FOR or (again and age > ASK_AGAIN_AFTER):
            found = await self._ask((await self._described())["jwks_uri"])
            try:
                self._keys = KeySet.import_key_set(found)  # type: ignore[arg-type]
            except (JoseError, ValueError, KeyError, TypeError) as error:
                log.warning("the provider's keys cannot be read: %s", error)
                raise ProviderAway from error
            self._keys_at = time.monotonic()
        return self._keys

    async def _ask(self, url: str) -> dict[str, Any]:
        try:
            async with httpx2.AsyncClient(timeout=WITHIN, follow_redirects=False) as client:
                answer = await client.get(url)
                answer.raise_for_status()
                if len(answer.content) > LARGEST_ANSWER:
                    raise ValueError("too large")
                found = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            log.warning("%s cannot be read: %s", url, type(error).__name__)
            raise ProviderAway from error
        if not isinstance(found, dict):
            raise ProviderAway
        return found


def configured_provider(settings: Settings) -> Provider | None:
    """As the settings ask for it; None where people sign in by links."""
    if settings.oidc_issuer is None:
        return None
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id or "",
        client_secret=settings.oidc_client_secret,
        roles_claim=settings.oidc_roles_claim,
        roles=settings.oidc_roles or {},
    )


def provider_of(pages: Pages) -> Provider | None:
    """The provider at which people sign in to these pages."""
    found: Provider | None = pages.kept.get(Provider)
    return found


def _plain(name: object) -> str:
    """A name as it can be shown and stored; empty when there is none."""
    words = str(name or "").split()
    plain = ("".join(one for one in word if one.isprintable()) for word in words)
    return " ".join(word for word in plain if word)[:LONGEST_NAME]
