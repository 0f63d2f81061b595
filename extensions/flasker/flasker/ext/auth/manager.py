"""The manager of authentication: its pages, and the guard before all others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from microflask import Blueprint, abort, current_app, redirect, render_template, request, session, url_for

from ...errors import ProjectImportError
from .libraries import LoginManager, UserMixin, current_user, login_user, logout_user
from .provider import GOOGLE, Provider, RefusedError

BLUEPRINT = "flasker_auth"
_MESSAGE = "_flasker_auth_message"


class User(UserMixin):
    """Be somebody who is signed in."""

    def __init__(self, email: str) -> None:
        #: The address, in lower case.
        self.email = email
        #: The address, too.
        self.id = email


class GoogleAuthManager:
    """Let in who signs in with Google, or another provider, and whose address is on a list.

    :param client_id: the application's name with the provider
    :param authorized_emails: the addresses, as a list or as text with commas; their case does not matter
    :param client_secret: the application's password with the provider, if it has one
    :param server_metadata_url: where the provider describes itself
    :param url_prefix: what the URLs of the manager's pages start with
    :param callback_url: where the provider sends the browser back to, below that
    :param protect_all_views: whether every view is for those who are signed in; if not, those with login_required are
    """

    def __init__(
        self, client_id: str, authorized_emails: str | Iterable[str], client_secret: str | None = None,
        server_metadata_url: str = GOOGLE, url_prefix: str = "/auth", callback_url: str = "/oauth2callback",
        protect_all_views: bool = True,
    ) -> None:  # fmt: skip
        self.client_id = client_id
        words = authorized_emails.split(",") if isinstance(authorized_emails, str) else list(authorized_emails)
        #: The addresses in lower case.
        self.emails = {word.strip().lower() for word in words if word.strip()}
        self.client_secret = client_secret
        self.server_metadata_url = server_metadata_url
        self.url_prefix = "/" + url_prefix.strip("/")
        self.callback_url = "/" + callback_url.strip("/")
        self.protect_all_views = protect_all_views
        self._provider: Any = None

    def register(self, project: Any) -> None:
        """Add the pages and the guard to the project's application.

        :raises ProjectImportError: there is no SECRET_KEY, client_id or address
        """
        app = project.app
        if not app.secret_key:
            raise ProjectImportError("GoogleAuthManager needs sessions: set SECRET_KEY in [APP]")
        if not self.client_id:
            raise ProjectImportError("GoogleAuthManager has an empty client_id: the provider gives you one")
        if not self.emails:
            raise ProjectImportError("GoogleAuthManager has no authorized_emails: nobody could sign in")
        self._provider = Provider(app, self.client_id, self.client_secret, self.server_metadata_url)
        login = LoginManager(app)
        login.user_loader(self._load_user)
        login.unauthorized_handler(self._refuse)
        app.register_blueprint(self._make_blueprint())
        if self.protect_all_views:
            # Before what the project has registered, which may answer by itself.
            app.before_request_funcs.setdefault(None, []).insert(0, self._guard)

    def _make_blueprint(self) -> Blueprint:
        pages = Blueprint(BLUEPRINT, __name__, url_prefix=self.url_prefix, template_folder="templates")
        pages.add_url_rule("/sign_in", "sign_in", self._sign_in)
        pages.add_url_rule("/google", "google", self._go_to_provider)
        pages.add_url_rule(self.callback_url, "callback", self._come_back)
        pages.add_url_rule("/sign_out", "sign_out", self._sign_out)
        return pages

    # -- who may see what ----------------------------------------------------------------------------------------

    def _load_user(self, email: str) -> User | None:
        # Each time, so that who is taken off the list is out.
        email = email.lower()
        return User(email) if email in self.emails else None

    def _guard(self) -> Any:
        if request.url_rule is None or request.blueprint == BLUEPRINT:
            return None
        endpoint = request.endpoint or ""
        if endpoint == "static" or endpoint.endswith(".static") or current_user.is_authenticated:
            return None
        return self._refuse()

    def _refuse(self) -> Any:
        """Answer somebody who is not signed in."""
        app: Any = current_app
        if app.area_of_request() is not None:
            abort(401, "sign in first")
        return redirect(url_for(f"{BLUEPRINT}.sign_in", next=_this_url()))

    # -- the pages -----------------------------------------------------------------------------------------------

    def _sign_in(self) -> Any:
        target = request.args.get("next")
        link = url_for(f"{BLUEPRINT}.google", next=target or None)
        return render_template("flasker/sign_in.html", message=session.pop(_MESSAGE, None), link=link)

    def _go_to_provider(self) -> Any:
        target = request.args.get("next", "")
        try:
            url = self._provider.authorization_url(url_for(f"{BLUEPRINT}.callback", _external=True), target)
        except Exception:  # of Authlib and of what it calls; whatever it is, there is no way to the provider
            current_app.logger.warning("The sign-in could not start", exc_info=True)
            return self._back("The provider cannot be reached. Try again later.", target)
        return redirect(url)

    def _come_back(self) -> Any:
        if "error" in request.args:
            return self._back(f"The provider refused the sign-in: {request.args['error'][:100]}")
        try:
            email, target = self._provider.take_answer(request.args.get("state"))
        except RefusedError as error:
            return self._back(f"You are not signed in: {error}.")
        except Exception:  # of Authlib and of what it calls; whatever it is, nobody gets in by it
            current_app.logger.warning("A sign-in failed", exc_info=True)
            return self._back("The sign-in failed. Try again.")
        user = self._load_user(email)
        if user is None:
            return self._back(f"{email} may not sign in here.")
        login_user(user)
        return redirect(target if is_local(target) else "/")

    def _sign_out(self) -> Any:
        logout_user()
        return self._back("You are signed out.")

    @staticmethod
    def _back(message: str, target: str = "") -> Any:
        session[_MESSAGE] = message
        return redirect(url_for(f"{BLUEPRINT}.sign_in", next=target or None))


def _this_url() -> str:
    """Return path and query of the current request."""
    query = request.query_string.decode("latin1")
    return quote(request.root_path + request.path) + (f"?{query}" if query else "")


def is_local(target: str) -> bool:
    """Tell whether a URL is a path on this host, in the eyes of a browser too.

    Browsers read a backslash as a slash and leave out tabs and line breaks.
    """
    return target.startswith("/") and not target.startswith("//") and target.isprintable() and "\\" not in target
