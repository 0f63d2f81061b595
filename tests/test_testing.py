"""The test client, its sessions and its kept contexts, and the builder of test environs."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import werkzeug.test
from werkzeug.test import create_environ
from werkzeug.wrappers import Request as StockRequest

from microflask import Flask, Response, g, has_app_context, has_request_context, redirect, request, session
from microflask.testing import EnvironBuilder, FlaskClient, make_test_environ_builder


@pytest.fixture
def site(any_app: Flask) -> Flask:
    """An application whose views tell what they were sent."""

    def tell() -> dict[str, Any]:
        names = ("REMOTE_ADDR", "HTTP_USER_AGENT", "own")
        return {
            "url": request.url, "method": request.method, "json": request.get_json(silent=True),
            "environ": {name: request.environ.get(name) for name in names}, "form": request.form.to_dict(),
        }  # fmt: skip

    def count() -> str:
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    any_app.add_url_rule("/tell", "tell", tell, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    any_app.add_url_rule("/count", "count", count)
    any_app.add_url_rule("/go", "go", lambda: redirect("/count"))
    any_app.add_url_rule("/break", "break", lambda: 1 // 0)
    any_app.add_url_rule("/stream", "stream", lambda: Response(part for part in ("a", "b")))
    return any_app


@pytest.fixture
def visitor(site: Flask) -> FlaskClient:
    return site.test_client()


@pytest.fixture
def ended(site: Flask) -> list[str]:
    """The paths of the requests whose teardown ran."""
    paths: list[str] = []
    site.teardown_request(lambda error: paths.append(request.path))
    return paths


# -- requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_methods(visitor: FlaskClient, method: str) -> None:
    response = getattr(visitor, method)("/tell?a=b")
    assert isinstance(response, Response) and response.json["method"] == method.upper()
    assert response.json["url"] == "http://localhost/tell?a=b" and response.request.path == "/tell"


def test_head_and_options(visitor: FlaskClient) -> None:
    assert visitor.head("/tell").data == b""
    assert {"GET", "POST"} <= set(visitor.options("/tell").allow)


def test_bodies(visitor: FlaskClient) -> None:
    assert visitor.post("/tell", json={"d": [1]}).json["json"] == {"d": [1]}
    assert visitor.post("/tell", data={"a": "b"}).json["form"] == {"a": "b"}
    assert visitor.post("/tell", data={"a": "b", "f": (BytesIO(b""), "f")}).json["form"] == {"a": "b"}


def test_environs_of_a_client(visitor: FlaskClient) -> None:
    told = visitor.get("/tell").json["environ"]
    assert told["REMOTE_ADDR"] == "127.0.0.1" and told["HTTP_USER_AGENT"].startswith("Werkzeug/")
    visitor.environ_base.update(own="mine", REMOTE_ADDR="10.0.0.1")
    assert visitor.get("/tell").json["environ"]["own"] == "mine"
    told = visitor.get("/tell", environ_base={"REMOTE_ADDR": "10.0.0.2"}, headers={"User-Agent": "me"}).json["environ"]
    assert told == {"REMOTE_ADDR": "10.0.0.2", "HTTP_USER_AGENT": "me", "own": "mine"}
    assert visitor.get("/tell", environ_overrides={"own": "other"}).json["environ"]["own"] == "other"


def test_what_may_be_opened(site: Flask, visitor: FlaskClient) -> None:
    requests = [
        EnvironBuilder(site, "/tell"), werkzeug.test.EnvironBuilder("/tell"), create_environ("/tell"),
        StockRequest(create_environ("/tell")), "/tell",
    ]  # fmt: skip
    for each in requests:
        with visitor:
            told = visitor.get(each).json if isinstance(each, str) else visitor.open(each).json
            assert told["url"] == "http://localhost/tell" and told["environ"]["REMOTE_ADDR"] == "127.0.0.1"
            assert request.path == "/tell"


def test_a_builder_that_was_opened_is_not_changed(site: Flask, visitor: FlaskClient) -> None:
    builder = EnvironBuilder(site, "/tell", environ_base={"own": "x"})
    with visitor:
        assert visitor.open(builder).json["environ"]["own"] == "x"
    assert builder.environ_base == {"own": "x"}


def test_redirects(visitor: FlaskClient) -> None:
    assert visitor.get("/go").status_code == 302
    response = visitor.get("/go", follow_redirects=True)
    assert (response.text, response.request.path) == ("1", "/count")
    assert [before.status_code for before in response.history] == [302]


def test_errors_come_out_of_the_client_only_when_testing(site: Flask, visitor: FlaskClient) -> None:
    with pytest.raises(ZeroDivisionError):
        visitor.get("/break")
    site.testing = False
    assert visitor.get("/break").status_code == 500


def test_cookies_of_a_client(site: Flask, visitor: FlaskClient) -> None:
    assert [visitor.get("/count").text for _ in range(3)] == ["1", "2", "3"]
    assert visitor.get_cookie("session") is not None
    visitor.delete_cookie("session")
    assert visitor.get("/count").text == "1"
    forgetful = site.test_client(use_cookies=False)
    assert [forgetful.get("/count").text for _ in range(2)] == ["1", "1"]


def test_json_of_a_response_is_read_by_the_application(site: Flask, visitor: FlaskClient) -> None:
    class Provider(type(site.json)):  # type: ignore[misc]
        def loads(self, s: Any, **kwargs: Any) -> Any:
            return "read by the provider"

    site.json = Provider(site)
    assert visitor.get("/tell").json == "read by the provider"


def test_class_of_the_client(site: Flask) -> None:
    class Own(FlaskClient):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.user = kwargs.pop("user", None)
            super().__init__(*args, **kwargs)

        def open(self, *args: Any, **kwargs: Any) -> Any:
            kwargs.setdefault("headers", {})["X-User"] = self.user
            return super().open(*args, **kwargs)

    site.test_client_class = Own
    site.add_url_rule("/user", "user", lambda: request.headers["X-User"])
    client = site.test_client(user="me")
    assert type(client) is Own and client.get("/user").text == "me"
    assert client.application is site


def test_response_class_of_the_client(site: Flask) -> None:
    class Own(Response):
        extra = 1

    site.response_class = Own
    assert site.test_client().get("/tell").extra == 1
    assert FlaskClient(site, Own, use_cookies=False, allow_subdomain_redirects=True).get("/tell").extra == 1


def test_redirects_to_subdomains(any_app: Flask) -> None:
    any_app.config["SERVER_NAME"] = "x.org"
    any_app.subdomain_matching = True
    any_app.add_url_rule("/", "top", lambda: redirect("http://s.x.org/"))
    any_app.add_url_rule("/", "sub", lambda: "sub", subdomain="s")
    with pytest.raises(RuntimeError):
        any_app.test_client().get("/", follow_redirects=True)
    client = FlaskClient(any_app, Response, allow_subdomain_redirects=True)
    assert client.get("/", follow_redirects=True).text == "sub"
    assert client.get("/", subdomain="s").text == "sub"


# -- kept contexts -------------------------------------------------------------------------------------------------


def test_the_context_stays_in_a_with_block(site: Flask, ended: list[str]) -> None:
    with site.test_client() as client:
        client.get("/tell?vodka=42")
        assert request.args["vodka"] == "42" and has_app_context() and ended == []
        g.kept = True
        client.get("/count")
        assert ended == ["/tell"] and session["count"] == 1 and "kept" not in g
    assert ended == ["/tell", "/count"] and not has_request_context() and not has_app_context()


def test_the_context_stays_after_errors_and_misses(site: Flask, visitor: FlaskClient, ended: list[str]) -> None:
    with visitor:
        with pytest.raises(ZeroDivisionError):
            visitor.get("/break")
        visitor.get("/missing")
        assert request.path == "/missing" and ended == ["/break"]
    assert ended == ["/break", "/missing"]


def test_the_context_of_the_last_of_several_redirects_stays(visitor: FlaskClient, ended: list[str]) -> None:
    with visitor:
        visitor.get("/go", follow_redirects=True)
        assert request.path == "/count" and ended == ["/go"]
    assert ended == ["/go", "/count"]


def test_without_a_with_block_nothing_stays(visitor: FlaskClient, ended: list[str]) -> None:
    visitor.get("/tell")
    assert ended == ["/tell"] and not has_request_context()
    with visitor:
        pass
    visitor.get("/count")
    assert ended == ["/tell", "/count"]


def test_streams_in_a_with_block(visitor: FlaskClient, ended: list[str]) -> None:
    with visitor:
        assert visitor.get("/stream").text == "ab" and request.path == "/stream"
    assert ended == ["/stream"]


def test_an_error_in_the_block_ends_the_context_too(visitor: FlaskClient, ended: list[str]) -> None:
    def work() -> None:
        with visitor:
            visitor.get("/tell")
            raise KeyError("in the block")

    with pytest.raises(KeyError):
        work()
    assert ended == ["/tell"] and not has_request_context()
    with visitor:
        visitor.get("/tell")


def test_blocks_of_one_client_are_not_nested(visitor: FlaskClient) -> None:
    with visitor, pytest.raises(RuntimeError):
        visitor.__enter__()


def test_two_clients_at_once(site: Flask, ended: list[str]) -> None:
    first, second = site.test_client(), site.test_client()
    with first:
        first.get("/count")
        with second:
            second.get("/tell")
            assert request.path == "/tell"
        assert request.path == "/count" and session["count"] == 1
    assert sorted(ended) == ["/count", "/tell"] and not has_request_context()


def test_a_client_inside_of_a_request(site: Flask, visitor: FlaskClient) -> None:
    with site.test_request_context("/outer"):
        visitor.get("/tell")
        assert request.path == "/outer"
        with visitor:
            visitor.get("/tell")
            assert request.path == "/tell"
        assert request.path == "/outer"


def test_an_application_context_around(site: Flask, visitor: FlaskClient) -> None:
    with site.app_context():
        g.own = 1
        with visitor:
            visitor.get("/tell")
        assert g.own == 1 and not has_request_context()


# -- session_transaction -------------------------------------------------------------------------------------------


def test_a_session_is_changed_for_the_next_request(visitor: FlaskClient) -> None:
    with visitor.session_transaction() as before:
        assert len(before) == 0
        before["count"] = 41
    assert visitor.get("/count").text == "42"
    with visitor.session_transaction() as after:
        assert after["count"] == 42
        after.clear()
    assert visitor.get("/count").text == "1"


def test_the_arguments_make_the_request_of_a_transaction(site: Flask, visitor: FlaskClient) -> None:
    with visitor.session_transaction("/", base_url="http://other.org/") as other:
        other["count"] = 7
    assert visitor.get("/count").text == "1"
    assert visitor.get("/count", base_url="http://other.org/").text == "8"


def test_a_transaction_keeps_the_context_of_the_block(visitor: FlaskClient, ended: list[str]) -> None:
    with visitor:
        visitor.get("/count")
        current = request._get_current_object()
        with visitor.session_transaction() as opened:
            assert request._get_current_object() is current
            opened["count"] = 10
        assert request._get_current_object() is current and session["count"] == 1
        assert visitor.get("/count").text == "11"
    assert ended.count("/count") == 2


def test_a_failed_transaction_changes_nothing(visitor: FlaskClient) -> None:
    def work() -> None:
        with visitor.session_transaction() as opened:
            opened["count"] = 5
            raise LookupError("stop")

    with pytest.raises(LookupError):
        work()
    assert visitor.get("/count").text == "1"


def test_transactions_need_cookies_and_a_key(site: Flask) -> None:
    client = site.test_client(use_cookies=False)
    for error in (RuntimeError, TypeError):
        with pytest.raises(error, match="use_cookies"), client.session_transaction():
            pass
    site.secret_key = None
    with pytest.raises(RuntimeError, match="secret_key"), site.test_client().session_transaction():
        pass


def test_no_context_is_bound_in_a_transaction(visitor: FlaskClient) -> None:
    with visitor.session_transaction():
        assert not has_request_context() and not has_app_context()


# -- builders ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "options", "url"),
    [
        ("/a?b=c", {}, "http://localhost/a?b=c"),
        ("/a", {"base_url": "https://x.org:81/root"}, "https://x.org:81/root/a"),
        ("/a", {"url_scheme": "https"}, "https://localhost/a"),
        ("/a", {"subdomain": "s"}, "http://s.localhost/a"),
        ("https://x.org/a?b=c", {}, "https://x.org/a?b=c"),
        ("http://x.org/a", {"url_scheme": "https"}, "http://x.org/a"),
        ("//x.org/a", {}, "http://x.org/a"),
        ("/a", {"query_string": {"q": "\u00e9"}}, "http://localhost/a?q=\u00e9"),
        ("", {}, "http://localhost/"),
    ],
)
def test_urls(site: Flask, path: str, options: dict[str, Any], url: str) -> None:
    with site.test_request_context(path, **options):
        assert request.url == url


def test_urls_follow_the_configuration(site: Flask) -> None:
    site.config.update(SERVER_NAME="x.org:8080", APPLICATION_ROOT="/root", PREFERRED_URL_SCHEME="https")
    scheme = "https" if site.compat.preferred_scheme_in_tests else "http"
    for path in ("/a", "a"):
        with site.test_request_context(path):
            assert request.url == f"{scheme}://x.org:8080/root/a" and request.script_root == "/root"
    with site.test_request_context("/a", subdomain="s"):
        assert request.url == f"{scheme}://s.x.org:8080/root/a"
    with site.test_request_context("/a", base_url="http://y.org"):
        assert request.url == "http://y.org/a"


@pytest.mark.parametrize("options", [{"subdomain": "s"}, {"url_scheme": "https"}])
def test_a_base_url_and_its_parts(site: Flask, options: dict[str, str]) -> None:
    for error in (ValueError, AssertionError):
        with pytest.raises(error, match="base_url"):
            site.test_request_context("/", base_url="http://x.org", **options)


def test_arguments_of_werkzeugs_builder_count(site: Flask) -> None:
    with site.test_request_context(
        "/p", method="POST", json={"a": 1}, headers={"X": "y"}, environ_base={"REMOTE_ADDR": "1.1.1.1"}
    ):
        assert (request.method, request.json, request.headers["X"]) == ("POST", {"a": 1}, "y")
        assert request.remote_addr == "1.1.1.1"


def test_json_of_a_builder_is_the_applications(site: Flask) -> None:
    builder = EnvironBuilder(site, "/", json={"price": Decimal("1.5")})
    assert builder.get_request().get_json() == {"price": "1.5"}
    assert builder.app is site and builder.json_dumps({"b": 1, "a": 2}) == '{"a": 2, "b": 1}'


def test_the_builder_of_old(site: Flask) -> None:
    builder = make_test_environ_builder(site, "/p", "http://x.org/")
    assert isinstance(builder, EnvironBuilder) and builder.get_environ()["HTTP_HOST"] == "x.org"


def test_an_environ_can_be_made_a_builder_again(site: Flask) -> None:
    environ = EnvironBuilder(site, "/p?q=1", method="PUT", data=b"x").get_environ()
    again = EnvironBuilder.from_environ(environ, app=site)
    assert (again.path, again.method) == ("/p", "PUT") and again.get_environ()["QUERY_STRING"] == "q=1"


def test_environ_of_a_context_may_be_asked_to_be_kept(site: Flask, ended: list[str]) -> None:
    ctx = site.test_request_context("/p", environ_overrides={"flask._preserve_context": True})
    with ctx:
        pass
    assert request.path == "/p" and ended == []
    ctx.pop()
    assert ended == ["/p"] and not has_request_context()
