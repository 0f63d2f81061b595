"""The conversation with the provider: OpenID Connect's code flow, with state, nonce and PKCE."""

from __future__ import annotations

from typing import Any

from microflask import session

from .libraries import OAuth

GOOGLE = "https://accounts.google.com/.well-known/openid-configuration"
#: Seconds to wait for the provider.
TIMEOUT = 10
#: How many sign-ins may be on their way in one browser; each takes room in the session's cookie.
MOST_STATES = 3
_NAME = "flasker"
_STATE = f"_state_{_NAME}_"


class RefusedError(Exception):
    """The provider's answer is not one that signs anybody in; the text says why."""


class Provider:
    """Talk to a provider of OpenID Connect.

    :param app: the application
    :param metadata_url: where the provider describes itself; it is asked at the first sign-in
    """

    def __init__(self, app: Any, client_id: str, client_secret: str | None, metadata_url: str) -> None:
        self.client_id = client_id
        options: dict[str, Any] = {
            "scope": "openid email", "code_challenge_method": "S256", "default_timeout": TIMEOUT,
        }  # fmt: skip
        if client_secret is None:
            options["token_endpoint_auth_method"] = "none"
        self._client: Any = OAuth(app).register(
            _NAME, client_id=client_id, client_secret=client_secret, server_metadata_url=metadata_url,
            client_kwargs=options,
        )  # fmt: skip

    def authorization_url(self, callback_url: str, target: str) -> str:
        """Return where the browser has to go, and remember in the session what its answer is checked with.

        :param target: where it shall go when it comes back
        """
        data = self._client.create_authorization_url(callback_url)
        url = data.pop("url")
        states = sorted((key for key in session if key.startswith(_STATE)), key=lambda key: session[key]["exp"])
        for key in states[: len(states) - MOST_STATES + 1]:
            del session[key]
        self._client.save_authorize_data(redirect_uri=callback_url, target=target, **data)
        return url  # type: ignore[no-any-return]

    def take_answer(self, state: str | None) -> tuple[str, str]:
        """Check the answer in the current request; return the address that it is about, and the target.

        :raises RefusedError: the provider says that the address is not verified, or says not enough
        :raises Exception: of Authlib and its libraries: the answer is not right, or the provider not there
        """
        known = self._client.framework.get_state_data(session, state) or {}
        issuer = self._client.load_server_metadata().get("issuer")
        if not issuer:
            raise RefusedError("the provider does not say how to check its answers")
        claims: dict[str, Any] = {
            "iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": self.client_id},
        }  # fmt: skip
        token = self._client.authorize_access_token(claims_options=claims)
        user = token.get("userinfo")
        if not user:
            raise RefusedError("the provider did not say who you are")
        audience = user["aud"]
        if isinstance(audience, list) and len(audience) > 1 and user.get("azp") != self.client_id:
            raise RefusedError("the provider's answer is meant for somebody else")
        if not user.get("email") or user.get("email_verified") is not True:
            raise RefusedError("the provider has not verified your address")
        return str(user["email"]), known.get("target", "/")
