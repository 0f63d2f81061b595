"""GoogleAuthManager: who gets in, and what the others are told."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html import unescape
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

# Not imported for this: Flask-Login would import Flask itself.
if not all(map(find_spec, ("authlib", "flask_login", "requests"))):
    pytest.skip("the extra flasker[auth] is not installed", allow_module_level=True)

from flasker import ProjectImportError
from oidc_provider import Provider

CONF = "[PROJECT]\nNAME = <My> Project\nMODULES = views\nDB_URL = sqlite://\n[APP]\nSECRET_KEY = 'a key'\n"
VIEWS = """
    from flasker import current_project
    from flasker.ext.api import APIManager
    from flasker.ext.auth import GoogleAuthManager, current_user, login_required
    from flasker.util import Model
    from microflask import request
    from sqlalchemy import Column, Integer

    app = current_project.app

    class Cat(Model):
        id = Column(Integer, primary_key=True)

    current_project.register_manager(APIManager(add_all_models=True))
    current_project.register_manager(GoogleAuthManager(OPTIONS))

    @app.before_request
    def answer_all():
        if request.args.get('early'):
            return 'early'

    @app.route('/', methods=['GET', 'POST'])
    def index():
        return f'index for {current_user.email}' if current_user.is_authenticated else 'index for nobody'

    @app.route('/private')
    @login_required
    def private():
        return f'private for {current_user.id}'
"""


@pytest.fixture(scope="module")
def one_provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture
def provider(one_provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    for name, value in {
        "key": one_provider.published, "claims": {}, "header": {}, "with_id_token": True, "asked": [],
        "token_requests": [], "codes": {}, "email": "his@email.com",
    }.items():  # fmt: skip
        setattr(one_provider, name, value)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return one_provider


class Browser:
    """Sign somebody in, step by step."""

    def __init__(self, project: Any, provider: Provider) -> None:
        self.app = project.app
        self.provider = provider
        self.client = project.app.test_client()

    def go(self, target: str = "/auth/google") -> dict[str, str]:
        """Go to the provider and return what comes back from there."""
        response = self.client.get(target)
        assert response.status_code == 302
        return self.provider.authorize(response.location)

    def come_back(self, **answer: str) -> Any:
        return self.client.get("/auth/oauth2callback", query_string=answer)

    def sign_in(self, target: str = "/auth/google") -> Any:
        return self.come_back(**self.go(target))

    def message(self, response: Any) -> str:
        """Return the message of the page that a response leads to."""
        assert response.status_code == 302
        assert urlsplit(response.location).path == "/auth/sign_in"
        page = self.client.get(response.location)
        found = re.search(r'role="alert">(.*?)</p>', page.text)
        assert found is not None
        return unescape(found[1])

    def is_in(self) -> bool:
        response = self.client.get("/")
        return bool(response.status_code == 200 and response.text != "index for nobody")


@pytest.fixture
def make_browser(start: Any, provider: Provider) -> Any:
    def make(more: str = "", conf: str = CONF) -> Browser:
        options = (
            f"client_id={provider.client_id!r}, authorized_emails=['hers@email.com', 'His@Email.com'],"
            f" client_secret='the secret', server_metadata_url={provider.metadata_url!r}"
        )
        views = VIEWS.replace("OPTIONS", f"**{{**dict({options}), **dict({more})}}")
        return Browser(start(conf, views=views), provider)

    return make


@pytest.fixture
def browser(make_browser: Any) -> Browser:
    return make_browser()  # type: ignore[no-any-return]


# -- not signed in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "url", "target"),
    [
        ("GET", "/", "/"), ("POST", "/", "/"), ("GET", "/private", "/private"),
        ("GET", "/private?a=1&b=%26", "/private?a=1&b=%26"), ("GET", "/?early=1", "/?early=1"),
    ],
)  # fmt: skip
def test_views_lead_to_the_page(browser: Browser, method: str, url: str, target: str) -> None:
    response = browser.client.open(url, method=method)
    assert response.status_code == 302
    parts = urlsplit(response.location)
    assert parts.path == "/auth/sign_in"
    assert parse_qs(parts.query) == {"next": [target]}


def test_the_api_says_401(browser: Browser) -> None:
    response = browser.client.get("/api/cats/")
    assert response.status_code == 401
    assert response.get_json()["status"] == "401 Unauthorized"


def test_what_does_not_exist_and_static_files_are_open(browser: Browser) -> None:
    assert browser.client.get("/nothing").status_code == 404
    assert browser.client.get("/static/nothing.css").status_code == 404
    assert browser.client.put("/").status_code == 405
    response = browser.client.get("/api/nothing")
    assert (response.status_code, response.mimetype) == (404, "application/json")


def test_the_page_links_to_the_provider_with_the_target(browser: Browser) -> None:
    page = browser.client.get("/auth/sign_in?next=" + quote("/private?a=1&b=2")).text
    assert "&lt;My&gt; Project" in page
    link = unescape(re.search(r'href="(/auth/google[^"]*)"', page)[1])  # type: ignore[index]
    assert parse_qs(urlsplit(link).query) == {"next": ["/private?a=1&b=2"]}
    assert 'href="/auth/google"' in browser.client.get("/auth/sign_in").text


# -- signing in --------------------------------------------------------------------------------------------------


def test_the_way_to_the_provider_is_the_code_flow(browser: Browser) -> None:
    url = browser.client.get("/auth/google").location
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert query["response_type"] == "code"
    assert query["client_id"] == "the client"
    assert query["redirect_uri"] == "http://localhost/auth/oauth2callback"
    assert query["scope"] == "openid email"
    assert query["code_challenge_method"] == "S256"
    assert len(query["state"]) >= 20
    assert len(query["nonce"]) >= 20


def test_the_metadata_are_fetched_at_the_first_sign_in(browser: Browser, provider: Provider) -> None:
    assert provider.asked == []
    browser.go()
    browser.go()
    assert provider.asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize("email", ["his@email.com", "HIS@EMAIL.com"])
def test_somebody_on_the_list_is_signed_in(browser: Browser, provider: Provider, email: str) -> None:
    provider.email = email
    response = browser.sign_in()
    assert (response.status_code, response.location) == (302, "/")
    assert browser.client.get("/").text == "index for his@email.com"
    assert browser.client.get("/private").text == "private for his@email.com"
    assert browser.client.get("/api/cats/").status_code == 200


def test_the_code_is_exchanged_with_secret_and_verifier(browser: Browser, provider: Provider) -> None:
    browser.sign_in()
    (request,) = provider.token_requests
    assert request["grant_type"] == "authorization_code"
    assert request["code_verifier"]
    assert request["authorization"].startswith("Basic ")


def test_a_client_without_a_secret(make_browser: Any, provider: Provider) -> None:
    browser = make_browser("client_secret=None")
    browser.sign_in()
    assert browser.is_in()
    assert provider.token_requests[0]["authorization"] == ""
    assert provider.token_requests[0]["client_id"] == "the client"


@pytest.mark.parametrize(
    "emails", ["'his@email.com'", "' a@b.c,HIS@email.com ,'", "('his@email.com',)", "iter(['his@email.com'])"]
)
def test_the_list_may_have_several_forms(make_browser: Any, emails: str) -> None:
    browser = make_browser(f"authorized_emails={emails}")
    browser.sign_in()
    assert browser.is_in()


@pytest.mark.parametrize("target", ["/private?a=1&b=%26", "/", "/ü?x=ä", "/a//b"])
def test_the_browser_goes_on_to_where_it_wanted(browser: Browser, target: str) -> None:
    location = browser.sign_in(f"/auth/google?next={quote(target, safe='')}").location
    assert location in (target, quote(target, safe="/?=&%"))


@pytest.mark.parametrize(
    "target",
    ["http://evil.test/", "//evil.test", "/\\evil.test", "\\\\evil.test", "/\t/evil.test", "/\n/evil.test", "private",
     "javascript:alert(1)", "///evil.test", " /x", ""],
)  # fmt: skip
def test_the_browser_goes_nowhere_else(browser: Browser, target: str) -> None:
    assert browser.sign_in(f"/auth/google?next={quote(target, safe='')}").location == "/"
    assert browser.is_in()


def test_below_a_prefix_and_with_other_urls(make_browser: Any) -> None:
    browser = make_browser("url_prefix='account/', callback_url='back'")
    assert browser.client.get("/private").location == "/account/sign_in?next=/private"
    answer = browser.go("/account/google")
    assert browser.client.get("/account/back", query_string=answer).location == "/"
    assert browser.is_in()


def test_signing_out(browser: Browser) -> None:
    browser.sign_in()
    assert browser.message(browser.client.get("/auth/sign_out")) == "You are signed out."
    assert not browser.is_in()
    assert "alert" not in re.sub(r"<style>.*</style>", "", browser.client.get("/auth/sign_in").text, flags=re.DOTALL)


def test_who_is_taken_off_the_list_is_out(browser: Browser) -> None:
    browser.sign_in()
    from flasker import current_project

    manager = next(m for m in current_project._managers if hasattr(m, "emails"))
    manager.emails.remove("his@email.com")
    assert not browser.is_in()


def test_views_may_be_left_open(make_browser: Any) -> None:
    browser = make_browser("protect_all_views=False")
    assert browser.client.get("/").text == "index for nobody"
    assert browser.client.get("/api/cats/").status_code == 200
    assert browser.client.get("/private").location == "/auth/sign_in?next=/private"
    browser.sign_in()
    assert browser.client.get("/private").status_code == 200


def test_a_mounted_application_knows_its_place(browser: Browser) -> None:
    response = browser.client.get("/private", base_url="http://localhost/mounted")
    assert response.location == "/mounted/auth/sign_in?next=/mounted/private"


# -- not signed in after all -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "part"),
    [
        ({"email": "other@email.com"}, "other@email.com may not sign in"),
        ({"email_verified": False}, "not verified"),
        ({"email_verified": None}, "not verified"),
        ({"email_verified": "true"}, "not verified"),
        ({"email": None}, "not verified"),
        ({"nonce": "another"}, "failed"),
        ({"nonce": None}, "failed"),
        ({"aud": "another"}, "failed"),
        ({"aud": "another", "azp": "the client"}, "failed"),
        ({"aud": ["another", "the client"]}, "failed"),
        ({"aud": None}, "failed"),
        ({"iss": "https://evil.test"}, "failed"),
        ({"iss": None}, "failed"),
        ({"exp": 1}, "failed"),
        ({"exp": None}, "failed"),
    ],
)
def test_an_answer_that_is_not_right(browser: Browser, provider: Provider, claims: Any, part: str) -> None:
    provider.claims = claims
    assert part in browser.message(browser.sign_in())
    assert not browser.is_in()


def test_a_token_that_somebody_else_signed(browser: Browser, provider: Provider) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    provider.key = rsa.generate_private_key(65537, 2048)
    assert "failed" in browser.message(browser.sign_in())
    assert not browser.is_in()


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}])
def test_a_token_with_another_algorithm(browser: Browser, provider: Provider, header: dict[str, str]) -> None:
    provider.header = header
    assert "failed" in browser.message(browser.sign_in())
    assert not browser.is_in()


def test_an_answer_without_an_identity(browser: Browser, provider: Provider) -> None:
    provider.with_id_token = False
    assert "who you are" in browser.message(browser.sign_in())
    assert not browser.is_in()


def test_keys_may_change(browser: Browser, provider: Provider) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    browser.sign_in()
    browser.client.get("/auth/sign_out")
    old = provider.published
    try:
        provider.key = provider.published = rsa.generate_private_key(65537, 2048)
        provider.header = {"kid": "2"}
        # The provider publishes under the name that its tokens have.
        get = provider.get
        provider.get = lambda path: _renamed(get(path))  # type: ignore[method-assign]
        browser.sign_in()
        assert browser.is_in()
    finally:
        del provider.get
        provider.key = provider.published = old


def _renamed(answer: tuple[int, Any]) -> tuple[int, Any]:
    for key in answer[1].get("keys", ()):
        key["kid"] = "2"
    return answer


@pytest.mark.parametrize("answer", [{"state": "wrong"}, {"state": ""}, {"code": "wrong"}])
def test_a_wrong_state_or_code(browser: Browser, answer: dict[str, str]) -> None:
    assert "failed" in browser.message(browser.come_back(**{**browser.go(), **answer}))
    assert not browser.is_in()


@pytest.mark.parametrize("answer", [{}, {"code": "x"}, {"state": "x"}])
def test_a_call_out_of_the_blue(browser: Browser, answer: dict[str, str]) -> None:
    assert "failed" in browser.message(browser.come_back(**answer))
    assert not browser.is_in()


def test_the_state_of_another_browser(browser: Browser) -> None:
    answer = Browser.go(browser)
    browser.client = browser.app.test_client()
    assert "failed" in browser.message(browser.come_back(**answer))
    assert not browser.is_in()


def test_a_code_that_was_used(browser: Browser) -> None:
    answer = browser.go()
    browser.come_back(**answer)
    browser.client.get("/auth/sign_out")
    assert "failed" in browser.message(browser.come_back(**answer))
    assert not browser.is_in()


def test_an_error_from_the_provider(browser: Browser) -> None:
    browser.go()
    assert "<b>denied" in browser.message(browser.come_back(error="<b>denied", state="x"))
    assert not browser.is_in()


def test_many_beginnings_do_not_fill_the_cookie(browser: Browser) -> None:
    answers = [browser.go(f"/auth/google?next=/{'x' * 300}") for _ in range(20)]
    assert len(browser.client.get_cookie("session").value) < 4000
    assert browser.come_back(**answers[-3]).location.startswith("/xxx")
    assert "failed" in browser.message(browser.come_back(**answers[0]))


def test_a_provider_out_of_reach(make_browser: Any) -> None:
    browser = make_browser("server_metadata_url='http://127.0.0.1:1/'")
    response = browser.client.get("/auth/google?next=/private")
    assert parse_qs(urlsplit(response.location).query) == {"next": ["/private"]}
    assert "cannot be reached" in browser.message(response)


def test_a_provider_that_talks_nonsense(make_browser: Any, provider: Provider) -> None:
    browser = make_browser(f"server_metadata_url={provider.url + '/nothing'!r}")
    assert "cannot be reached" in browser.message(browser.client.get("/auth/google"))


def test_a_provider_that_went_away(browser: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = browser.go()
    monkeypatch.setattr(provider, "post", lambda form, authorization: (500, {}))
    assert "failed" in browser.message(browser.come_back(**answer))
    assert not browser.is_in()


# -- the start ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "conf", "part"),
    [
        ("", CONF.replace("SECRET_KEY", "OTHER"), "SECRET_KEY"),
        ("client_id=''", CONF, "client_id"),
        ("authorized_emails=[]", CONF, "authorized_emails"),
        ("authorized_emails=' , '", CONF, "authorized_emails"),
    ],
)
def test_what_is_missing_is_told_at_the_start(make_browser: Any, more: str, conf: str, part: str) -> None:
    with pytest.raises(ProjectImportError, match=part):
        make_browser(more, conf)


def test_microflask_answers_to_the_name_of_flask(browser: Browser) -> None:
    import flask_login

    import microflask

    assert sys.modules["flask"].Flask is microflask.Flask
    assert flask_login.utils.session is microflask.session
    assert browser.app.compat.name == "documented"


def test_what_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    monkeypatch.setitem(sys.modules, "flask_login", None)
    monkeypatch.delitem(sys.modules, "flasker.ext.auth.libraries", raising=False)
    with pytest.raises(ImportError, match=r"flasker\[auth\]"):
        importlib.import_module("flasker.ext.auth.libraries")
