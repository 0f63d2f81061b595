"""Rules, maps and adapters do what werkzeug's do, and look at the environ only when asked."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import werkzeug.routing as wr
from hypothesis import given
from hypothesis import strategies as st
from strategies import environs, examples, pick
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, NotFound

from microflask import Flask, request, url_for
from microflask import routing as mr
from microflask.routing import Map, MapAdapter, RequestAdapter, Rule

# -- random maps ---------------------------------------------------------------------------------------------------


class Letters(wr.BaseConverter):
    """May match nothing at all."""

    regex = "[a-z]*"
    weight = 50


class Everything(wr.BaseConverter):
    regex = ".*"
    part_isolating = False


class Pair(wr.BaseConverter):
    """Takes exactly one slash, has a group of its own, and reads a list."""

    regex = r"\w+(/)\w+"

    def to_python(self, value: str) -> list[str]:
        return value.split("/")

    def to_url(self, value: Any) -> str:
        return "/".join(value)


class Picky(wr.BaseConverter):
    def to_python(self, value: str) -> str:
        if value == "b":
            raise wr.ValidationError
        return value.upper()

    def to_url(self, value: Any) -> str:
        if value == "x/y":
            raise wr.ValidationError
        return str(value).lower()


CONVERTERS = {"letters": Letters, "all": Everything, "pair": Pair, "picky": Picky}
SEGMENTS = pick(
    "a", "a", "b", "b", "ab", "", "", "\u00e9", "a b", "a.b", "%41", "a|b", "(a)", "<x{0}>", "<x{0}>", "<int:x{0}>",
    "<path:x{0}>", "<float:x{0}>", "<uuid:x{0}>", "a<x{0}>", "<x{0}>b", "<x{0}>.<int:y{0}>", "<int:x{0}>-<x{0}b>",
    "<any(a,b):x{0}>", "<any('a b', \"ab\"):x{0}>", "<string(length=2):x{0}>", "<string(minlength=2, maxlength=3):x{0}>",
    "<int(min=3, max=40):x{0}>", "<int(fixed_digits=2):x{0}>", "<int(signed=True):x{0}>", "<float(signed=True):x{0}>",
    "<letters:x{0}>", "<all:x{0}>", "<pair:x{0}>", "<picky:x{0}>", "<path:x{0}>.<picky:y{0}>",
)  # fmt: skip
METHODS = pick(None, None, None, ["GET"], ["POST"], ["get", "PUT"], ["PUT", "DELETE"], ["OPTIONS"])
SOMETIMES = pick(False, False, False, False, False, True)


def give_foo(adapter: wr.MapAdapter, **values: Any) -> str:
    """Be the function of a rule that redirects."""
    return f"{adapter.script_name}to/{'-'.join(map(str, values.values()))}"


@st.composite
def rule_texts(draw: st.DrawFn) -> str:
    segments = draw(st.lists(SEGMENTS, max_size=4))
    text = "/" + "/".join(segment.format(at) for at, segment in enumerate(segments))
    return text + ("/" if draw(pick(True, False, False)) else "")


@st.composite
def rule_arguments(draw: st.DrawFn, host_matching: bool) -> tuple[str, dict[str, Any]]:
    """Draw what a rule is made of."""
    text = draw(rule_texts())
    options: dict[str, Any] = {"endpoint": draw(pick("p", "q", "r", "s")), "methods": draw(METHODS)}
    choices: dict[str, Any] = {
        "strict_slashes": pick(True, False, False), "merge_slashes": pick(True, False, False), "build_only": pick(True),
        "defaults": pick({"d": 1}, {"x0": "a"}, {"x0": 7, "d": 2}, {"x1": "b"}, {}), "alias": pick(True),
        "redirect_to": pick("foo", "/bar/<x0>", "http://z.org/", give_foo), "websocket": pick(True),
    }  # fmt: skip
    if host_matching:
        choices["host"] = pick("x.org", "s.x.org", "<host>", "<h>.x.org", "x.org:8080", "")
    else:
        choices["subdomain"] = pick("s", "s", "<sub>", "<sub>.s", "<path:sub>", "")
    for name in draw(st.lists(st.sampled_from(sorted(choices)), max_size=2, unique=True)):
        options[name] = draw(choices[name])
    if options.get("websocket"):
        options["methods"] = None
    if "<x0>" in str(options.get("redirect_to")) and ":x0>" not in text and "<x0>" not in text:
        del options["redirect_to"]
    return text, options


@st.composite
def map_arguments(draw: st.DrawFn) -> dict[str, Any]:
    options: dict[str, Any] = {"converters": CONVERTERS}
    for name in ("host_matching", "sort_parameters"):
        options[name] = draw(SOMETIMES)
    for name in ("strict_slashes", "merge_slashes", "redirect_defaults"):
        options[name] = not draw(SOMETIMES)
    if not options["host_matching"] and draw(SOMETIMES):
        options["default_subdomain"] = "s"
    return options


@st.composite
def map_pairs(draw: st.DrawFn) -> tuple[wr.Map, Map]:
    """Draw a map of werkzeug and one of ours that hold the same rules; some of ours are werkzeug's rules."""
    options = draw(map_arguments())
    stock, ours = wr.Map(**options), Map(**options)
    for text, arguments in draw(st.lists(rule_arguments(options["host_matching"]), min_size=1, max_size=6)):
        kind = wr.Rule if draw(SOMETIMES) else Rule
        try:
            rule = wr.Rule(text, **arguments)
            stock.add(rule)
        except ValueError as error:
            with pytest.raises(type(error)):
                ours.add(kind(text, **arguments))
            continue
        ours.add(kind(text, **arguments))
    return stock, ours


def outcome(work: Callable[[], Any]) -> Any:
    """Return what `work` returns, or what its exception says."""
    try:
        return work()
    except wr.RequestRedirect as error:
        return "redirect", error.code, error.new_url
    except HTTPException as error:
        return type(error).__name__, sorted(getattr(error, "valid_methods", None) or ())
    except wr.BuildError as error:
        return "BuildError", error.endpoint, error.values, error.method
    except Exception as error:
        return type(error)


def same(first: Any, second: Any) -> None:
    assert first == second
    # 1 and 1.0 and True are equal.
    assert repr(first) == repr(second)


# -- matching and building -----------------------------------------------------------------------------------------

PARTS = pick(
    "a", "a", "b", "b", "ab", "", "", "7", "42", "007", "-3", "1.5", "-1.5", "aa.3", "x", "\u00e9", "a b", "a\nb", "\u0663",
    "a|b", "3-x", "(a)", "%41", "12345678-1234-5678-1234-567812345678", "ABC",
)  # fmt: skip


@st.composite
def paths(draw: st.DrawFn) -> str:
    path = "/".join(draw(st.lists(PARTS, max_size=5)))
    return draw(pick("/", "/", "/", "", "//")) + path


VALUES = pick(1, 7, -3, 1.5, "a", "b", "ab", "\u00e4 b", "x/y", "", [1, 2], ["a", "b"], None, "a%b?c#d", True, "s")
NAMES = ("x0", "x1", "x2", "y0", "y1", "x", "d", "zz", "sub", "h", "host", "q y")


@st.composite
def bindings(draw: st.DrawFn, host_matching: bool) -> dict[str, Any]:
    return {
        "server_name": draw(pick("x.org", "x.org", "s.x.org", "x.org:8080", "b\u00fccher.org")),
        "script_name": draw(pick(None, "/", "/app", "/app/", "/a b")),
        "subdomain": None if host_matching else draw(pick(None, None, "", "s", "t.s", "zz")),
        "url_scheme": draw(pick("http", "http", "https", "ws", "wss", "")),
        "default_method": draw(pick("GET", "GET", "POST", "put")),
        "path_info": draw(pick(None, "/a", "")),
        "query_args": draw(pick(None, "", "q=1", {"q": "a b"}, {})),
    }  # fmt: skip


def match_all(adapter: wr.MapAdapter, questions: list[tuple[Any, ...]]) -> list[Any]:
    """Return what an adapter answers to each (path, method, query, websocket)."""
    answers = []
    for path, method, query, websocket in questions:

        def rule_and_values(path: Any = path, method: Any = method, query: Any = query, socket: Any = websocket) -> Any:
            rule, values = adapter.match(path, method, return_rule=True, query_args=query, websocket=socket)
            return rule.rule, rule.endpoint, sorted(rule.methods or "-"), list(values.items())

        answers.append(outcome(rule_and_values))
        answers.append(outcome(lambda path=path, method=method: adapter.match(path, method)))
        answers.append(outcome(lambda path=path, method=method: adapter.test(path, method)))
        answers.append(outcome(lambda path=path: sorted(adapter.allowed_methods(path))))
    return answers


@examples()
@given(st.data())
def test_matching_is_werkzeugs(data: st.DataObject) -> None:
    stock, ours = data.draw(map_pairs())
    binding = data.draw(bindings(stock.host_matching))
    question = st.tuples(
        st.one_of(paths(), paths(), st.none()), pick(None, "GET", "POST", "PUT", "HEAD", "delete"),
        pick(None, None, "", "z=2", {"k": "v"}), pick(None, None, True, False),
    )  # fmt: skip
    questions = data.draw(st.lists(question, min_size=4, max_size=6))
    same(match_all(stock.bind(**binding), questions), match_all(ours.bind(**binding), questions))


@examples()
@given(st.data())
def test_building_is_werkzeugs(data: st.DataObject) -> None:
    stock, ours = data.draw(map_pairs())
    binding = data.draw(bindings(stock.host_matching))
    first, second = stock.bind(**binding), ours.bind(**binding)
    for _ in range(3):
        endpoint = data.draw(pick("p", "q", "r", "s", "missing"))
        values: Any = data.draw(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6))
        if data.draw(SOMETIMES):
            values = data.draw(pick(None, MultiDict([("x0", "a"), ("zz", 1), ("zz", None), ("x1", 2), ("x1", 3)])))
        options = {
            "method": data.draw(pick(None, None, "POST", "GET")), "force_external": data.draw(SOMETIMES),
            "append_unknown": not data.draw(SOMETIMES), "url_scheme": data.draw(pick(None, None, "", "https", "ws", "ftp")),
        }  # fmt: skip
        before = copy.deepcopy(values)
        same(
            outcome(lambda: first.build(endpoint, copy.deepcopy(values), **options)),  # noqa: B023
            outcome(lambda: second.build(endpoint, values, **options)),  # noqa: B023
        )
        assert values == before


@examples(0.3)
@given(map_pairs(), pick("p", "q", "r", "s"))
def test_rules_are_listed_as_werkzeug_does(maps: tuple[wr.Map, Map], endpoint: str) -> None:
    stock, ours = maps

    def described(url_map: wr.Map) -> list[Any]:
        rules = url_map.iter_rules()
        return [(rule.rule, rule.endpoint, sorted(rule.methods or "-"), sorted(rule.arguments)) for rule in rules]

    same(described(stock), described(ours))
    for arguments in ((), ("x0",), ("x0", "d"), ("nope",)):
        same(
            outcome(lambda: stock.is_endpoint_expecting(endpoint, *arguments)),  # noqa: B023
            outcome(lambda: ours.is_endpoint_expecting(endpoint, *arguments)),  # noqa: B023
        )
    same(
        outcome(lambda: [rule.rule for rule in stock.iter_rules(endpoint)]),
        outcome(lambda: [rule.rule for rule in ours.iter_rules(endpoint)]),
    )


@examples(0.5)
@given(st.text(st.sampled_from("/<>:()a1_ ,=\"'|.\\%\u00e9\n"), max_size=14))
def test_malformed_rules_are_refused_where_werkzeug_does(text: str) -> None:
    text = f"/{text}"
    same(
        outcome(lambda: wr.Map([wr.Rule(text, endpoint="p")]).bind("x.org").build("p", {"a": 1, "a1": 2, "_": 3})),
        outcome(lambda: Map([Rule(text, endpoint="p")]).bind("x.org").build("p", {"a": 1, "a1": 2, "_": 3})),
    )


def test_a_rule_that_is_no_string_of_its_own_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="start with a slash"):
        Rule("a", endpoint="a")
    with pytest.raises(ValueError, match="malformed url rule: '/a/<b'"):
        Map([Rule("/a/<b", endpoint="a")])
    with pytest.raises(LookupError, match="nope"):
        Map([Rule("/<nope:b>", endpoint="a")])


def test_a_variable_that_stands_twice_in_a_rule_is_refused() -> None:
    # Werkzeug says SyntaxError here.
    with pytest.raises(ValueError, match=r"'/<x>/<int:x>'.*'x' twice"):
        Map([Rule("/<x>/<int:x>", endpoint="p")])
    with pytest.raises(ValueError, match="'x' twice"):
        Map([Rule("/<x>", subdomain="<x>", endpoint="p")])


def test_a_default_that_its_converter_refuses_is_found_at_once() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Map([Rule("/<int:x>", defaults={"x": "a"}, endpoint="p")])


def test_rules_that_come_after_the_first_match_count() -> None:
    stock, ours = wr.Map([wr.Rule("/<x>", endpoint="one")]), Map([Rule("/<x>", endpoint="one")])
    for url_map, kind in ((stock, wr.Rule), (ours, Rule)):
        adapter = url_map.bind("x.org")
        assert adapter.match("/a") == ("one", {"x": "a"})
        assert adapter.build("one", {"x": 1}) == "/1"
        url_map.add(kind("/a", endpoint="two"))
        url_map.add(kind("/<int:x>", endpoint="three"))
        url_map.add(kind("/<int:x>/", endpoint="one"))
        assert adapter.match("/a") == ("two", {}) and adapter.match("/4") == ("three", {"x": 4})
        assert adapter.build("one", {"x": 1}) == "/1"


FACTORIES: list[Callable[[Any], Any]] = [
    lambda kind: wr.Subdomain("s", [kind("/", endpoint="i"), kind("/a/<x>", endpoint="x")]),
    lambda kind: wr.Submount("/m", [kind("/", endpoint="i"), kind("/a/<x>", endpoint="x")]),
    lambda kind: wr.EndpointPrefix("e.", [kind("/", endpoint="i"), kind("/a/<x>", endpoint="x")]),
    lambda kind: wr.RuleTemplate([kind("/$n/", endpoint="$n"), kind("/$n/<x>", endpoint="$n.x")])(n="tpl"),
    lambda kind: wr.Submount("/m", [wr.EndpointPrefix("e.", [kind("/<all:x>/", endpoint="y", methods=["PUT"])])]),
]


@pytest.mark.parametrize("factory", FACTORIES)
def test_rule_factories_work(factory: Callable[[Any], Any]) -> None:
    stock, ours = (url_map(converters=CONVERTERS) for url_map in (wr.Map, Map))
    stock.add(factory(wr.Rule))
    ours.add(factory(Rule))
    questions = [
        (path, method, None, None)
        for path in ("/", "/a/7", "/m", "/m/", "/m/a/b", "/m/x/y", "/tpl", "/tpl/", "/tpl/1")
        for method in ("GET", "PUT")
    ]
    for subdomain in ("", "s"):
        bound = [url_map.bind("x.org", subdomain=subdomain) for url_map in (stock, ours)]
        same(*(match_all(adapter, questions) for adapter in bound))
    assert [(rule.rule, rule.endpoint) for rule in stock.iter_rules()] == [
        (rule.rule, rule.endpoint) for rule in ours.iter_rules()
    ]


def test_dispatch_calls_the_view_and_may_return_the_error() -> None:
    adapter = Map([Rule("/<int:n>", endpoint="number")]).bind("x.org", path_info="/4")
    assert adapter.dispatch(lambda endpoint, values: (endpoint, values)) == ("number", {"n": 4})
    assert isinstance(adapter.dispatch(lambda *_: None, "/x", catch_http_exceptions=True), NotFound)


def test_more_digits_than_an_integer_may_have_match_nothing() -> None:
    # Werkzeug lets int()'s ValueError through here, which would be a 500.
    with pytest.raises(NotFound):
        Map([Rule("/<int:n>", endpoint="number")]).bind("x.org").match("/" + "7" * 5000)


def test_rules_are_equal_by_what_they_say() -> None:
    def bound(text: str, **options: Any) -> Rule:
        rule = Rule(text, endpoint="p", **options)
        Map([rule])
        return rule

    assert bound("/a/<int:x>") == bound("/a/<x>") and bound("/a/<x>") != bound("/a/<y>")
    assert bound("/a", subdomain="s") != bound("/a") and bound("/a") != "/a"
    assert Rule("/a") != Rule("/a") and (rule := Rule("/a")) == rule
    with pytest.raises(TypeError, match="unhashable"):
        hash(bound("/a"))


def test_a_rule_shows_what_it_is() -> None:
    rule = Rule("/a/<int:x>", endpoint="p", methods=["GET"], subdomain="s")
    assert "unbound" in repr(rule)
    url_map = Map([rule, Rule("/b", endpoint="q")])
    assert repr(rule) == "<Rule 's|/a/<x>' (GET, HEAD) -> p>"
    assert "<Rule '/b' -> q>" in repr(url_map)


def test_a_rule_belongs_to_one_map_and_its_empty_copy_to_none() -> None:
    rule = Rule("/a/<x>", endpoint="p", methods=["POST"], defaults={"d": 1})
    Map([rule])
    with pytest.raises(RuntimeError, match="already bound"):
        Map([rule])
    again = rule.empty()
    assert type(again) is Rule
    assert Map([again]).bind("x.org").match("/a/1", "POST") == ("p", {"x": "1", "d": 1})


def test_our_rules_work_in_a_map_of_werkzeug() -> None:
    adapter = wr.Map([Rule("/a/<int:x>", endpoint="p")]).bind("x.org")
    assert adapter.match("/a/3") == ("p", {"x": 3}) and adapter.build("p", {"x": 4, "q": 1}) == "/a/4?q=1"


# -- the adapter of a request --------------------------------------------------------------------------------------

ATTRIBUTES = (
    "server_name", "script_name", "subdomain", "url_scheme", "path_info", "query_args", "websocket",
)  # fmt: skip
SERVER_NAMES = pick(None, None, "x.org", "X.org", "x.org:80", "x.org:443", "x.org:8080", "localhost", "org", "b\u00fccher.org")


@examples()
@given(environs(), SERVER_NAMES, pick(None, None, "", "s"), SOMETIMES)
def test_request_adapter_says_what_werkzeugs_says(
    environ: dict[str, Any], server_name: str | None, subdomain: str | None, host_matching: bool
) -> None:
    if host_matching:
        subdomain = None
    rules = [("/a", None), ("/<path:x>", None), ("/<path:x>", "s")]
    maps = [
        kind(host_matching=host_matching, rules=[rule(text, endpoint=text, subdomain=sub) for text, sub in rules])
        for kind, rule in ((wr.Map, wr.Rule), (Map, Rule))
    ]

    def described(adapter: Any) -> Any:
        texts = [outcome(lambda name=name: getattr(adapter, name)) for name in ATTRIBUTES]
        texts.append(adapter.default_method.upper())
        return texts, [outcome(adapter.match), outcome(lambda: adapter.build("/a", force_external=True)), adapter.test()]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stock = outcome(lambda: maps[0].bind_to_environ(environ, server_name, subdomain))
        expected = stock if isinstance(stock, tuple) else described(stock)
        bound = outcome(lambda: maps[1].bind_to_environ(environ, server_name, subdomain))
        same(expected, bound if isinstance(stock, tuple) else described(bound))
    ours = RequestAdapter(maps[1], environ, server_name, subdomain)
    if isinstance(stock, tuple):
        assert expected == outcome(lambda: ours.server_name)
        assert isinstance(outcome(ours.match), tuple)
    else:
        same(expected, described(ours))


def make_environ(host: str, **more: Any) -> dict[str, Any]:
    return {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "HTTP_HOST": host, "PATH_INFO": "/", **more}


def test_the_adapter_of_a_request_looks_at_nothing_before_it_is_asked() -> None:
    adapter = RequestAdapter(Map(), {})
    with pytest.raises(KeyError):
        adapter.default_method  # noqa: B018
    assert adapter.query_args is None and adapter.path_info == "/"


def test_another_host_than_the_configured_one_is_no_subdomain_and_no_warning() -> None:
    url_map = Map([Rule("/", endpoint="p"), Rule("/", endpoint="s", subdomain="<sub>")])
    for host, expected in (("x.org", "p"), ("a.x.org", "s"), ("other.net", None), ("a.other.net", None)):
        adapter = RequestAdapter(url_map, make_environ(host), "x.org")
        assert adapter.test() is (expected is not None)
        if expected:
            assert adapter.match()[0] == expected


def test_adapters_are_ours() -> None:
    url_map = Map()
    assert type(url_map.bind("x.org")) is MapAdapter
    assert type(url_map.bind_to_environ(make_environ("x.org"))) is MapAdapter
    assert url_map.bind("X.org").server_name == "x.org"
    with pytest.raises(RuntimeError, match="host matching"):
        Map(host_matching=True).bind("x.org", subdomain="a")


# -- in an application ---------------------------------------------------------------------------------------------


def test_static_routes_are_found_under_a_script_name(app: Flask) -> None:
    def cafe(name: str) -> str:
        return "|".join((request.script_root, name, url_for("cafe", name="\u00e4")))

    app.add_url_rule("/caf\u00e9/<name>", view_func=cafe)
    response = app.test_client().get("/caf%C3%A9/x%20y", base_url="http://localhost/sub/")
    assert response.text == "/sub|x y|/sub/caf%C3%A9/%C3%A4"


@pytest.mark.parametrize(("host", "status"), [("x.org", 200), ("a.x.org", 200), ("other.net", 200)])
def test_server_name_does_not_restrict_hosts_by_itself(app: Flask, host: str, status: int) -> None:
    app.config["SERVER_NAME"] = "x.org"
    app.add_url_rule("/", "index", lambda: "ok")
    assert app.test_client().get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("host", "text"), [("x.org", "main"), ("a.x.org", "sub a"), ("other.net", None), ("b.other.net", None)]
)
@pytest.mark.parametrize("switch", ["0.10", "subdomain_matching"])
def test_subdomains(host: str, text: str | None, switch: str) -> None:
    options: dict[str, Any] = {"compat": "0.10"} if switch == "0.10" else {"subdomain_matching": True}
    app = Flask("subdomains", root_path="/", static_folder=None, **options)
    app.config["SERVER_NAME"] = "x.org"
    app.add_url_rule("/", "main", lambda: "main")
    app.add_url_rule("/", "sub", lambda sub: f"sub {sub}", subdomain="<sub>")
    response = app.test_client().get("/", headers={"Host": host})
    assert (response.status_code, response.text) == (200, text) if text else response.status_code == 404


def test_host_matching() -> None:
    app = Flask("hosts", root_path="/", host_matching=True, static_host="static.x.org")
    app.add_url_rule("/", "one", lambda: url_for("two", name="b"), host="x.org")
    app.add_url_rule("/", "two", lambda name: url_for("one"), host="<name>.x.org")
    client = app.test_client()
    assert client.get("/", headers={"Host": "x.org"}).text == "http://b.x.org/"
    assert client.get("/", headers={"Host": "b.x.org"}).text == "http://x.org/"
    assert client.get("/", headers={"Host": "y.org"}).status_code == 404


@pytest.mark.parametrize(("compat", "code"), [("0.10", 301), ("documented", 308), ("3.1", 308)])
def test_missing_slash_is_mended_by_a_redirect(compat: str, code: int) -> None:
    app = Flask("slash", root_path="/", compat=compat)
    app.add_url_rule("/users/", "users", lambda: "users")
    app.add_url_rule("/about", "about", lambda: "about")
    client = app.test_client()
    response = client.get("/users?page=2")
    assert (response.status_code, response.headers["Location"]) == (code, "http://localhost/users/?page=2")
    assert client.get("/about/").status_code == 404


@pytest.mark.parametrize("compat", ["0.10", "documented", "3.1"])
def test_defaults_of_the_same_endpoint_redirect_to_the_shorter_url(compat: str) -> None:
    app = Flask("defaults", root_path="/", compat=compat)

    def show_users(page: int) -> str:
        return f"{page} {url_for('show_users', page=1)} {url_for('show_users', page=2)}"

    app.add_url_rule("/users/", view_func=show_users, defaults={"page": 1})
    app.add_url_rule("/users/page/<int:page>", view_func=show_users)
    client = app.test_client()
    assert client.get("/users/").text == "1 /users/ /users/page/2"
    assert client.get("/users/page/1").headers["Location"] == "http://localhost/users/"


def test_a_converter_of_the_applications_own(app: Flask) -> None:
    class ListConverter(wr.BaseConverter):
        def to_python(self, value: str) -> list[str]:
            return value.split(",")

        def to_url(self, value: Any) -> str:
            return ",".join(wr.BaseConverter.to_url(self, item) for item in value)

    app.url_map.converters["list"] = ListConverter
    app.add_url_rule("/<list:items>", "show", lambda items: "|".join(items) + url_for("show", items=["a b", "c"]))
    assert app.test_client().get("/x,y").text == "x|y/a%20b,c"


def test_werkzeugs_rules_and_maps_may_replace_ours(app: Flask) -> None:
    app.url_rule_class = wr.Rule
    app.add_url_rule("/<int:n>", "one", lambda n: str(n))
    app.url_map.add(wr.Rule("/direct", endpoint="two"))
    app.view_functions["two"] = lambda: url_for("one", n=3)
    assert app.test_client().get("/direct").text == "/3"

    class Stock(Flask):
        url_map_class = wr.Map

    other = Stock("stock", root_path="/")
    other.add_url_rule("/<int:n>", "one", lambda n: url_for("one", n=n, q="x"))
    assert other.test_client().get("/5").text == "/5?q=x"


def test_the_adapter_class_is_where_the_application_makes_it(app: Flask) -> None:
    with app.test_request_context("/a?b=c"):
        adapter = app.create_url_adapter(request._get_current_object())
        assert isinstance(adapter, mr.RequestAdapter)
        assert (adapter.path_info, adapter.query_args) == ("/a", "b=c")
