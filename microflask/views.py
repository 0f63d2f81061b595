"""Views that are classes, and views that are imported late."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from importlib import import_module, invalidate_caches
from typing import TYPE_CHECKING, Any, ClassVar

from .globals import current_app as current_app
from .globals import find_app, find_request
from .globals import request as request

if TYPE_CHECKING:
    from .typing import ResponseReturnValue, RouteCallable

#: The names of the methods that a :class:`MethodView` may have.
http_method_funcs = frozenset(("get", "post", "head", "options", "delete", "put", "trace", "patch"))


class View:
    """Be the base of class-based views: a subclass implements :meth:`dispatch_request`."""

    #: The methods that the view is registered for unless the rule says otherwise.
    methods: ClassVar[Collection[str] | None] = None
    #: Whether the view answers OPTIONS by itself; None: as the application decides.
    provide_automatic_options: ClassVar[bool | None] = None
    #: Decorators that are applied to the view function, one after another, when it is made.
    decorators: ClassVar[list[Callable[..., Any]]] = []
    #: Whether each request gets an object of its own.
    init_every_request: ClassVar[bool] = True

    def dispatch_request(self, *args: Any, **kwargs: Any) -> ResponseReturnValue:
        """Answer the request; called with the values of the rule's variables.

        :raises NotImplementedError: the subclass has not implemented it
        """
        raise NotImplementedError(f"{type(self).__name__} is a View without the method dispatch_request()")

    @classmethod
    def as_view(cls, name: str, *class_args: Any, **class_kwargs: Any) -> RouteCallable:
        """Return a view function called `name` that makes an object of the class and lets it answer.

        :param class_args: given to the constructor, as are the keyword arguments
        """
        if cls.init_every_request:

            def view(**kwargs: Any) -> Any:
                this = view.view_class(*class_args, **class_kwargs)  # type: ignore[attr-defined]
                return _run(this.dispatch_request, kwargs)

        else:
            shared = cls(*class_args, **class_kwargs)

            def view(**kwargs: Any) -> Any:
                return _run(shared.dispatch_request, kwargs)

        function: Any = view
        for decorate in cls.decorators:
            function.__name__, function.__module__ = name, cls.__module__
            function = decorate(function)
        _describe(function, cls, name)
        if function is not view:
            view.view_class = cls  # type: ignore[attr-defined]
        return function  # type: ignore[no-any-return]


def _run(method: Callable[..., Any], kwargs: dict[str, Any]) -> Any:
    """Call a method of a view, in a loop when it is a coroutine function."""
    app = find_app()
    return method(**kwargs) if app is None else app.ensure_sync(method)(**kwargs)


def _describe(function: Any, cls: type[View], name: str) -> None:
    """Give a view function the attributes that its registration reads."""
    function.view_class = cls
    function.__name__ = name
    function.__doc__ = cls.__doc__
    function.__module__ = cls.__module__
    function.methods = cls.methods
    function.provide_automatic_options = cls.provide_automatic_options


class MethodView(View):
    """Answer each HTTP method by the method of the class that has its name in lower case."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "methods" in cls.__dict__:
            return
        methods = {method.upper() for method in http_method_funcs if hasattr(cls, method)}
        for base in cls.__bases__:
            methods.update(getattr(base, "methods", None) or ())
        if methods:
            cls.methods = methods

    def dispatch_request(self, **kwargs: Any) -> ResponseReturnValue:
        """Call the method of the class for the request's method; HEAD falls back to ``get``."""
        request = find_request()
        method = getattr(self, request.method.lower(), None)  # type: ignore[union-attr]
        if method is None and request.method == "HEAD":  # type: ignore[union-attr]
            method = getattr(self, "get", None)
        if method is None:
            raise AssertionError(
                f"{type(self).__name__} is registered for {request.method!r}"  # type: ignore[union-attr]
                " and has no method of that name"
            )
        return _run(method, kwargs)  # type: ignore[no-any-return]


class MethodViewType(type):
    """Be the metaclass that MethodView once had, for programs that name it."""


def split_import_name(import_name: str) -> tuple[str, str]:
    """Return the module and the name in it that an import name such as ``package.module.name`` is made of.

    A colon may stand in place of the last dot.

    :raises ValueError: there is no dot in it, or nothing beside one
    """
    module, _, name = import_name.replace(":", ".").rpartition(".")
    if not all((*module.split("."), name)):
        raise ValueError(f"{import_name!r} names nothing in a module: write it in full, as 'package.module.name'")
    return module, name


def import_object(import_name: str) -> Any:
    """Import the module of an import name and return what has the name in it.

    An exception of the module itself comes out as it is. Nothing of a failure is kept.

    :raises ImportError: there is no such module, or nothing of that name in it
    """
    module_name, name = split_import_name(import_name)
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        # Python keeps the listings of the folders it has searched.
        invalidate_caches()
        if not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise ImportError(f"{import_name!r} cannot be imported: {error}", name=module_name) from error
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise ImportError(
            f"{import_name!r} cannot be imported: there is no {name!r} in {module!r}", name=module_name
        ) from error


class LazyView:
    """Stand for a view that is imported when it is first called, from pattern "Lazily Loading Views".

    Nothing is imported before; the rule's endpoint is the last part of the import name. What the view's attributes
    would tell its registration, such as the methods of a class-based view, has to be given with the rule. Two of one
    import name are equal, so that a view can have several URLs.

    :param import_name: dotted name of the view, e.g. ``yourapplication.views.index``
    :raises ValueError: there is no dot in it
    """

    def __init__(self, import_name: str) -> None:
        self.__module__, self.__name__ = split_import_name(import_name)
        self.import_name = import_name
        self._view: Callable[..., Any] | None = None

    @property
    def view(self) -> Callable[..., Any]:
        """The real view, imported at the first look and kept; after a failure the next look tries again.

        :raises ImportError: there is no such module, or nothing of that name in it
        :raises TypeError: it cannot be called
        """
        # No lock: Python's import has one for each module, which finds out about circles. Ours would not.
        if self._view is None:
            view = import_object(self.import_name)
            if not callable(view):
                raise TypeError(f"{self.import_name!r} is no view: {view!r} cannot be called")
            self._view = view
        return self._view

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the real view, in a loop when it is a coroutine function and an application is current."""
        app = find_app()
        return self.view(*args, **kwargs) if app is None else app.ensure_sync(self.view)(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LazyView) and (other.__module__, other.__name__) == (self.__module__, self.__name__)

    def __hash__(self) -> int:
        return hash((self.__module__, self.__name__))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.import_name!r}>"


class PreloadError(ImportError):
    """Some of what is imported late cannot be imported.

    :param failures: import name -> exception
    """

    def __init__(self, failures: Mapping[str, Exception]) -> None:
        lines = (f"  {name}: {type(error).__name__}: {error}" for name, error in failures.items())
        super().__init__("\n".join(("these cannot be imported, and would fail at their first request:", *lines)))
        #: import name -> exception
        self.failures = dict(failures)


def import_views(views: Iterable[Any]) -> dict[str, Exception]:
    """Import the lazy ones among `views` and return the exceptions of those that fail, by import name."""
    failures: dict[str, Exception] = {}
    for lazy in views:
        if isinstance(lazy, LazyView):
            try:
                lazy.view  # noqa: B018 - it is imported when looked at
            except Exception as error:
                failures[lazy.import_name] = error
    return failures
