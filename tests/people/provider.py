"""A small OpenID Connect provider over real HTTP: it signs, and on demand it does it wrongly."""

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.kit.serving import served

NONE, SHARED = b'{"alg":"none"}', b'{"alg":"HS256"}'
CLIENT, SECRET = "headway-tests", "a secret / with + marks"


def _base64(some: bytes) -> str:
    return base64.urlsafe_b64encode(some).decode().rstrip("=")


@dataclass
class TestProvider:
    """Signs in whoever comes as `claims`; `bend` changes the token before it is signed."""

    __test__ = False

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    bend: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=True))
    published: RSAKey | None = None
    away: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> FastAPI:
        """Its endpoints."""
        app = FastAPI(openapi_url=None)
        app.add_api_route("/.well-known/openid-configuration", self.describe)
        app.add_api_route("/keys", self.keys)
        app.add_api_route("/authorize", self.authorize)
        app.add_api_route("/token", self.token, methods=["POST"])
        return app

    async def describe(self) -> JSONResponse:
        """The discovery document."""
        if self.away:
            return JSONResponse({}, 503)
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        )

    async def keys(self) -> JSONResponse:
        """The keys it signs with."""
        key = self.published or self.key
        return JSONResponse(dict(KeySet([key]).as_dict(private=False)))

    async def authorize(self, request: Request) -> RedirectResponse:
        """Everybody is let in at once."""
        asked = dict(request.query_params)
        self.asked.append(asked)
        code = uuid.uuid4().hex
        self.codes[code] = asked
        query = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", 303)

    async def token(self, request: Request) -> JSONResponse:
        """A code for a token, once, for the client that knows secret and verifier."""
        form = dict(parse_qsl((await request.body()).decode()))
        asked = self.codes.pop(form.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or request.headers.get("authorization") != f"Basic {basic}"
            or asked["code_challenge"] != _base64(challenge)
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            **self.claims,
            **self.bend,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return JSONResponse(
            {"access_token": "x", "token_type": "Bearer", "id_token": self.signed(claims)}
        )

    def signed(self, claims: dict[str, Any]) -> str:
        """A token, well signed or as badly as asked."""
        header = {"alg": self.algorithm, "kid": self.key.kid}
        if self.algorithm == "none":
            payload = jwt.encode({"alg": "RS256"}, claims, self.key).split(".")[1]
            return f"{_base64(NONE)}.{payload}."
        if self.algorithm == "HS256":  # the public key taken for a shared secret
            payload = jwt.encode({"alg": "RS256"}, claims, self.key).split(".")[1]
            signed = f"{_base64(SHARED)}.{payload}"
            secret = self.key.as_pem(private=False)
            return f"{signed}.{_base64(hmac.digest(secret, signed.encode(), 'sha256'))}"
        return jwt.encode(header, claims, self.key)


@asynccontextmanager
async def provider() -> AsyncIterator[TestProvider]:
    """A provider that is up for as long as the block runs."""
    made = TestProvider()
    async with served(made.app()) as address:
        made.issuer = address
        yield made
