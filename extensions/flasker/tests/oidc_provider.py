"""A provider of OpenID Connect for the tests: real HTTP, real RS256 signatures, and every way to go wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _base64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Provider:
    """Sign people in.

    `claims` replaces claims of the next ID tokens, None takes one away; `key` signs them.
    """

    client_id = "the client"
    email = "his@email.com"

    def __init__(self) -> None:
        self.key = self.published = rsa.generate_private_key(65537, 2048)
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.with_id_token = True
        self.asked: list[str] = []
        self.token_requests: list[dict[str, str]] = []
        self.codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                self._answer(*provider.get(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(*provider.post(dict(parse_qsl(body)), self.headers.get("Authorization")))

            def _answer(self, status: int, value: Any) -> None:
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.metadata_url = f"{self.url}/.well-known/openid-configuration"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # -- what it answers -----------------------------------------------------------------------------------------

    def get(self, path: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
                "id_token_signing_alg_values_supported": ["RS256"], "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
            }  # fmt: skip
        if path == "/keys":
            public = self.published.public_key().public_numbers()
            key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1"}
            return 200, {"keys": [{**key, "n": _number(public.n), "e": _number(public.e)}]}
        return 404, {}

    def authorize(self, url: str) -> dict[str, str]:
        """Be the browser's visit to the provider: return what it brings back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{self.url}/authorize?")
        code = secrets.token_hex(8)
        self.codes[code] = query
        return {"code": code, "state": query["state"]}

    def post(self, form: dict[str, str], authorization: str | None) -> tuple[int, Any]:
        self.token_requests.append({**form, "authorization": authorization or ""})
        query = self.codes.pop(form.get("code", ""), None)
        if query is None or query["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        challenge = _base64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if challenge != query["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        token = {"access_token": "a", "token_type": "Bearer", "expires_in": 60}
        if self.with_id_token:
            token["id_token"] = self.id_token(query["nonce"])
        return 200, token

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": self.client_id, "sub": "1", "iat": now, "exp": now + 60, "nonce": nonce,
            "email": self.email, "email_verified": True, **self.claims,
        }  # fmt: skip
        header = {"alg": "RS256", "kid": "1", **self.header}
        parts = [header, {name: value for name, value in claims.items() if value is not None}]
        text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_base64(b'' if header['alg'] == 'none' else signature)}"
