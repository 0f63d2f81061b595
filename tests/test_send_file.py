"""send_file, send_from_directory and the static folder."""

from __future__ import annotations

import io
import os
import pathlib
import tempfile
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import Any

import pytest
import werkzeug.security
import werkzeug.utils
from hypothesis import given
from hypothesis import strategies as st
from strategies import Dice, dice, examples
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import NotFound
from werkzeug.http import http_date, parse_date
from werkzeug.test import create_environ, run_wsgi_app
from werkzeug.wsgi import FileWrapper

from microflask import Blueprint, Flask, request, send_file, send_from_directory
from microflask.files import find_below

CONTENT = b"0123456789"
MODES = ("documented", "0.10", "3.1")
#: Flask 0.10 warns of open files.
pytestmark = pytest.mark.filterwarnings("ignore:send_file:DeprecationWarning")


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with files: the root path of the applications."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.css").write_text("body {}")
    (tmp_path / "data.txt").write_bytes(CONTENT)
    (tmp_path / "no extension").write_bytes(b"x")
    (tmp_path / "page.html").write_bytes("caf\u00e9 au lait".encode())
    (tmp_path / "archive.tar.gz").write_bytes(b"gz")
    os.utime(tmp_path / "data.txt", (1_000_000, 1_000_000))
    return tmp_path


@pytest.fixture(params=MODES)
def files(request: pytest.FixtureRequest, root: pathlib.Path) -> Flask:
    app = Flask("files", root_path=str(root), compat=request.param)
    app.testing = True
    return app


@pytest.fixture
def modern(root: pathlib.Path) -> Flask:
    app = Flask("files", root_path=str(root), compat="3.1")
    app.testing = True
    return app


class Sent:
    """What a file became."""

    def __init__(self, response: Any) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.mimetype = response.mimetype
        self.cache = response.cache_control
        response.direct_passthrough = False
        self.data = response.get_data()
        response.close()


def send(app: Flask, *args: Any, headers: Any = None, **kwargs: Any) -> Sent:
    with app.test_request_context(headers=headers):
        return Sent(send_file(*args, **kwargs))


# -- what is sent --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mimetype", "size"),
    [("data.txt", "text/plain", 10), ("no extension", "application/octet-stream", 1), ("page.html", "text/html", 13),
     ("static/a.css", "text/css", 7), ("archive.tar.gz", "application/x-tar", 2)],
)  # fmt: skip
def test_paths_count_from_the_root_path(files: Flask, name: str, mimetype: str, size: int) -> None:
    for path in (name, os.path.join(files.root_path, name), pathlib.Path(name)):
        sent = send(files, path)
        assert (sent.status, sent.mimetype, len(sent.data)) == (200, mimetype, size)
        assert sent.headers["Content-Length"] == str(size)
        assert sent.headers["ETag"] and sent.headers["Last-Modified"]
    assert (sent.headers.get("Content-Encoding") == "gzip") is name.endswith(".gz")


def test_a_mimetype_may_be_given(files: Flask) -> None:
    assert send(files, "data.txt", "text/own").mimetype == "text/own"
    assert send(files, "data.txt", mimetype="text/own").headers["Content-Type"] == "text/own; charset=utf-8"


@pytest.mark.parametrize("name", ["missing.txt", "static"])
def test_files_that_are_none(files: Flask, name: str) -> None:
    with pytest.raises(OSError, match=name):
        send(files, name)


def test_send_file_needs_an_application_and_a_request(files: Flask) -> None:
    with pytest.raises(RuntimeError, match="app_context"):
        send_file("data.txt")
    with files.app_context(), pytest.raises(RuntimeError):
        send_file("data.txt")


def test_what_is_sent_arrives(files: Flask) -> None:
    files.add_url_rule("/", "index", lambda: send_file("data.txt"))
    client = files.test_client()
    assert client.get("/", buffered=True).data == CONTENT
    response = client.head("/", buffered=True)
    assert (response.data, response.headers["Content-Length"]) == (b"", "10")


# -- attachments ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keyword", ["attachment_filename", "download_name"])
def test_attachments(files: Flask, keyword: str) -> None:
    plain = send(files, "data.txt", as_attachment=True)
    assert plain.headers["Content-Disposition"] == "attachment; filename=data.txt"
    named = send(files, "data.txt", as_attachment=True, **{keyword: "own.html"})
    assert named.headers["Content-Disposition"] == "attachment; filename=own.html"
    assert send(files, "data.txt", None, True, "own.txt").headers["Content-Disposition"].endswith("filename=own.txt")
    assert not send(files, "data.txt").headers.get("Content-Disposition", "").startswith("attachment")


@pytest.mark.parametrize("name", ["caf\u00e9.txt", 'quo"te.txt', "semi;colon.txt", "a\\b.txt", "\U0001f600.txt"])
def test_names_of_attachments_are_encoded(files: Flask, name: str) -> None:
    value = send(files, "data.txt", as_attachment=True, download_name=name).headers["Content-Disposition"]
    assert value.isascii() and "\n" not in value
    assert ("filename*=UTF-8''" in value) is (not name.isascii())


def test_attachments_need_a_name(files: Flask) -> None:
    with pytest.raises(TypeError, match="name"):
        send(files, io.BytesIO(b"x"), "a/b", as_attachment=True)


# -- open files ----------------------------------------------------------------------------------------------------


def test_open_files(files: Flask, root: pathlib.Path) -> None:
    handle = (root / "data.txt").open("rb")
    sent = send(files, handle, as_attachment=True)
    assert (sent.data, sent.mimetype) == (CONTENT, "text/plain")
    assert sent.headers["Content-Disposition"] == "attachment; filename=data.txt"
    assert handle.closed


def test_an_open_file_is_sent_from_its_position(files: Flask, root: pathlib.Path) -> None:
    handle = (root / "data.txt").open("rb")
    handle.seek(4)
    assert send(files, handle).data == b"456789"


@pytest.mark.parametrize("position", [0, 4])
def test_text_files(files: Flask, root: pathlib.Path, position: int) -> None:
    def opened() -> Any:
        handle = (root / "page.html").open(encoding="utf-8")
        handle.read(position)
        return handle

    handle = opened()
    assert send(files, handle).data == "caf\u00e9 au lait"[position:].encode()
    files.add_url_rule("/", "index", lambda: send_file(opened()))
    if position == 0:
        # Nobody holds the text file here.
        assert files.test_client().get("/", buffered=True).data == "caf\u00e9 au lait".encode()
    else:
        handle.close()


def test_text_in_memory(files: Flask) -> None:
    sent = send(files, io.StringIO("caf\u00e9"), "text/plain")
    assert (sent.data, sent.headers["Content-Length"]) == ("caf\u00e9".encode(), "5")


def test_files_without_a_name(files: Flask) -> None:
    sent = send(files, io.BytesIO(b"abc"))
    assert (sent.data, sent.mimetype, sent.headers["Content-Length"]) == (b"abc", "application/octet-stream", "3")
    assert "ETag" not in sent.headers and "Last-Modified" not in sent.headers
    assert send(files, io.BytesIO(b"abc"), download_name="x.json").mimetype == "application/json"
    assert send(files, io.BytesIO(b"abc"), attachment_filename="x.json").mimetype == "application/json"
    with tempfile.TemporaryFile() as handle:  # its name is a number
        assert send(files, handle).mimetype == "application/octet-stream"


def test_a_file_that_only_reads(files: Flask) -> None:
    class Reads:
        parts = iter([b"ab", b"c", b""])

        def read(self, size: int = -1) -> bytes:
            return next(self.parts)

    assert send(files, Reads(), "a/b").data == b"abc"


# -- caching -------------------------------------------------------------------------------------------------------


def test_max_age_unless_told_otherwise(files: Flask) -> None:
    sent = send(files, "data.txt")
    if files.compat.name == "3.1":
        assert sent.cache.no_cache and sent.cache.max_age is None and "Expires" not in sent.headers
    else:
        assert (sent.cache.max_age, sent.cache.public) == (43200, True)
        expires = parse_date(sent.headers["Expires"])
        assert expires is not None and timedelta(hours=11) < expires - datetime.now(UTC) <= timedelta(hours=12)


@pytest.mark.parametrize("keyword", ["cache_timeout", "max_age"])
def test_max_age_may_be_given(files: Flask, keyword: str) -> None:
    assert send(files, "data.txt", **{keyword: 60}).cache.max_age == 60
    never = send(files, "data.txt", **{keyword: 0})
    assert never.cache.max_age == 0 and not never.cache.public
    files.config["SEND_FILE_MAX_AGE_DEFAULT"] = timedelta(minutes=2)
    assert send(files, "data.txt", **{keyword: None}).cache.max_age == 120
    files.config["SEND_FILE_MAX_AGE_DEFAULT"] = 30
    assert send(files, "data.txt").cache.max_age == 30


def test_max_age_by_the_name_of_the_file(root: pathlib.Path) -> None:
    class Site(Flask):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 60 if filename and filename.lower().endswith(".css") else super().get_send_file_max_age(filename)

    site = Site("site", root_path=str(root))
    assert send(site, "static/a.css").cache.max_age == 60
    assert send(site, "data.txt").cache.max_age == 43200
    assert send(site, "data.txt", cache_timeout=5).cache.max_age == 5
    assert send(site, io.BytesIO(b""), "a/b").cache.max_age == 43200
    response = site.test_client().get("/static/a.css")
    assert response.cache_control.max_age == 60
    response.close()


@pytest.mark.parametrize("keyword", ["add_etags", "etag"])
def test_etags(files: Flask, root: pathlib.Path, keyword: str) -> None:
    first = send(files, "data.txt").headers["ETag"]
    assert first == send(files, "data.txt", **{keyword: True}).headers["ETag"]
    assert "ETag" not in send(files, "data.txt", **{keyword: False}).headers
    assert send(files, "data.txt", etag="own").headers["ETag"] == '"own"'
    os.utime(root / "data.txt", (2_000_000, 2_000_000))
    assert send(files, "data.txt").headers["ETag"] != first


def test_last_modified(files: Flask) -> None:
    assert send(files, "data.txt").headers["Last-Modified"] == http_date(1_000_000)
    moment = datetime(2020, 1, 2, tzinfo=UTC)
    assert send(files, "data.txt", last_modified=moment).headers["Last-Modified"] == http_date(moment)
    assert send(files, io.BytesIO(b""), "a/b", last_modified=5).headers["Last-Modified"] == http_date(5)


# -- conditions and ranges -----------------------------------------------------------------------------------------


def test_conditions_count_unless_told_otherwise(files: Flask) -> None:
    tag = send(files, "data.txt").headers["ETag"]
    expected = 304 if files.compat.name == "3.1" else 200
    assert send(files, "data.txt", headers={"If-None-Match": tag}).status == expected
    assert send(files, "data.txt", headers={"If-None-Match": tag}, conditional=True).status == 304
    assert send(files, "data.txt", headers={"If-None-Match": tag}, conditional=False).status == 200


@pytest.mark.parametrize(
    ("headers", "status", "data"),
    [
        ({}, 200, CONTENT),
        ({"If-None-Match": '"other"'}, 200, CONTENT),
        ({"If-None-Match": "*"}, 304, b""),
        ({"If-Modified-Since": http_date(1_000_000)}, 304, b""),
        ({"If-Modified-Since": http_date(999_999)}, 200, CONTENT),
        ({"Range": "bytes=0-0"}, 206, b"0"),
        ({"Range": "bytes=2-4"}, 206, b"234"),
        ({"Range": "bytes=-3"}, 206, b"789"),
        ({"Range": "bytes=7-"}, 206, b"789"),
        ({"Range": "bytes=7-99"}, 206, b"789"),
        ({"Range": "lines=1-2"}, 416, None),
        ({"Range": "bytes=x"}, 416, None),
        ({"Range": "bytes=10-"}, 416, None),
        ({"Range": "bytes=0-1,3-4"}, 416, None),
        ({"Range": "bytes=0-1", "If-Range": '"other"'}, 200, CONTENT),
        ({"Range": "bytes=0-1", "If-Range": http_date(1_000_000)}, 206, b"01"),
    ],
)
def test_conditional(files: Flask, headers: dict[str, str], status: int, data: bytes | None) -> None:
    files.add_url_rule("/", "index", lambda: send_file("data.txt", conditional=True))
    response = files.test_client().get("/", headers=headers)
    assert response.status_code == status
    if data is not None:
        assert response.data == data
        assert response.headers.get("Accept-Ranges") == "bytes" and "ETag" in response.headers
    if status == 206:
        assert response.headers["Content-Length"] == str(len(response.data))
        assert response.headers["Content-Range"].endswith("/10")
    response.close()


# -- the generations of arguments ----------------------------------------------------------------------------------


def test_positions_of_the_documentation() -> None:
    root = pathlib.Path(__file__).parent
    for mode in ("documented", "0.10"):
        app = Flask("positions", root_path=str(root), compat=mode)
        sent = send(app, "conftest.py", None, False, None, False, 7, True, headers={"Range": "bytes=0-1"})
        assert (sent.status, len(sent.data), sent.cache.max_age) == (206, 2, 7) and "ETag" not in sent.headers
        with pytest.raises(TypeError, match="positional"):
            send(app, "conftest.py", None, False, None, False, 7, True, None)


def test_positions_of_today(modern: Flask) -> None:
    sent = send(modern, "data.txt", None, False, None, False, "own", 5, 7, headers={"Range": "bytes=0-1"})
    assert (sent.status, sent.headers["ETag"], sent.cache.max_age) == (200, '"own"', 7)
    assert sent.headers["Last-Modified"] == http_date(5)


def test_the_name_of_the_first_argument(files: Flask) -> None:
    assert send(files, filename_or_fp="data.txt").data == send(files, path_or_file="data.txt").data == CONTENT


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [(("data.txt", None, False, None, True), {"add_etags": True, "conditional": True}), (("data.txt",), {"nope": 1}),
     ((), {})],
)  # fmt: skip
def test_arguments_that_do_not_fit(files: Flask, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        send(files, *args, **kwargs)


# -- X-Sendfile ----------------------------------------------------------------------------------------------------


def test_x_sendfile(files: Flask, root: pathlib.Path) -> None:
    files.use_x_sendfile = True
    for file in ("data.txt", root / "data.txt", (root / "data.txt").open("rb"), (root / "data.txt").open()):
        sent = send(files, file)
        assert sent.headers["X-Sendfile"] == str(root / "data.txt") and sent.data == b""
        assert sent.mimetype == "text/plain" and sent.headers["ETag"]
    files.config["USE_X_SENDFILE"] = False
    assert "X-Sendfile" not in send(files, "data.txt").headers


def test_x_sendfile_is_for_files_of_the_file_system(files: Flask) -> None:
    files.use_x_sendfile = True
    sent = send(files, io.BytesIO(b"abc"), "a/b")
    assert "X-Sendfile" not in sent.headers and sent.data == b"abc"


def test_the_name_of_an_upload_is_no_path(files: Flask) -> None:
    files.use_x_sendfile = True
    upload = FileStorage(io.BytesIO(b"abc"), filename="x.txt", name=__file__)
    sent = send(files, upload, "a/b")
    assert "X-Sendfile" not in sent.headers and sent.data == b"abc"


# -- folders -------------------------------------------------------------------------------------------------------


def test_send_from_directory(files: Flask, root: pathlib.Path) -> None:
    with files.test_request_context(headers={"Range": "bytes=0-1"}):
        for directory in (str(root), root, "", "."):
            sent = Sent(send_from_directory(directory, "data.txt"))
            assert (sent.status, sent.data) == (206, b"01")
        assert Sent(send_from_directory("static", filename="a.css")).mimetype == "text/css"
        assert Sent(send_from_directory(root, pathlib.Path("static/a.css"))).mimetype == "text/css"
        sent = Sent(send_from_directory(root, "data.txt", as_attachment=True, cache_timeout=3, conditional=False))
        assert sent.status == 200 and sent.cache.max_age == 3
        assert sent.headers["Content-Disposition"] == "attachment; filename=data.txt"
        assert Sent(send_from_directory(root, "data.txt", "text/own")).mimetype == "text/own"


OUTSIDE = (
    "..", "../data.txt", "../static/../data.txt", "a/../../data.txt", "/etc/passwd", "//etc/passwd", "a.css\0.txt",
    "\0", "..%2fdata.txt", "%2e%2e/data.txt", "..\\data.txt", "C:\\x", "missing.css", "", ".", "a.css/x",
    "./../data.txt", "a" * 300, "\udcff", "CON", "~root",
)  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_outside_of_the_folder_is_sent(files: Flask, name: str) -> None:
    with files.test_request_context(), pytest.raises(NotFound):
        send_from_directory("static", name)


@pytest.mark.parametrize(
    "path",
    ["../data.txt", "%2e%2e/data.txt", "..%2fdata.txt", "a.css%00", "%00", "..%5cdata.txt", "%ff", "a/../../data.txt",
     "//etc/passwd", "%2fetc%2fpasswd", "", "."],
)  # fmt: skip
def test_nothing_outside_of_the_static_folder_is_served(files: Flask, path: str) -> None:
    response = files.test_client().get(f"/static/{path}", follow_redirects=True)
    assert response.status_code == 404 and CONTENT not in response.data


def test_a_link_out_of_the_folder_is_followed_as_the_file_system_says(files: Flask, root: pathlib.Path) -> None:
    (root / "static" / "link").symlink_to(root / "data.txt")
    response = files.test_client().get("/static/link", buffered=True)
    assert response.data == CONTENT


def test_static_files(files: Flask) -> None:
    client = files.test_client()
    response = client.get("/static/a.css")
    assert (response.status_code, response.mimetype, response.data) == (200, "text/css", b"body {}")
    again = client.get("/static/a.css", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.post("/static/a.css").status_code == 405
    assert client.get("/static/missing.css").status_code == client.get("/static/").status_code == 404
    for each in (response, again):
        each.close()


def test_send_static_file(files: Flask) -> None:
    with files.test_request_context():
        assert Sent(files.send_static_file("a.css")).data == b"body {}"
    bare = Flask("bare", root_path=files.root_path, static_folder=None)
    with bare.test_request_context(), pytest.raises(RuntimeError, match="static_folder"):
        bare.send_static_file("a.css")


def test_static_files_of_a_blueprint(files: Flask, root: pathlib.Path) -> None:
    class Slow(Blueprint):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 77

    shop = Slow("shop", "shop", static_folder="static", url_prefix="/shop", root_path=str(root))
    files.register_blueprint(shop)
    response = files.test_client().get("/shop/static/a.css")
    assert (response.data, response.cache_control.max_age) == (b"body {}", 77)
    response.close()
    plain = Blueprint("plain", "plain", root_path=str(root))
    with files.test_request_context():
        assert plain.get_send_file_max_age("x") == files.get_send_file_max_age("x")
        assert request.path == "/"


# -- short ways ----------------------------------------------------------------------------------------------------

PARTS = st.sampled_from(
    ["a", "b.css", "..", ".", "", ".hidden", "a b", "C:", "CON", "\\", "\0", "~", "\u00e9", "\n", "-", "_"]
)


@examples()
@given(
    directory=st.sampled_from(["/srv", "/srv/", "/", "", ".", "static", "/srv/../x"]),
    parts=st.lists(PARTS, max_size=4),
    glue=st.sampled_from(["/", "/", "//"]),
)
def test_paths_are_joined_as_werkzeug_joins_them(directory: str, parts: list[str], glue: str) -> None:
    path = glue.join(parts)
    inside = werkzeug.security.safe_join(directory, path)
    expected = None if inside is None else os.path.join("/root", inside)
    assert find_below("/root", directory, path) == expected


@pytest.mark.parametrize("tag", [None, "{tag}", "W/{tag}", '"x"', '"x", {tag}', "*", "", "x"])
@pytest.mark.parametrize("since", [None, "{changed}", http_date(999_999), http_date(1_000_001), "yesterday", ""])
@pytest.mark.parametrize(
    "options", [{}, {"max_age": 0}, {"cache_timeout": 60}, {"etag": False}, {"conditional": False}]
)
def test_files_of_a_folder_are_answered_as_werkzeug_answers(
    files: Flask, tag: str | None, since: str | None, options: dict[str, Any]
) -> None:
    known = send(files, "data.txt").headers
    values = {"If-None-Match": tag, "If-Modified-Since": since}
    headers = {
        name: value.format(tag=known["ETag"], changed=known["Last-Modified"])
        for name, value in values.items() if value is not None
    }  # fmt: skip
    with files.test_request_context(headers=headers):
        quick = Sent(send_from_directory("", "data.txt", **options))
        # A type that is given is for werkzeug's way.
        slow = Sent(send_from_directory("", "data.txt", mimetype="text/plain", **options))
    # Werkzeug opens the file even when the client has it.
    assert (quick.status, quick.data) == (slow.status, b"" if slow.status == 304 else slow.data)
    ignored = {"Date", "Expires"}
    assert {pair for pair in quick.headers if pair[0] not in ignored} == {
        pair for pair in slow.headers if pair[0] not in ignored
    }
    assert ignored & {name for name, _ in quick.headers} == ignored & {name for name, _ in slow.headers}


CONDITIONS: dict[str, tuple[str, ...]] = {
    "Range": ("bytes=0-1", "bytes=-3", "bytes=5-", "bytes=20-", "bytes=0-0,2-3", "x=0-1", "bytes=x", "bytes=2-1", ""),
    "If-Range": ("{tag}", "W/{tag}", "{changed}", '"x"', "yesterday", ""),
    "If-None-Match": ("{tag}", "W/{tag}", '"x", {tag}', "*", '"x"', "x", ""),
    "If-Match": ("{tag}", "W/{tag}", '"x"', "*", ""),
    "If-Modified-Since": ("{changed}", http_date(999_999), http_date(1_000_001), "yesterday", ""),
    "If-Unmodified-Since": ("{changed}", http_date(999_999), http_date(1_000_001), "yesterday"),
}  # fmt: skip
FILE_OPTIONS: dict[str, tuple[Any, ...]] = {
    "mimetype": ("text/x", "image/png", "", None), "as_attachment": (True, False), "conditional": (False, True),
    "download_name": ("n.png", "\u00e4 b.txt", 'q"q', "none", None), "etag": (False, "own", "", True),
    "last_modified": (1_000_000, datetime(1970, 1, 12, tzinfo=UTC), 0.5, None), "max_age": (0, 60, -1, None, len),
}  # fmt: skip
FILE_NAMES = (
    *("data.txt",) * 5, "no extension", "page.html", "archive.tar.gz", "static/a.css", "missing", "static", "../x", "",
    "/data.txt", "./data.txt", "data.txt/", "static/../data.txt", "a\0b",
)  # fmt: skip


def make_conditions(dice: Dice, known: dict[str, str]) -> dict[str, Any]:
    headers = {name: dice.one(*CONDITIONS[name]).format(**known) for name in dice.some(CONDITIONS, 3)}
    environ = create_environ(method=dice.one("GET", "GET", "HEAD", "POST"), headers=headers)
    if dice.often(0.3):
        environ["wsgi.file_wrapper"] = FileWrapper
    return environ


def known_of(path: pathlib.Path, options: dict[str, Any]) -> dict[str, str]:
    """Return what a client knows of a file that it got before."""
    kept = {name: value for name, value in options.items() if name in {"etag", "last_modified"}}
    response = werkzeug.utils.send_file(path, create_environ(), **kept)
    response.close()
    return {"tag": response.headers.get("ETag", '"x"'), "changed": response.headers["Last-Modified"]}


def sent_for(environ: dict[str, Any], make: Any) -> Any:
    """Return all of an answer but the time of day, or the class of what was raised."""
    try:
        body, status, headers = run_wsgi_app(make(), environ, buffered=True)
    except Exception as error:
        return type(error)
    return status, b"".join(body), sorted((name, name in {"Date", "Expires"} or value) for name, value in headers)


@pytest.mark.skipif(metadata.version("werkzeug") < "3.1.9", reason="compares with what werkzeug does since 3.1.9")
@examples(0.3)
@given(dice())
def test_files_are_sent_as_werkzeug_sends_them(modern: Flask, root: pathlib.Path, dice: Dice) -> None:
    name, folder, from_folder = dice.one(*FILE_NAMES), dice.one(str(root), "", ".", "static"), dice.often(0.7)
    options = {option: dice.one(*FILE_OPTIONS[option]) for option in dice.some(FILE_OPTIONS, dice.one(0, 1, 3))}
    environ = make_conditions(dice, known_of(root / "data.txt", options))

    def theirs() -> Any:
        placed = options | {"_root_path": str(root)}
        if from_folder:
            return werkzeug.utils.send_from_directory(folder, name, environ, **placed)
        return werkzeug.utils.send_file(name, environ, **placed)

    def ours() -> Any:
        with modern.request_context(environ):
            return send_from_directory(folder, name, **options) if from_folder else send_file(name, **options)

    assert sent_for(environ, ours) == sent_for(environ, theirs)


def test_a_file_that_changes_gets_new_headers(files: Flask, root: pathlib.Path) -> None:
    client = files.test_client()
    first = client.get("/static/a.css", buffered=True)
    (root / "static" / "a.css").write_text("p {}")
    second = client.get("/static/a.css", buffered=True)
    assert second.data == b"p {}" and second.content_length == 4
    assert first.headers["ETag"] != second.headers["ETag"]
    assert client.get("/static/a.css", headers={"If-None-Match": first.headers["ETag"]}, buffered=True).data == b"p {}"


def test_a_file_that_the_client_has_is_not_opened(files: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = files.test_client()
    tag = client.get("/static/a.css", buffered=True).headers["ETag"]
    monkeypatch.setattr("microflask.files.open", lambda *args: pytest.fail("opened"), raising=False)
    assert client.get("/static/a.css", headers={"If-None-Match": tag}).status_code == 304
