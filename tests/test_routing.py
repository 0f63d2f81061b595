"""Rules, maps and adapters do what werkzeug's do, and look at the environ only when asked."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import werkzeug.routing as wr
from hypothesis import given
from hypothesis import strategies as st
from strategies import Dice, dice, examples, make_environ
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
SEGMENTS = (
    "a", "a", "b", "b", "ab", "", "", "\u00e9", "a b", "a.b", "%41", "a|b", "(a)", "<x{0}>", "<x{0}>", "<int:x{0}>",
    "<path:x{0}>", "<float:x{0}>", "<uuid:x{0}>", "a<x{0}>", "<x{0}>b", "<x{0}>.<int:y{0}>", "<int:x{0}>-<x{0}b>",
    "<any(a,b):x{0}>", "<any('a b', \"ab\"):x{0}>", "<string(length=2):x{0}>",
    "<string(minlength=2, maxlength=3):x{0}>",
    "<int(min=3, max=40):x{0}>", "<int(fixed_digits=2):x{0}>", "<int(signed=True):x{0}>", "<float(signed=True):x{0}>",
    "<letters:x{0}>", "<all:x{0}>", "<pair:x{0}>", "<picky:x{0}>", "<path:x{0}>.<picky:y{0}>",
)  # fmt: skip


def give_foo(adapter: wr.MapAdapter, **values: Any) -> str:
    """Be the function of a rule that redirects."""
    return f"{adapter.script_name}to/{'-'.join(map(str, values.values()))}"


OPTIONS: dict[str, tuple[Any, ...]] = {
    "strict_slashes": (True, False, False), "merge_slashes": (True, False, False), "build_only": (True,),
    "defaults": ({"d": 1}, {"x0": "a"}, {"x0": 7, "d": 2}, {"x1": "b"}, {}), "alias": (True,), "websocket": (True,),
    "redirect_to": ("foo", "/bar/<x0>", "http://z.org/", give_foo),
}  # fmt: skip
HOST_OPTIONS = OPTIONS | {"host": ("x.org", "s.x.org", "<host>", "<h>.x.org", "x.org:8080", "")}
SUBDOMAIN_OPTIONS = OPTIONS | {"subdomain": ("s", "s", "<sub>", "<sub>.s", "<any(s,zz):sub>", "")}
METHODS = (None, None, None, ["GET"], ["POST"], ["get", "PUT"], ["PUT", "DELETE"], ["OPTIONS"])


#: Werkzeug before 3.1.7 merged the slashes of rules by twos.
MERGES = wr.Map([wr.Rule("/a///b", endpoint="p")]).bind("x.org").build("p") == "/a/b"


def make_rule(dice: Dice, host_matching: bool) -> tuple[str, dict[str, Any]]:
    """Return what a rule is made of."""
    segments = [dice.one(*SEGMENTS).format(at) for at in range(dice.randrange(5))]
    text = "/" + "/".join(segments) + dice.one("/", "", "")
    if not MERGES:
        text = re.sub("/{2,}", "/", text)
    options: dict[str, Any] = {"endpoint": dice.one("p", "q", "r", "s"), "methods": dice.one(*METHODS)}
    choices = HOST_OPTIONS if host_matching else SUBDOMAIN_OPTIONS
    for name in dice.some(choices, 2):
        options[name] = dice.one(*choices[name])
    if options.get("websocket"):
        options["methods"] = None
    if "<x0>" in str(options.get("redirect_to")) and "x0>" not in text:
        del options["redirect_to"]
    return text, options


def make_maps(dice: Dice) -> tuple[wr.Map, Map]:
    """Return a map of werkzeug and one of ours that hold the same rules; some of ours are werkzeug's rules."""
    options: dict[str, Any] = {"converters": CONVERTERS}
    for name in ("host_matching", "sort_parameters"):
        options[name] = dice.often(0.2)
    for name in ("strict_slashes", "merge_slashes", "redirect_defaults"):
        options[name] = dice.often(0.8)
    if not options["host_matching"] and dice.often(0.1):
        options["default_subdomain"] = "s"
    stock, ours = wr.Map(**options), Map(**options)
    for _ in range(dice.one(1, 2, 2, 3, 3, 4, 5)):
        add_rule(dice, stock, ours)
    return stock, ours


def add_rule(dice: Dice, stock: wr.Map, ours: Map) -> None:
    """Add the same rule to both maps, or see that both refuse it."""
    text, arguments = make_rule(dice, stock.host_matching)
    kind = wr.Rule if dice.often(0.1) else Rule
    try:
        stock.add(wr.Rule(text, **arguments))
    except (TypeError, ValueError) as error:
        with pytest.raises(type(error)):
            ours.add(kind(text, **arguments))
    else:
        ours.add(kind(text, **arguments))


def outcome(work: Callable[[], Any]) -> Any:
    """Return what `work` returns, or what its exception says."""
    try:
        return work()
    except wr.RequestRedirect as error:
        # A line break comes out of werkzeug as it is, and no header takes it.
        return "redirect", error.code, error.new_url.replace("\n", "%0A")
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

PARTS = (
    "a", "a", "b", "b", "ab", "", "", "7", "42", "007", "-3", "1.5", "-1.5", "aa.3", "x", "\u00e9", "a b", "a\nb",
    "\u0663", "a|b", "3-x", "(a)", "%41", "12345678-1234-5678-1234-567812345678", "ABC",
)  # fmt: skip


def make_path(dice: Dice) -> str:
    return dice.one("/", "/", "/", "", "//") + "/".join(dice.one(*PARTS) for _ in range(dice.randrange(5)))


VALUES = (1, 7, -3, 1.5, "a", "b", "ab", "\u00e4 b", "x/y", "", [1, 2], ["a", "b"], None, "a%b?c#d", True, "s")
NAMES = ("x0", "x1", "x2", "y0", "y1", "x", "d", "zz", "sub", "h", "host", "q y")


def make_binding(dice: Dice, host_matching: bool) -> dict[str, Any]:
    return {
        "server_name": dice.one("x.org", "x.org", "s.x.org", "x.org:8080", "b\u00fccher.org"),
        "script_name": dice.one(None, "/", "/app", "/app/", "/a b"),
        "subdomain": None if host_matching else dice.one(None, None, "", "s", "t.s", "zz"),
        "url_scheme": dice.one("http", "http", "https", "ws", "wss", ""),
        "default_method": dice.one("GET", "GET", "POST", "put"),
        "path_info": dice.one(None, "/a", ""),
        "query_args": dice.one(None, "", "q=1", {"q": "a b"}, {}),
    }


def answers_to(adapter: wr.MapAdapter, path: Any, method: Any, **options: Any) -> list[Any]:
    """Return all that an adapter has to say about a request."""

    def rule_and_values() -> Any:
        rule, values = adapter.match(path, method, return_rule=True, **options)
        return rule.rule, rule.endpoint, sorted(rule.methods or "-"), list(values.items())

    return [
        outcome(rule_and_values), outcome(lambda: adapter.match(path, method)),
        outcome(lambda: adapter.test(path, method)), outcome(lambda: sorted(adapter.allowed_methods(path))),
    ]  # fmt: skip


def described(url_map: wr.Map) -> list[Any]:
    rules = url_map.iter_rules()
    return [(rule.rule, rule.endpoint, sorted(rule.methods or "-"), sorted(rule.arguments)) for rule in rules]


@examples()
@given(dice())
def test_maps_answer_as_werkzeugs_do(dice: Dice) -> None:
    stock, ours = make_maps(dice)
    binding = make_binding(dice, stock.host_matching)
    first, second = stock.bind(**binding), ours.bind(**binding)
    for _ in range(6):
        path = dice.one(None, *(make_path(dice) for _ in range(5)))
        method = dice.one(None, "GET", "POST", "PUT", "HEAD", "delete")
        query, websocket = dice.one(None, None, "", "z=2", {"k": "v"}), dice.one(None, None, True, False)
        same(*(answers_to(it, path, method, query_args=query, websocket=websocket) for it in (first, second)))
    for _ in range(4):
        endpoint = dice.one("p", "q", "r", "s", "p", "q", "r", "s", "missing")
        values: Any = {name: dice.one(*VALUES) for name in dice.some(NAMES, 7)}
        if dice.often(0.1):
            values = dice.one(None, MultiDict([("x0", "a"), ("zz", 1), ("zz", 2), ("x1", 2), ("x1", 3)]))
        options = {
            "method": dice.one(None, None, "POST", "GET"), "force_external": dice.often(0.2),
            "append_unknown": dice.often(0.8), "url_scheme": dice.one(None, None, "", "https", "ws", "ftp"),
        }  # fmt: skip
        before = repr(values)
        same(*(outcome(partial(it.build, endpoint, values, **options)) for it in (first, second)))
        assert repr(values) == before
    same(described(stock), described(ours))
    endpoint, *arguments = dice.one(("p",), ("q", "x0"), ("r", "x0", "d"), ("s", "nope"))
    same(*(outcome(partial(it.is_endpoint_expecting, endpoint, *arguments)) for it in (stock, ours)))


@examples(0.1)
@given(st.text(st.sampled_from("/<>:()a1_ ,=\"'|.\\%\u00e9\n"), max_size=14))
def test_malformed_rules_are_refused_where_werkzeug_does(text: str) -> None:
    text = f"/{text}" if MERGES else re.sub("/{2,}", "/", f"/{text}")
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
    for subdomain in ("", "s"):
        bound = [url_map.bind("x.org", subdomain=subdomain) for url_map in (stock, ours)]
        for path in ("/", "/a/7", "/m", "/m/", "/m/a/b", "/m/x/y", "/tpl", "/tpl/", "/tpl/1"):
            same(*(answers_to(adapter, path, "PUT") for adapter in bound))
            same(*(answers_to(adapter, path, None) for adapter in bound))
    same(described(stock), described(ours))


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


def test_rules_wait_outside_of_the_tree_until_a_request_could_be_for_them() -> None:
    url_map = Map([Rule(f"/a{at}/<int:x>", endpoint=f"e{at}", methods=["GET"]) for at in range(3)])
    adapter = url_map.bind("x.org")
    assert adapter.match("/a1/7") == ("e1", {"x": 7})
    assert [head for head, begin in url_map.places[""].heads.items() if isinstance(begin, Rule)] == ["/a0", "/a2"]
    rules = {rule.endpoint: rule for rule in url_map.iter_rules()}
    assert "_converters" not in vars(rules["e0"])
    assert rules["e0"].arguments == {"x"} and rules["e0"].methods == {"GET", "HEAD"}


def test_methods_of_a_rule_are_its_own() -> None:
    one, two = (Rule(f"/{name}", endpoint=name, methods=frozenset({"get"})) for name in ("one", "two"))
    adapter = Map([one, two]).bind("x.org")
    assert one.methods == {"GET", "HEAD"}
    one.methods.add("POST")
    assert adapter.match("/one", "POST") == ("one", {})
    assert two.methods == {"GET", "HEAD"}
    two.methods = None
    assert adapter.match("/two", "BREW") == ("two", {})


@pytest.mark.parametrize("text", ["/<int:x>/<a b>", "/<x", "/<x>/<", "/<nothing:x>", "/<x>/<x>", "/<any:x>/<1>"])
def test_malformed_rules_are_refused_when_they_are_added(text: str) -> None:
    with pytest.raises((ValueError, LookupError)):
        Map([Rule(text, endpoint="p")])


def test_a_converter_that_takes_another_ones_name_serves_the_rules_after_it() -> None:
    url_map = Map([Rule("/a/<int:x>", endpoint="a")])
    url_map.converters["int"] = Picky
    url_map.add(Rule("/b/<int:x>", endpoint="b"))
    adapter = url_map.bind("x.org")
    assert adapter.match("/a/7") == ("a", {"x": 7}) and adapter.match("/b/y") == ("b", {"x": "Y"})


def test_a_rule_that_was_changed_is_looked_at_again() -> None:
    rule = Rule("/a/<x>", endpoint="p")
    adapter = Map([rule]).bind("x.org")
    assert adapter.build("p", {"x": 1}) == "/a/1"
    rule.rule = "/b/<y>"
    rule.refresh()
    assert rule.arguments == {"y"} and adapter.build("p", {"y": 1}) == "/b/1"


# -- the adapter of a request --------------------------------------------------------------------------------------

ATTRIBUTES = (
    "server_name", "script_name", "subdomain", "url_scheme", "path_info", "default_method", "query_args",
    "websocket",
)  # fmt: skip
ADAPTED = [
    [
        kind(host_matching=hosts, rules=[rule("/a", endpoint="/a"), rule("/<path:x>", endpoint="x", subdomain="s")])
        for kind, rule in ((wr.Map, wr.Rule), (Map, Rule))
    ]
    for hosts in (False, True)
]
SERVER_NAMES = (
    None, None, "x.org", "X.org", "x.org:80", "x.org:443", "x.org:8080", "localhost", "org", "b\u00fccher.org",
)  # fmt: skip


@examples(0.5)
@given(dice())
def test_request_adapter_says_what_werkzeugs_says(dice: Dice) -> None:
    environ, server_name, host_matching = make_environ(dice), dice.one(*SERVER_NAMES), dice.often(0.2)
    subdomain = None if host_matching else dice.one(None, None, "", "s")
    if environ["wsgi.url_scheme"] == "wss":
        # Werkzeug makes the upgrade of a wss request a ws one.
        environ.pop("HTTP_UPGRADE", None)
    maps = ADAPTED[host_matching]

    def told(adapter: Any) -> Any:
        texts = [outcome(partial(getattr, adapter, name)) for name in ATTRIBUTES]
        external = outcome(partial(adapter.build, "/a", force_external=True))
        return texts, outcome(adapter.match), external, adapter.test()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stock = outcome(lambda: maps[0].bind_to_environ(environ, server_name, subdomain))
        expected = stock if isinstance(stock, tuple) else told(stock)
        bound = outcome(lambda: maps[1].bind_to_environ(environ, server_name, subdomain))
        same(expected, bound if isinstance(stock, tuple) else told(bound))
    ours = RequestAdapter(maps[1], environ, server_name, subdomain)
    if isinstance(stock, tuple):
        # A host that cannot be: the error comes when the host is looked at.
        assert expected == outcome(lambda: ours.server_name)
        assert isinstance(outcome(ours.match), tuple)
    else:
        same(expected, told(ours))


@examples(0.15)
@given(dice())
def test_a_request_is_matched_as_werkzeug_does_it(dice: Dice) -> None:
    stock, ours = make_maps(dice)
    app = Flask("matching", root_path="/", static_folder=None, subdomain_matching=dice.often(0.3))
    app.url_map = ours
    app.config["SERVER_NAME"] = server_name = dice.one(None, "x.org")
    if stock.host_matching:
        server_name = None
    subdomain = None if stock.host_matching or app.subdomain_matching else stock.default_subdomain
    for _ in range(4):
        environ = make_environ(dice) | {"PATH_INFO": make_path(dice).encode().decode("latin1")}
        if environ["wsgi.url_scheme"] == "wss":
            environ.pop("HTTP_UPGRADE", None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = outcome(partial(answer_of, stock, environ, server_name, subdomain))
        got = outcome(partial(match_of, app, environ))
        # A host that cannot be is found out when somebody looks at it.
        if expected != ("BadHost", []):
            same(expected, got)


def match_of(app: Flask, environ: dict[str, Any]) -> Any:
    with app.request_context(environ):
        if request.routing_exception is not None:
            app.raise_routing_exception(request._get_current_object())
        return request.url_rule.rule, request.url_rule.endpoint, request.view_args


def answer_of(url_map: wr.Map, environ: dict[str, Any], server_name: str | None, subdomain: str | None) -> Any:
    adapter = url_map.bind_to_environ(environ, server_name, subdomain)
    rule, values = adapter.match(return_rule=True)
    return rule.rule, rule.endpoint, values


@examples(0.15)
@given(dice())
def test_rules_that_come_between_requests_count_as_in_werkzeug(dice: Dice) -> None:
    stock, ours = make_maps(dice)
    app = Flask("matching", root_path="/", static_folder=None)
    app.url_map = ours
    adapters = [url_map.bind("x.org", subdomain=None if stock.host_matching else "") for url_map in (stock, ours)]
    for _ in range(6):
        if dice.often(0.5):
            add_rule(dice, stock, ours)
        path, method = make_path(dice), dice.one("GET", "POST", "PUT")
        same(*(answers_to(adapter, path, method) for adapter in adapters))
        environ = environ_for("x.org") | {"PATH_INFO": path.encode().decode("latin1"), "REQUEST_METHOD": method}
        subdomain = None if stock.host_matching else stock.default_subdomain
        expected = outcome(partial(answer_of, stock, environ, None, subdomain))
        same(expected, outcome(partial(match_of, app, environ)))
        endpoint, values = dice.one("p", "q", "r", "s"), {name: dice.one(*VALUES) for name in dice.some(NAMES, 5)}
        same(*(outcome(partial(adapter.build, endpoint, dict(values))) for adapter in adapters))
        same(described(stock), described(ours))


def test_path_that_lacks_its_slash_is_that_of_the_literal_rule() -> None:
    """A literal rule wins over a variable, whether it came before the first request or after it."""
    app = Flask("matching", root_path="/", static_folder=None)
    app.url_map.add(Rule("/<name>", endpoint="variable"))
    environ = environ_for("x.org") | {"PATH_INFO": "a"}
    assert match_of(app, environ_for("x.org") | {"PATH_INFO": "/a"})[1] == "variable"
    assert match_of(app, environ)[1] == "variable"
    app.url_map.add(Rule("/a", endpoint="literal"))
    assert match_of(app, environ)[1] == "literal"


def test_rule_of_three_slashes_does_not_stand_in_the_way_of_one() -> None:
    app = Flask("matching", root_path="/", static_folder=None)
    app.url_map = Map([Rule("/", endpoint="one"), Rule("///", endpoint="three")], merge_slashes=False)
    assert match_of(app, environ_for("x.org") | {"PATH_INFO": "//"})[1] == "one"


@examples(0.5)
@given(dice())
def test_urls_for_this_host_are_built_as_werkzeug_does_it(dice: Dice) -> None:
    stock, ours = make_maps(dice)
    environ = environ_for("x.org") | {"SCRIPT_NAME": dice.one("", "", "/app", "/a b/")}
    subdomain = None if stock.host_matching else dice.one("", "", "s")
    theirs, adapter = stock.bind_to_environ(environ, None, subdomain), RequestAdapter(ours, environ, None, subdomain)
    for _ in range(8):
        endpoint, values = dice.one("p", "q", "r", "s"), {name: dice.one(*VALUES) for name in dice.some(NAMES, 4)}
        for rule in stock.iter_rules(endpoint) if endpoint in stock._rules_by_endpoint else ():
            values |= {name: dice.one(*VALUES) for name in rule.arguments}
        got = outcome(partial(adapter.local_url, endpoint, dict(values)))
        if got is not None:
            same(outcome(partial(theirs.build, endpoint, values)), got)


@examples(0.15)
@given(dice())
def test_url_for_says_what_werkzeug_builds(dice: Dice) -> None:
    stock, ours = make_maps(dice)
    app = Flask("building", root_path="/", static_folder=None, compat="3.1")
    app.url_map = ours
    environ = make_environ(dice) | {"PATH_INFO": "/"}
    if environ["wsgi.url_scheme"] == "wss":
        environ.pop("HTTP_UPGRADE", None)
    subdomain = None if stock.host_matching else stock.default_subdomain
    adapter = outcome(lambda: stock.bind_to_environ(environ, None, subdomain))
    if isinstance(adapter, tuple) or isinstance(outcome(adapter.match), type):
        # A host that cannot be; or a default value that an alias cannot be built with, which is found by matching.
        return
    with app.request_context(environ):
        for _ in range(6):
            endpoint = dice.one("p", "q", "r", "s", "nope")
            values: Any = {name: dice.one(*VALUES) for name in dice.some(NAMES, 5)}
            scheme, external = dice.one(None, None, None, "https", "ftp"), dice.one(None, None, True, False)
            if scheme:
                external = dice.one(None, True)
            method = dice.one(None, None, "POST", "GET")
            absolute = scheme is not None if external is None else external
            build = partial(adapter.build, endpoint, dict(values), method, absolute, url_scheme=scheme)
            expected = outcome(build)
            got = outcome(partial(url_for, endpoint, _method=method, _scheme=scheme, _external=external, **values))
            # The values of the error say how it was asked, too.
            failed = isinstance(expected, tuple) and isinstance(got, tuple)
            same(expected[:2] if failed else expected, got[:2] if failed else got)


def environ_for(host: str) -> dict[str, Any]:
    return {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "HTTP_HOST": host, "PATH_INFO": "/"}


def test_the_adapter_of_a_request_looks_at_the_host_when_it_is_asked() -> None:
    adapter = RequestAdapter(Map([Rule("/", endpoint="p")]), environ_for("x.org"), subdomain="")
    assert adapter.match() == ("p", {}) and adapter.build("p") == "/"
    assert "server_name" not in vars(adapter) and "query_args" not in vars(adapter)
    assert adapter.build("p", force_external=True) == "http://x.org/"


def test_another_host_than_the_configured_one_is_no_subdomain_and_no_warning() -> None:
    url_map = Map([Rule("/", endpoint="p"), Rule("/", endpoint="s", subdomain="a")])
    for host, expected in (("x.org", "p"), ("a.x.org", "s"), ("b.x.org", None), ("ax.org", None), ("a.y.org", None)):
        adapter = RequestAdapter(url_map, environ_for(host), "x.org")
        assert adapter.test() is (expected is not None)
        if expected:
            assert adapter.match()[0] == expected


def test_line_breaks_of_a_request_do_not_get_into_redirects() -> None:
    url_map = Map([Rule("/a/", endpoint="a"), Rule("/b", endpoint="b", redirect_to=lambda _: "/c?\n")])
    environ = environ_for("x.org") | {"QUERY_STRING": "q=\r\nX: y", "SCRIPT_NAME": "/r\n"}
    for path, part in (("/a", "q=%0D%0AX: y"), ("/b", "/c")):
        with pytest.raises(wr.RequestRedirect) as caught:
            RequestAdapter(url_map, environ | {"PATH_INFO": path}, subdomain="").match()
        assert part in caught.value.new_url and "\n" not in caught.value.new_url


def test_adapters_are_ours() -> None:
    url_map = Map()
    assert type(url_map.bind("x.org")) is MapAdapter
    assert type(url_map.bind_to_environ(environ_for("x.org"))) is MapAdapter
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
    app.add_url_rule("/", "sub", lambda: "sub a", subdomain="a")
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


@pytest.mark.parametrize("first", ["/a/<int(min=3):n>", "/a/<int:n>"])
def test_a_number_below_the_least_is_not_found_behind_a_literal_beginning(app: Flask, first: str) -> None:
    app.add_url_rule(first, "number", lambda n: f"number {n}")
    client = app.test_client()
    assert client.get("/a/4").text == "number 4"
    assert client.get("/a/2").status_code == (404 if "min" in first else 200)
    assert client.post("/a/4").status_code == 405
    # More digits than int() takes.
    assert client.get("/a/" + "7" * 5000).status_code == 404


@pytest.mark.parametrize("path", ["/b/4", "/b", "/a/x", "/a/b/c/d"])
def test_the_error_of_a_miss_is_as_its_class_makes_it(path: str) -> None:
    url_map = Map([Rule("/a/<int:x>", endpoint="number")])
    rule, error = url_map.match_environ(environ_for("x.org") | {"PATH_INFO": path})
    assert rule is None and type(error) is NotFound
    made = NotFound()
    assert (vars(error), error.args, str(error)) == (vars(made), made.args, str(made))
    assert (error.__traceback__, error.__context__) == (None, None)


@pytest.mark.parametrize(("text", "path"), [("/a", "/a"), ("/b/<int:x>", "/b/4"), ("/c/<x>/<y>", "/c/d/e")])
def test_a_method_in_lower_case_finds_the_same_rule(text: str, path: str) -> None:
    url_map = Map([Rule(text, endpoint="get", methods=["GET"]), Rule(text, endpoint="any")])
    for method, endpoint in (("GET", "get"), ("get", "get"), ("PUT", "any"), ("put", "any")):
        rule, _ = url_map.match_environ(environ_for("x.org") | {"PATH_INFO": path, "REQUEST_METHOD": method})
        assert rule is not None and rule.endpoint == endpoint


def test_an_empty_path_is_not_below_the_root() -> None:
    class Anything(wr.BaseConverter):
        regex = "[^/]*"

    url_map = Map([Rule("/<any_text:x>", endpoint="text")], converters={"any_text": Anything})
    adapter = url_map.bind("x.org")
    assert adapter.match("/") == ("text", {"x": ""})
    with pytest.raises(NotFound):
        adapter.match("")


def test_a_slash_too_many_is_allowed_where_a_rule_is_not_strict() -> None:
    url_map = Map([Rule("/a/b", endpoint="loose", strict_slashes=False), Rule("/a/c", endpoint="strict")])
    adapter = url_map.bind("x.org")
    assert adapter.match("/a/b") == adapter.match("/a/b/") == ("loose", {})
    for path in ("/a/c/", "/a/b/c", "/a", "/a/"):
        with pytest.raises(NotFound):
            adapter.match(path)


def test_what_stands_beside_a_variable_comes_before_it() -> None:
    url_map = Map([Rule("/a/<x>", endpoint="text")])

    def match(path: str) -> Any:
        rule, values = url_map.match_environ(environ_for("x.org") | {"PATH_INFO": path})
        if isinstance(values, NotFound):
            raise values
        return None if rule is None else (rule.endpoint, *values.values())

    assert match("/a/4") == ("text", "4") and match("/a/b") == ("text", "b")
    for text, endpoint in (("<int:x>", "number"), ("b/", "branch"), ("c/<path:x>", "path")):
        url_map.add(Rule(f"/a/{text}", endpoint=endpoint))
    assert match("/a/4") == ("number", 4) and match("/a/d") == ("text", "d") and match("/a/c") == ("text", "c")
    # A redirect: the adapter's business.
    assert match("/a/b") is None
    assert match("/a/c/d") == ("path", "d") and match("/a/c/d/e") == ("path", "d/e")
    for path in ("/a/c/d\ne", "/a/c/", "/b/4", "/a"):
        with pytest.raises(NotFound):
            match(path)
