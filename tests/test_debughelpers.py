"""Messages for mistakes: what they must name."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from werkzeug.datastructures import FileStorage, ImmutableMultiDict, MultiDict
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Request

from microflask import Blueprint, Flask
from microflask.debughelpers import (
    DebugFilesKeyError,
    FormDataRoutingRedirect,
    UnexpectedUnicodeError,
    attach_enctype_error_multidict,
    explain_template_loading_attempts,
    missing_template_message,
    no_return_type_message,
    view_returned_none_message,
)

URLENCODED = "application/x-www-form-urlencoded"


@pytest.fixture
def make_request() -> Any:
    def make(mimetype: str = URLENCODED, form: Any = (), files: Any = (), kind: Any = ImmutableMultiDict) -> Any:
        return SimpleNamespace(mimetype=mimetype, form=ImmutableMultiDict(form), files=kind(files))

    return make


def test_unexpected_unicode_is_both_errors() -> None:
    assert issubclass(UnexpectedUnicodeError, AssertionError) and issubclass(UnexpectedUnicodeError, UnicodeError)


@pytest.mark.parametrize("quote", ["'", '"'])
def test_files_key_that_came_as_form_field(make_request: Any, quote: str) -> None:
    error = DebugFilesKeyError(make_request(form=[("photo", "a.png"), ("photo", "b.png")]), "photo", quote)
    assert isinstance(error, KeyError) and isinstance(error, AssertionError)
    for part in (f"{quote}photo{quote}", f"{quote}a.png{quote}, {quote}b.png{quote}", URLENCODED,
                 'enctype="multipart/form-data"'):
        assert part in str(error)


@pytest.mark.parametrize(("mimetype", "said"), [("text/plain", "'text/plain'"), ("", "without a Content-Type")])
def test_files_key_with_another_content_type(make_request: Any, mimetype: str, said: str) -> None:
    text = str(DebugFilesKeyError(make_request(mimetype), "photo"))
    assert said in text and "multipart/form-data" in text and "enctype" not in text


def test_files_key_of_a_proper_form_blames_no_type(make_request: Any) -> None:
    assert "Content-Type" not in str(DebugFilesKeyError(make_request("multipart/form-data"), "photo"))


@pytest.mark.parametrize("kind", [ImmutableMultiDict, MultiDict])
def test_files_explain_a_form_field(make_request: Any, kind: type) -> None:
    request = make_request(form={"photo": "a.png"}, kind=kind)
    attach_enctype_error_multidict(request, '"')
    with pytest.raises(DebugFilesKeyError, match='"photo"'):
        request.files["photo"]
    assert request.files.get("photo") is None
    assert request.files.getlist("photo") == [] and "photo" not in request.files


@pytest.mark.parametrize("mimetype", ["", URLENCODED, "multipart/form-data", "text/plain"])
def test_files_raise_as_before_for_what_was_not_sent(make_request: Any, mimetype: str) -> None:
    request = make_request(mimetype)
    attach_enctype_error_multidict(request)
    with pytest.raises(KeyError) as caught:
        request.files["photo"]
    assert not isinstance(caught.value, DebugFilesKeyError)


def test_files_stay_what_they_were(make_request: Any) -> None:
    upload = FileStorage(filename="a.png")
    request = make_request(files={"photo": upload})
    attach_enctype_error_multidict(request)
    files = request.files
    assert isinstance(files, ImmutableMultiDict) and type(files).__name__ == "ImmutableMultiDict"
    assert files["photo"] is upload and files == ImmutableMultiDict({"photo": upload})
    assert repr(files).startswith("ImmutableMultiDict(")
    with pytest.raises(TypeError):
        files["other"] = upload


@pytest.mark.parametrize(("target", "slash"), [("/a/", True), ("/a/?q=1", True), ("/b", False)])
def test_redirect_of_a_form_names_both_urls(target: str, slash: bool) -> None:
    request = Request.from_values("/a", method="PUT")
    request.routing_exception = RequestRedirect("http://localhost" + target)
    text = str(FormDataRoutingRedirect(request))
    assert "PUT to http://localhost/a," in text and f"canonical URL 'http://localhost{target}'." in text
    assert ("ends with a slash" in text) is slash


@pytest.fixture
def logged_app(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.INFO)
    return SimpleNamespace(import_name="shop", name="shop", logger=logging.getLogger("tests.templates"))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [((None, None), "Error: the template could not be found"), (("a", "b"), "several places"), (("a", None), ": a")],
)
def test_template_attempts_are_logged_in_order(
    logged_app: Any, caplog: pytest.LogCaptureFixture, answers: Any, expected: str
) -> None:
    blueprint = SimpleNamespace(import_name="shop.admin", name="admin")
    loaders = [jinja2.FileSystemLoader(["/one", "/two"]), jinja2.DictLoader({"secret": "text"})]
    answers = [None if answer is None else ("source", answer, None) for answer in answers]
    explain_template_loading_attempts(
        logged_app, "a.html", zip(loaders, [logged_app, blueprint], answers, strict=True)
    )
    (record,) = caplog.records
    text = record.getMessage()
    assert record.levelname == "INFO" and "'a.html'" in text and expected in text
    first, second = "application 'shop', FileSystemLoader /one /two", "blueprint 'admin' (shop.admin), DictLoader"
    assert text.index(f"1: trying loader of {first}") < text.index(f"2: trying loader of {second}")
    assert "secret" not in text


def test_template_attempts_of_another_owner(logged_app: Any, caplog: pytest.LogCaptureFixture) -> None:
    explain_template_loading_attempts(logged_app, "a.html", [(jinja2.DictLoader({}), "theme", ("", None, None))])
    assert "'theme', DictLoader" in caplog.text and "not from a file" in caplog.text


@pytest.mark.parametrize(("path", "named"), [("/in", True), ("/out", False)])
def test_template_attempts_name_the_blueprint_that_asked(
    logged_app: Any, caplog: pytest.LogCaptureFixture, app: Flask, path: str, named: bool
) -> None:
    def look() -> str:
        explain_template_loading_attempts(logged_app, "a.html", [(jinja2.DictLoader({}), logged_app, None)])
        return ""

    blueprint = Blueprint("front", "shop.front")
    blueprint.add_url_rule("/in", "view", look)
    app.register_blueprint(blueprint)
    app.add_url_rule("/out", "view", look)
    app.test_client().get(path)
    assert ("from an endpoint that belongs to the blueprint 'front'" in caplog.text) is named


@pytest.mark.parametrize(
    ("names", "places", "parts"),
    [
        ("a.html", ["/x", "/y"], ["'a.html'", "/x, /y"]),
        (["a.html", "b.html"], ["/x"], ["None of", "'a.html', 'b.html'", "/x"]),
        (["a.html"], [], ["no template 'a.html'", "template_folder"]),
    ],
)
def test_missing_template_names_templates_and_places(names: Any, places: list[str], parts: list[str]) -> None:
    text = missing_template_message(names, places)
    assert all(part in text for part in parts)


def test_return_values_are_described() -> None:
    assert "'index' returned None" in view_returned_none_message("index")
    assert "'index' returned a tuple that starts with None" in view_returned_none_message("index", tuple)
    assert "'index' returned a float" in no_return_type_message("index", float)
