"""Rules for hosts: a host that needs no work is looked up as it is, and the answers are those of the URL adapter."""

import pytest

from microflask import Flask, url_for

HOSTS = [
    "example.org", "EXAMPLE.org", "example.org:80", "example.org:8080", "a.example.org", "a-b.example.org",
    "-a.example.org", "a..example.org", ".example.org", "example.org.", "xn--mnchen-3ya.example.org", "other.net",
    "elsewhere.test", "[::1]", "127.0.0.1", "x" * 63 + ".example.org", "x" * 64 + ".example.org", "a b.example.org",
    ".".join(["label"] * 60), "", "m\xc3\xbcnchen.example.org",
]  # fmt: skip


class Asking(Flask):
    """Have a URL adapter of one's own, which is asked for each request."""

    def create_url_adapter(self, request):
        return super().create_url_adapter(request)


def fill(app):
    for host in ["example.org", "other.net", "<name>.example.org", "example.org:8080", "127.0.0.1"]:
        def view(host=host, **values):
            return f"{host} {sorted(values.items())} {url_for('example.org', _external=False)}"

        for path in ["/", "/literal", "/number/<int:number>", "/slash/", "/<path:rest>"]:
            app.add_url_rule(path, f"{host}{path}", view, host=host)
    app.add_url_rule("/quiet", "quiet", lambda: "quiet", host="other.net")
    app.add_url_rule("/home", "example.org", lambda: "home", host="example.org")
    return app


@pytest.fixture(scope="module")
def both():
    return [
        fill(kind("tests.hosts", static_folder=None, host_matching=True)).test_client() for kind in (Flask, Asking)
    ]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/", "/literal", "/number/5", "/number/x", "/slash", "/slash/", "/home", "/a//b"])
def test_the_answer_is_that_of_the_adapter(both, host, path):
    answers = []
    for client in both:
        answer = client.get(path, environ_overrides={"HTTP_HOST": host})
        answers.append((answer.status_code, answer.get_data(), answer.headers.get("Location")))
    assert answers[0] == answers[1]


def test_plain_hosts_reach_their_rules_without_an_adapter(both, monkeypatch):
    asked = []
    monkeypatch.setattr(Flask, "create_url_adapter", lambda self, request: asked.append(request))
    assert both[0].get("/quiet", headers={"Host": "other.net"}).get_data(as_text=True) == "quiet"
    assert asked == []
