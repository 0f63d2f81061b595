"""Coroutine functions wherever a function may be registered, run in a loop that each thread keeps."""

import asyncio
import contextvars
import functools
import signal
import subprocess
import sys
import traceback
from collections.abc import Coroutine

import pytest
from threads import in_thread

from microflask import (
    Blueprint,
    Flask,
    Response,
    abort,
    after_this_request,
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    copy_current_request_context,
    current_app,
    flash,
    g,
    got_request_exception,
    message_flashed,
    render_template_string,
    request,
    request_finished,
    request_started,
    request_tearing_down,
    session,
    template_rendered,
)
from microflask.views import MethodView, View

user = contextvars.ContextVar("user", default="nobody")


async def view():
    await asyncio.sleep(0)
    return f"{request.path} {current_app.name}"


# -- everywhere


def test_async_view(app, client):
    app.add_url_rule("/<int:number>", "view", view_func=lambda number: None)

    async def show(number):
        await asyncio.sleep(0)
        return f"{number + 1}", 201

    app.view_functions["view"] = show
    response = client.get("/4")
    assert (response.status_code, response.text) == (201, "5")


class Callable:
    async def __call__(self):
        return await view()


class Methods:
    async def method(self):
        return await view()

    @classmethod
    async def class_method(cls):
        return await view()


async def with_argument(argument):
    return await view()


@pytest.mark.parametrize(
    "function",
    [
        view, functools.partial(with_argument, 1), functools.partial(functools.partial(with_argument), 1), Callable(),
        functools.partial(Callable()), Methods().method, Methods.class_method,
    ],
    ids=["function", "partial", "partial of a partial", "object", "partial of an object", "method", "class method"],
)  # fmt: skip
def test_all_kinds_of_coroutine_functions_are_known(app, client, function):
    app.add_url_rule("/", "view", function)
    assert client.get("/").text == f"/ {app.name}"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="inspect.markcoroutinefunction came with Python 3.12")
def test_function_that_is_marked_as_a_coroutine_function(app, client):
    import inspect

    @inspect.markcoroutinefunction
    def marked():
        return view()

    app.add_url_rule("/", "view", marked)
    assert client.get("/").text == f"/ {app.name}"


def test_function_that_only_returns_a_coroutine_is_no_coroutine_function(app, client):
    coroutine = view()
    app.add_url_rule("/", "view", lambda: coroutine)
    with pytest.raises(TypeError, match=r"'view'.*coroutine"):
        client.get("/")
    coroutine.close()

class Awaited(Coroutine):
    """A coroutine of another kind than Python's own, as compiled functions return."""

    def __init__(self, coroutine):
        self.coroutine = coroutine

    def send(self, value):
        return self.coroutine.send(value)

    def throw(self, *error):
        return self.coroutine.throw(*error)

    def close(self):
        self.coroutine.close()

    def __await__(self):
        return self.coroutine.__await__()


class Compiled:
    """A function that a compiler made of a coroutine function; it looks like one, and is of another class."""

    def __init__(self, function):
        functools.update_wrapper(self, function, ("__name__", "__code__", "__defaults__", "__kwdefaults__"))
        self.function = function
        self.__annotations__ = {}

    def __call__(self, *args):
        return Awaited(self.function(*args))


def test_coroutine_functions_of_a_compiler(app, client):
    ran = []

    async def before():
        ran.append("before")

    async def after(response):
        await asyncio.sleep(0)
        ran.append("after")
        return response

    async def handle(error):
        return "handled", 418

    async def teardown(error):
        ran.append("teardown")

    app.before_request(Compiled(before))
    app.after_request(Compiled(after))
    app.teardown_request(Compiled(teardown))
    app.teardown_appcontext(Compiled(teardown))
    app.register_error_handler(404, Compiled(handle))
    app.add_url_rule("/", "view", Compiled(view))
    assert client.get("/").text == f"/ {app.name}"
    assert ran == ["before", "after", "teardown", "teardown"]
    response = client.get("/nowhere")
    assert (response.status_code, response.text) == (418, "handled")


class NoHash:
    """Something to call that can be no key of a dictionary."""

    __hash__ = None

    def __call__(self, value=None):
        return value


def test_functions_that_cannot_be_hashed(app, client):
    function = NoHash()
    app.before_request(function)
    app.after_request(function)
    app.teardown_request(function)
    app.add_url_rule("/<value>", "view", function)
    app.register_error_handler(404, lambda error: function("nothing"))
    assert [client.get(path).text for path in ("/some", "/nothing/here")] == ["some", "nothing"]


@pytest.mark.parametrize("where", ["before", "after", "teardown", "view", "handler"])
def test_coroutine_of_a_function_that_is_none_for_coroutines_is_not_run(app, where):
    """Whoever hands on a coroutine, e.g. out of a decorator without care, is not guessed at."""
    ran, made = [], []

    async def work():
        ran.append(where)

    def plain(*args):
        made.append(work())
        return made[-1]

    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.add_url_rule("/", "view", plain if where == "view" else lambda: abort(410) if where == "handler" else "text")
    if where == "handler":
        app.register_error_handler(410, plain)
    elif where != "view":
        getattr(app, f"{where}_request")(plain)
    try:
        answer = app.test_client().get("/").text
    except (AttributeError, TypeError):
        answer = None
    made[0].close()
    assert answer == ("text" if where == "teardown" else None)
    assert ran == []


@pytest.mark.parametrize("on_instance", [False, True])
@pytest.mark.parametrize("name", ["ensure_sync", "async_to_sync"])
def test_way_to_run_coroutines_is_asked_for_each_function(name, on_instance):
    asked = []

    def hear(self, function):
        asked.append(function.__name__)
        return getattr(Flask, name)(self, function)

    async def step(value=None):
        return value

    app = (Flask if on_instance else type("Mine", (Flask,), {name: hear}))("microflask_tests", root_path="/")
    app.add_url_rule("/", "view", view)
    app.before_request(step)
    app.after_request(step)
    app.teardown_request(step)
    app.register_error_handler(404, step)
    client = app.test_client()
    assert client.get("/").status_code == 200
    assert asked == ([] if on_instance else ["step", "view", "step", "step"])
    setattr(app, name, functools.partial(hear, app))
    asked.clear()
    assert client.get("/").text == "/ microflask_tests"
    assert asked == ["step", "view", "step", "step"]
    assert client.get("/nowhere").status_code == 404
    assert asked[4:] == ["step", "step", "step", "step"]


@pytest.mark.parametrize("where", ["before", "handler"])
def test_coroutine_that_comes_out_of_an_own_ensure_sync_is_a_value(where):
    """To run coroutines was that method's task, so nobody else does it."""
    made = []

    class Mine(Flask):
        def ensure_sync(self, func):
            def call(*args):
                made.append(func(*args))
                return made[-1]

            return call

    app = Mine("microflask_tests", root_path="/")
    app.testing = True
    if where == "before":
        app.before_request(view)
    else:
        app.register_error_handler(404, with_argument)
    with pytest.raises(TypeError, match="coroutine"):
        app.test_client().get("/")
    made[0].close()


@pytest.mark.parametrize("where", ["before", "after", "teardown", "view"])
def test_error_of_an_async_function_is_that_of_the_request(app, where):
    ends = []

    async def fail(*args):
        await asyncio.sleep(0)
        raise LookupError(where)

    async def end(error):
        ends.append(error)

    app.add_url_rule("/", "view", fail if where == "view" else lambda: "text")
    app.teardown_request(end)
    if where != "view":
        getattr(app, f"{where}_request")(fail)
    with pytest.raises(LookupError, match=where) as caught:
        app.test_client().get("/")
    assert ends == [None if where == "teardown" else caught.value]


def test_async_view_classes(app, client):
    class Plain(View):
        async def dispatch_request(self):
            return f"plain {request.method}"

    class Methodical(MethodView):
        async def get(self):
            return "async get"

        def post(self):
            return "plain post"

    app.add_url_rule("/plain", view_func=Plain.as_view("plain"))
    app.add_url_rule("/methods", view_func=Methodical.as_view("methods"))
    assert client.get("/plain").text == "plain GET"
    assert client.get("/methods").text == "async get"
    assert client.post("/methods").text == "plain post"


def noting(log, text, value=None):
    async def hook(*args):
        await asyncio.sleep(0)
        log.append(text)
        return args[0] if value == "argument" else value

    return hook


@pytest.mark.parametrize("on_blueprint", [False, True])
def test_async_hooks(app, client, on_blueprint):
    log, blueprint = [], Blueprint("bp", "bp")
    scaffold = blueprint if on_blueprint else app
    scaffold.before_request(noting(log, "before"))
    scaffold.after_request(noting(log, "after", "argument"))
    scaffold.teardown_request(noting(log, "teardown"))
    scaffold.context_processor(noting(log, "context", {"a": 1}))
    app.before_first_request(noting(log, "first"))
    app.teardown_appcontext(noting(log, "end"))

    @scaffold.route("/")
    def view():
        after_this_request(noting(log, "this", "argument"))
        context = {}
        current_app.update_template_context(context)
        return str(context["a"])

    app.register_blueprint(blueprint)
    assert client.get("/").text == "1"
    assert log == ["first", "before", "context", "this", "after", "teardown", "end"]


def test_async_function_before_the_request_may_answer(app, client):
    app.before_request(noting([], "", "answered"))
    assert client.get("/").text == "answered"


def test_async_error_handlers(app, client):
    app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    app.logger.disabled = True
    app.errorhandler(404)(noting([], "", "not found"))
    app.errorhandler(LookupError)(noting([], "", "lookup"))
    app.errorhandler(500)(noting([], "", "internal"))

    async def fail():
        raise KeyError

    app.add_url_rule("/lookup", "lookup", fail)
    app.add_url_rule("/internal", "internal", lambda: 1 / 0)
    found = [client.get(path).text for path in ("/missing", "/lookup", "/internal")]
    app.logger.disabled = False
    assert found == ["not found", "lookup", "internal"]


def test_error_of_an_async_view_comes_with_its_traceback(app, client):
    async def failing_view():
        await asyncio.sleep(0)
        raise ValueError("inside")

    app.add_url_rule("/", view_func=failing_view)
    with pytest.raises(ValueError, match="inside") as caught:
        client.get("/")
    assert traceback.extract_tb(caught.tb)[-1].name == "failing_view"


@pytest.mark.parametrize(
    "signal",
    [
        appcontext_pushed, request_started, message_flashed, template_rendered, request_finished,
        request_tearing_down, appcontext_tearing_down, appcontext_popped, got_request_exception,
    ],
    ids=lambda signal: signal.name,
)  # fmt: skip
def test_async_receivers_of_signals(app, client, signal):
    got = []

    async def receive(sender, **extra):
        await asyncio.sleep(0)
        got.append(sender)

    def view():
        flash("hello")
        render_template_string("")
        if signal is got_request_exception:
            raise ValueError
        return ""

    app.add_url_rule("/", "view", view)
    with signal.connected_to(receive, app):
        try:
            client.get("/")
        except ValueError:
            assert signal is got_request_exception
    assert got == [app]


# -- what a coroutine sees


def test_coroutine_sees_the_request_and_what_it_changes_stays(app, client):
    seen = []

    @app.before_request
    async def before():
        g.user = request.args["user"]
        session["user"] = g.user
        user.set(g.user)

    @app.route("/")
    async def view():
        await asyncio.sleep(0)
        seen.append(user.get())
        return f"{g.user} {session['user']}"

    @app.after_request
    def after(response):
        seen.append(user.get())
        return response

    @app.teardown_request
    async def teardown(error):
        seen.append((user.get(), request.args["user"]))

    context = contextvars.copy_context()
    for name in ("peter", "paul"):
        assert context.run(client.get, f"/?user={name}").text == f"{name} {name}"
        assert seen == [name, name, (name, name)]
        seen.clear()
    assert user.get() == "nobody"


def test_each_request_starts_with_the_variables_of_its_thread(app, client):
    app.add_url_rule("/", "view", noting([], ""))

    async def tell():
        return user.get()

    app.view_functions["view"] = tell
    found = []
    for name in ("peter", "paul"):
        context = contextvars.copy_context()
        context.run(user.set, name)
        found.append(context.run(client.get, "/").text)
    assert [*found, client.get("/").text] == ["peter", "paul", "nobody"]


def test_tasks_of_a_view_see_its_request(app, client):
    async def path(number):
        await asyncio.sleep(0.001 * number)
        return f"{request.path}{number}"

    @app.route("/tasks")
    async def view():
        return " ".join(await asyncio.gather(*(asyncio.create_task(path(number)) for number in (2, 1))))

    assert client.get("/tasks").text == "/tasks2 /tasks1"


def test_view_may_go_on_in_a_thread(app, client):
    @app.route("/thread")
    async def view():
        return await asyncio.to_thread(copy_current_request_context(lambda: request.path))

    assert client.get("/thread").text == "/thread"


def test_decorated_coroutine_function_keeps_the_request(app):
    with app.test_request_context("/later"):

        @copy_current_request_context
        async def later():
            await asyncio.sleep(0)
            return request.path

    assert later() == in_thread(later) == "/later"


# -- streams


def test_asynchronous_generator_is_streamed(app, client):
    @app.route("/")
    async def view():
        async def generate():
            for number in range(3):
                await asyncio.sleep(0)
                yield f"{number};"

        return generate()

    assert client.get("/").text == "0;1;2;"


def test_asynchronous_generator_is_closed_when_the_client_goes_away(app):
    log = []

    def view():
        async def generate():
            try:
                while True:
                    yield b"again"
            finally:
                await asyncio.sleep(0)
                log.append("closed")

        return generate()

    app.add_url_rule("/", "view", view)
    body = app(app.test_request_context("/").request.environ, lambda status, headers: None)
    steps = iter(body)
    assert [next(steps), next(steps)] == [b"again", b"again"]
    body.close()
    assert log == ["closed"]


def test_error_in_an_asynchronous_generator(app):
    def view():
        async def generate():
            yield "before"
            raise ValueError("broken off")

        return generate(), 200

    app.add_url_rule("/", "view", view)
    body = app(app.test_request_context("/").request.environ, lambda status, headers: None)
    steps = iter(body)
    assert next(steps) == b"before"
    with pytest.raises(ValueError, match="broken off"):
        next(steps)
    body.close()


# -- the loop


def test_loop_is_kept_by_its_thread(app):
    async def tell():
        loops.append(asyncio.get_running_loop())
        return ""

    loops = []
    app.add_url_rule("/", "view", tell)

    def twice():
        for _ in range(2):
            app.test_client().get("/")

    twice()
    in_thread(twice)
    assert loops[0] is loops[1]
    assert loops[2] is loops[3] is not loops[0]
    assert not loops[0].is_closed()
    assert loops[2].is_closed()


def test_coroutines_of_a_thread_are_ended_with_it(app):
    ended = []

    async def linger():
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)

    async def view():
        view.task = asyncio.create_task(linger())
        await asyncio.sleep(0)
        return ""

    app.add_url_rule("/", "view", view)
    in_thread(lambda: app.test_client().get("/"))
    assert ended == [True]


def test_interpreter_ends_in_silence():
    program = (
        "import asyncio, threading, microflask\n"
        "app = microflask.Flask('silent', root_path='/')\n"
        "async def view():\n"
        "    view.task = asyncio.create_task(asyncio.sleep(3600))\n"
        "    await asyncio.to_thread(int)\n"
        "    return 'fine'\n"
        "app.add_url_rule('/', 'view', view)\n"
        "threading.Thread(target=app.test_client().get, args=('/',)).start()\n"
        "print(app.test_client().get('/').text)\n"
    )
    ran = subprocess.run([sys.executable, "-X", "dev", "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "fine\n", "")


def test_loop_of_the_thread_is_not_taken_over(app, client):
    app.add_url_rule("/", "view", view)
    client.get("/")

    async def other():
        return asyncio.get_running_loop()

    assert asyncio.run(other()).is_closed()
    assert client.get("/").status_code == 200


def test_error_inside_of_a_running_loop_says_what_to_do(app, client):
    app.add_url_rule("/", "view", view)

    async def main():
        client.get("/")

    with pytest.raises(RuntimeError, match=r"running event loop.*asyncio\.to_thread"):
        asyncio.run(main())


def test_application_may_be_called_from_a_loop_by_way_of_a_thread(app, client):
    app.add_url_rule("/", "view", view)

    async def main():
        return (await asyncio.to_thread(client.get, "/")).text

    assert asyncio.run(main()) == f"/ {app.name}"


def test_plain_view_works_inside_of_a_running_loop(app, client):
    app.add_url_rule("/", "view", lambda: request.path)

    async def main():
        return client.get("/").text

    assert asyncio.run(main()) == "/"


def test_other_ways_to_run_coroutines(app, client):
    """An application on another kind of loop overrides async_to_sync()."""
    ran = []

    class Mine(Flask):
        def async_to_sync(self, func):
            def call(*args, **kwargs):
                ran.append(func.__name__)
                with pytest.raises(StopIteration) as finished:
                    func(*args, **kwargs).send(None)
                return finished.value.value

            return call

    mine = Mine("microflask_tests", root_path="/")

    async def before():
        g.answer = "by hand"

    async def answer():
        return Response(g.answer)

    mine.before_request(before)
    mine.add_url_rule("/", "view", answer)
    assert mine.test_client().get("/").text == "by hand"
    assert ran == ["before", "answer"]


def test_ensure_sync_leaves_plain_functions_alone(app):
    def plain():
        return ""

    assert app.ensure_sync(plain) is plain
    wrapped = app.ensure_sync(view)
    assert wrapped is not view
    assert wrapped.__name__ == "view"
    with app.test_request_context("/direct"):
        assert wrapped() == f"/direct {app.name}"


@pytest.mark.usefixtures("interruptible")
def test_interrupt_cancels_the_coroutine_and_comes_out_when_it_has_ended(app):
    ended = []

    async def waits():
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            await asyncio.sleep(0)
            ended.append("cleaned up")
            raise

    with pytest.raises(KeyboardInterrupt):
        app.ensure_sync(waits)()
    assert ended == ["cancelled", "cleaned up"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with app.test_request_context("/again"):
        assert app.ensure_sync(view)() == f"/again {app.name}"


@pytest.mark.usefixtures("interruptible")
def test_second_interrupt_does_not_wait(app):
    async def stubborn():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it goes on")

    with pytest.raises(KeyboardInterrupt):
        app.ensure_sync(stubborn)()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
def test_handler_of_interrupts_that_is_set_stays(app, handler):
    async def sets():
        signal.signal(signal.SIGINT, handler)

    try:
        app.ensure_sync(sets)()
        assert signal.getsignal(signal.SIGINT) == handler
        app.ensure_sync(sets)()
        assert signal.getsignal(signal.SIGINT) == handler
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_coroutine_that_is_cancelled_without_an_interrupt_says_so(app):
    async def gives_up():
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        app.ensure_sync(gives_up)()
