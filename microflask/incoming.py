"""Werkzeug's request, made lazy: it keeps the environ and evaluates what is looked at."""

from __future__ import annotations

import codecs
import re
from io import BytesIO
from typing import IO, Any, Literal, overload
from warnings import warn

from werkzeug.datastructures import Authorization, EnvironHeaders, FileStorage, ImmutableMultiDict, MultiDict
from werkzeug.exceptions import BadRequest, ClientDisconnected, HTTPException, SecurityError
from werkzeug.formparser import FormDataParser
from werkzeug.routing import Rule
from werkzeug.sansio.utils import get_current_url as url_of
from werkzeug.sansio.utils import get_host
from werkzeug.wrappers import Request as RequestBase

from . import json
from .attributes import compile_later, lazy
from .compat import default_compat
from .decoding import (
    KEEP_QUOTED,
    decode_wsgi,
    find_cookie,
    no_values,
    parse_cookies,
    parse_foreign_values,
    parse_values,
)
from .globals import blueprint_chain, find_app
from .uploads import FormParser, open_upload

_URLENCODED = "application/x-www-form-urlencoded"
#: Hosts that every URL can be made with.
_PLAIN_HOST = compile_later(globals(), "_PLAIN_HOST", r"(?!.*xn--)[a-z0-9.-]+(:[0-9]{1,4})?", re.IGNORECASE)
#: Codecs of Python that are no charsets. A body of 1 MB takes the first two more than a minute.
_NO_CHARSETS = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"})


class Request(RequestBase):
    """Describe the request that came in; remembers the matched rule and the view arguments.

    :param environ: the WSGI environ; it is kept, and read when something is asked for
    :param populate_request: whether the environ gets to know the request, under ``werkzeug.request``
    :param shallow: whether reading the body is refused
    """

    json_module: Any = json
    #: The encoding of forms; a subclass may have another one than the web has today.
    charset = "utf-8"
    #: The encoding of the query string; that of forms, unless a subclass says otherwise.
    url_charset = "utf-8"
    form_data_parser_class: type[FormDataParser] = FormParser
    #: What becomes of bytes that are not in an encoding of a subclass's own.
    encoding_errors = "replace"
    shallow = False
    #: The rule that matched, or None.
    url_rule: Rule | None
    #: The values of the rule's variables, or None when nothing matched.
    view_args: dict[str, Any] | None
    #: The exception with which matching failed, or None.
    routing_exception: HTTPException | None
    #: Whether a subclass has a stream of its own.
    _own_stream = False
    #: The same of the cookies.
    _own_cookies = False
    #: The cookies that were parsed, or assigned.
    _cookies: Any = None
    #: Whether no subclass has a constructor of its own.
    _stock_init = True
    _max_content_length: int | None = None
    _max_form_memory_size: int | None = None
    _max_form_parts: int | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "charset" in vars(cls) and "url_charset" not in vars(cls):
            cls.url_charset = cls.charset
        cls._own_stream = cls.stream is not Request.stream
        cls._own_cookies = cls.cookies is not Request.cookies
        cls._stock_init = cls.__init__ is Request.__init__

    def __init__(self, environ: dict[str, Any], populate_request: bool = True, shallow: bool = False) -> None:
        # No class has values for these: CPython finds them at once then.
        self.environ = environ
        self.url_rule = self.view_args = self.routing_exception = None
        self._cached_data: Any = None
        self._stream: IO[bytes] | None = None
        self._files_loaded = False
        if shallow:
            self.shallow = shallow
        elif populate_request:
            environ["werkzeug.request"] = self

    @lazy
    def method(self) -> str:  # type: ignore[override]
        """The method, in upper case."""
        method: str = self.environ.get("REQUEST_METHOD", "GET")
        return method.upper()

    @lazy
    def scheme(self) -> str:  # type: ignore[override]
        """The scheme of the URL: http, https, ws or wss."""
        scheme: str = self.environ.get("wsgi.url_scheme", "http")
        return scheme

    @lazy
    def server(self) -> tuple[str, int | None] | None:  # type: ignore[override]
        """Address and port of the server as it calls itself."""
        name = self.environ.get("SERVER_NAME")
        if name is None:
            return None
        try:
            return name, int(self.environ.get("SERVER_PORT", ""))
        except ValueError:
            return name, None

    @lazy
    def root_path(self) -> str:  # type: ignore[override]
        """Where the application is mounted, without a final slash."""
        return decode_wsgi(self.environ.get("SCRIPT_NAME") or "").rstrip("/")

    @lazy
    def path(self) -> str:  # type: ignore[override]
        """The path of the URL below the place where the application is mounted."""
        return "/" + decode_wsgi(self.environ.get("PATH_INFO") or "").lstrip("/")

    @lazy
    def query_string(self) -> bytes:  # type: ignore[override]
        """The part of the URL after the question mark, as it came."""
        query: str = self.environ.get("QUERY_STRING", "")
        return query.encode("latin1")

    @lazy
    def headers(self) -> EnvironHeaders:  # type: ignore[override]
        """The headers, read from the environ."""
        return EnvironHeaders(self.environ)

    @lazy
    def remote_addr(self) -> str | None:  # type: ignore[override]
        """The address of the client, as the server gives it."""
        address: str | None = self.environ.get("REMOTE_ADDR")
        return address

    @lazy
    def args(self) -> MultiDict[str, str]:
        """The query string, parsed. Bytes that are no UTF-8 come out percent-encoded."""
        query, kind = self.environ.get("QUERY_STRING", ""), self.parameter_storage_class
        if self.url_charset != "utf-8":
            data = query.encode("latin1")
            return parse_foreign_values(kind, data, self.url_charset, self.encoding_errors)  # type: ignore[no-any-return]
        if not query.isascii():
            query = query.encode("latin1").decode(errors=KEEP_QUOTED)
        return parse_values(kind, query)  # type: ignore[no-any-return]

    @lazy
    def host(self) -> str:
        """The host that was asked for, with its port unless that is the usual one; empty when it cannot be one.

        :raises SecurityError: it is none of the trusted hosts
        """
        try:
            host = get_host(self.scheme, self.environ.get("HTTP_HOST"), self.server, self.trusted_hosts)
        except UnicodeError:
            # Werkzeug before 3.1.9 let the error of a label that is too long through.
            raise SecurityError("The host of the request is not a possible one.") from None
        if not _PLAIN_HOST(host):
            try:
                # It fails for names of other alphabets that are none, and before 3.1.9 for ports that are none.
                url_of("http", host)
            except ValueError:
                return ""
        return host

    @lazy
    def authorization(self) -> Authorization | None:
        """The credentials of the request; None when there are none that can be read."""
        try:
            return super().authorization
        except ValueError:
            # Base64 of other characters than ASCII.
            return None

    @property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """The cookies; of several with one name, the first comes first."""
        if self._cookies is None:
            self._cookies = parse_cookies(self.dict_storage_class, self.environ.get("HTTP_COOKIE"))
        return self._cookies  # type: ignore[no-any-return]

    @cookies.setter
    def cookies(self, value: ImmutableMultiDict[str, str]) -> None:
        self._cookies = value

    @cookies.deleter
    def cookies(self) -> None:
        self._cookies = None

    def _cookie_values(self, name: str) -> list[str]:
        """Return the values of one cookie; as long as nobody has asked for the others, they are not parsed: that
        takes a third of the time."""
        if self._cookies is None and not self._own_cookies and self.dict_storage_class is ImmutableMultiDict:
            values = find_cookie(self.environ.get("HTTP_COOKIE"), name)
            if values is not None:
                return values
        return self.cookies.getlist(name)

    @lazy
    def full_path(self) -> str:
        """The path with the query string."""
        return f"{self.path}?{self.query_string.decode(errors=KEEP_QUOTED)}"

    def _limit(self, key: str, own: int | None, otherwise: int | None) -> int | None:
        """Return this request's own limit, else the application's, else `otherwise`."""
        if own is not None:
            return own
        app = find_app()
        if app is None or key not in (config := app.config):
            return otherwise
        limit: int | None = config[key]
        return limit

    @property
    def max_content_length(self) -> int | None:
        """How many bytes the body may have; MAX_CONTENT_LENGTH of the configuration unless assigned."""
        return self._limit("MAX_CONTENT_LENGTH", self._max_content_length, None)

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value

    @property
    def max_form_memory_size(self) -> int | None:
        """How many bytes a form field that is no file may have; MAX_FORM_MEMORY_SIZE unless assigned."""
        return self._limit("MAX_FORM_MEMORY_SIZE", self._max_form_memory_size, 500_000)

    @max_form_memory_size.setter
    def max_form_memory_size(self, value: int | None) -> None:
        self._max_form_memory_size = value

    @property  # type: ignore[override]
    def max_form_parts(self) -> int | None:
        """How many parts a multipart form may have; MAX_FORM_PARTS unless assigned."""
        return self._limit("MAX_FORM_PARTS", self._max_form_parts, 1_000)

    @max_form_parts.setter
    def max_form_parts(self, value: int | None) -> None:
        self._max_form_parts = value

    @property
    def endpoint(self) -> str | None:
        """The endpoint that matched, or None."""
        rule = self.url_rule
        return None if rule is None else rule.endpoint

    @property
    def blueprint(self) -> str | None:
        """The name of the blueprint that the endpoint belongs to, or None."""
        endpoint = self.endpoint
        return endpoint.rpartition(".")[0] if endpoint is not None and "." in endpoint else None

    @property
    def blueprints(self) -> list[str]:
        """The names of that blueprint and of those around it, innermost first."""
        name = self.blueprint
        return [] if name is None else [*blueprint_chain(name)]

    @property
    def module(self) -> str | None:
        """The name of the Module that handles the request, or None; blueprints came after modules."""
        app, name = find_app(), self.blueprint
        if app is not None and app.compat.warns_of_deprecations:
            warn("request.module is the name of a Module: use request.blueprint", DeprecationWarning, stacklevel=3)
        blueprint = None if app is None or name is None else app.blueprints.get(name)
        return name if getattr(blueprint, "is_module", False) else None

    @property
    def is_xhr(self) -> bool:
        """Whether a JavaScript library marked the request as an XMLHttpRequest."""
        mark: str = self.environ.get("HTTP_X_REQUESTED_WITH", "")
        return mark.lower() == "xmlhttprequest"

    @property
    def json(self) -> Any:
        """What :meth:`get_json` returns."""
        return self.get_json()

    def get_json(
        self, force: bool = False, silent: bool = False, cache: bool = True
    ) -> Any:
        """Return the body, parsed as JSON.

        :param force: parse whatever the mimetype says
        :param silent: return None instead of failing
        :param cache: remember the result for the next call
        :raises BadRequest: from :meth:`on_json_loading_failed`, when the body is no JSON
        :raises UnsupportedMediaType: the mimetype is another one, where the application's compat asks for it
        """
        if cache and (known := self._cached_json[silent]) is not Ellipsis:
            return known
        app, said = find_app(), self.environ.get("CONTENT_TYPE", "")
        if said != "application/json" and not force:
            required = (default_compat() if app is None else app.compat).json_mimetype_required
            if not (self.is_json if required else self.mimetype == "application/json"):
                return self.on_json_loading_failed(None) if required and not silent else None
        module = self.json_module
        try:
            text: Any = self.get_data(cache=cache)
            if ";" in said:
                text = self._decode_json(text)
            # Our module asks the application, too.
            value = (app.json if module is json and app is not None else module).loads(text)
        except ValueError as error:
            value = None if silent else self.on_json_loading_failed(error)
            outcome = (self._cached_json[0], value) if silent else (value, self._cached_json[1])
        else:
            outcome = (value, value)
        if cache:
            self._cached_json = outcome
        return value

    def _decode_json(self, data: bytes) -> bytes | str:
        charset = self.mimetype_params.get("charset")
        if not charset or charset.lower() in {"utf-8", "utf8"}:
            return data
        try:
            if codecs.lookup(charset).name not in _NO_CHARSETS:
                return data.decode(charset)
        except LookupError:
            pass
        raise ValueError("the charset of the Content-Type is not known")

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Raise BadRequest; may be overridden to return what get_json() shall return.

        :param e: what went wrong while parsing, or None when the mimetype was not that of JSON
        """
        try:
            return super().on_json_loading_failed(e)
        except BadRequest as error:
            app = find_app()
            if app is not None and app.debug:
                raise
            # What exactly was wrong is for the developer, not for the client.
            raise BadRequest() from error

    @property
    def stream(self) -> IO[bytes]:
        """The body, which can be read once; it ends where the request does.

        :raises RuntimeError: the request is a shallow one
        :raises RequestEntityTooLarge: more of it was announced than may be
        """
        if self._stream is None:
            make: Any = RequestBase.stream
            self._stream = make.__get__(self)
        return self._stream

    @stream.setter
    def stream(self, value: IO[bytes]) -> None:
        self._stream = value

    def _read_body(self) -> bytes:
        """Return the body that nobody has read yet; the stream is at its end then.

        :raises RequestEntityTooLarge: there is more of it than may be
        :raises ClientDisconnected: there is less of it than was announced
        """
        environ = self.environ
        length = environ.get("CONTENT_LENGTH", "")
        size = int(length) if length.isdecimal() and length.isascii() and len(length) < 16 else None
        limit = self.max_content_length
        if (
            size is None
            or self._stream is not None
            or self._own_stream
            or self.shallow
            or "HTTP_TRANSFER_ENCODING" in environ
            or (limit is not None and (size > limit or "wsgi.input_terminated" in environ))
        ):
            return self.stream.read()
        source = environ["wsgi.input"]
        if environ.get("wsgi.input_terminated"):
            data: bytes = source.read()
        else:
            try:
                data = source.read(size)
                while len(data) < size and (more := source.read(size - len(data))):
                    data += more
            except (OSError, ValueError) as error:
                raise ClientDisconnected() from error
            if len(data) < size:
                raise ClientDisconnected()
        self._stream = BytesIO()
        return data

    @overload
    def get_data(self, cache: bool = ..., as_text: Literal[False] = ..., parse_form_data: bool = ...) -> bytes: ...
    @overload
    def get_data(self, cache: bool = ..., as_text: Literal[True] = ..., parse_form_data: bool = ...) -> str: ...
    def get_data(
        self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
    ) -> bytes | str:
        """Return the body.

        :param cache: remember it for the next call
        :param as_text: decode it as UTF-8
        :param parse_form_data: parse a form first, so that only what is no form comes back
        """
        data: bytes | None = self._cached_data
        if data is None:
            if parse_form_data:
                self._load_form_data()
            data = self._read_body()
            if cache:
                self._cached_data = data
        return data.decode(errors="replace") if as_text else data

    @lazy
    def form(self) -> ImmutableMultiDict[str, str]:
        """The fields of the form that are no files."""
        self._load_form_data()
        return self.form

    @lazy
    def files(self) -> ImmutableMultiDict[str, FileStorage]:
        """The uploaded files."""
        self._load_form_data()
        return self.__dict__.get("files", no_values(self.parameter_storage_class))  # type: ignore[no-any-return]

    def _load_form_data(self) -> None:
        """Parse the form, unless that was done, into `form` and `files`."""
        known, kind = self.__dict__, type(self)
        if "form" in known:
            return
        if (
            self.environ.get("CONTENT_TYPE") == _URLENCODED
            and kind.form_data_parser_class is FormParser
            and kind.make_form_data_parser is RequestBase.make_form_data_parser
        ):
            storage = self.parameter_storage_class
            known["form"], known["files"] = self._parse_plain_form(storage), no_values(storage)
        else:
            super()._load_form_data()
            self._stream = known.pop("stream", self._stream)
            self._files_loaded = True
        app = find_app()
        if app is not None and app.debug and self.mimetype != "multipart/form-data" and not self.files:
            from .debughelpers import attach_enctype_error_multidict

            attach_enctype_error_multidict(self, app.compat.files_key_error_quote)

    def _get_file_stream(
        self, total_content_length: int | None, content_type: str | None, filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:  # fmt: skip
        """Return the file that an upload is written to; override it for another one.

        :param total_content_length: bytes of the whole body
        :param content_length: bytes of the upload; rarely known
        """
        file = open_upload(total_content_length)
        if file is not None:
            return file
        return super()._get_file_stream(total_content_length, content_type, filename, content_length)

    def _parse_plain_form(self, storage: type[Any]) -> Any:
        data = self._cached_data
        if data is None:
            data = self._read_body()
        else:
            # It is what was parsed that has been read to its end.
            self._stream = BytesIO()
        try:
            if self.charset == "utf-8":
                return parse_values(storage, data.decode())
            return parse_foreign_values(storage, data, self.charset, self.encoding_errors)
        except UnicodeDecodeError:
            return no_values(storage)

    def close(self) -> None:
        """Close the uploaded files, if the form was looked at."""
        if self._files_loaded:
            super().close()
