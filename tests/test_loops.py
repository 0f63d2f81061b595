"""The loop that a thread keeps: its rounds, its end, interrupts while it waits."""

import asyncio
import gc
import selectors
import signal
import socket
import threading

import pytest
from threads import in_thread

from microflask import request


def test_task_begun_at_the_end_of_a_view_makes_its_first_step(app, client):
    steps = []

    async def note():
        steps.append("first")
        await asyncio.sleep(0)
        steps.append("second")

    async def view():
        view.task = asyncio.create_task(note())
        return ""

    app.add_url_rule("/", "view", view)
    client.get("/")
    assert steps == ["first"]
    client.get("/")
    assert sorted(steps) == ["first", "first", "second"]


def test_callback_that_always_comes_again_does_not_hold_up_the_end(app, client):
    def again():
        if not view.ended:
            asyncio.get_running_loop().call_soon(again)

    async def view():
        view.ended = False
        again()
        await asyncio.sleep(0.001)
        return "ended"

    app.add_url_rule("/", "view", view)
    assert client.get("/").text == "ended"
    view.ended = True


def test_view_that_never_rests_hears_from_its_files(app, client):
    async def view():
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.send(b"news")
            heard = asyncio.create_task(asyncio.get_running_loop().sock_recv(ours, 10))
            other = asyncio.create_task(asyncio.to_thread(int, "7"))
            while not (heard.done() and other.done()):
                await asyncio.sleep(0)
            theirs.send(b" again")
            got = await asyncio.get_running_loop().sock_recv(ours, 10)
            return f"{heard.result()} {got} {other.result()}"

    app.add_url_rule("/", "view", view)
    assert client.get("/").text == "b'news' b' again' 7"


def test_waiting_for_time_and_for_threads(app, client):
    async def view():
        loop = asyncio.get_running_loop()
        due = loop.create_future()
        loop.call_later(0.001, due.set_result, "due")
        try:
            async with asyncio.timeout(0.001):
                await asyncio.sleep(60)
        except TimeoutError:
            return f"{await due} {await asyncio.to_thread(lambda: request.path)}"

    app.add_url_rule("/", "view", view)
    assert client.get("/").text == "due /"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError, ZeroDivisionError])
def test_error_leaves_nothing_behind_for_the_next_coroutine(app, error, caplog):
    async def fails():
        await asyncio.sleep(0)
        raise error

    async def rests():
        for _ in range(3):
            await asyncio.sleep(0)
        return "rested"

    for _ in range(2):
        with pytest.raises(error):
            app.ensure_sync(fails)()
        # asyncio logs the errors of tasks that nobody asked for them, when they are collected.
        gc.collect()
        assert not caplog.records
        assert app.ensure_sync(rests)() == "rested"


def test_view_that_stops_the_loop_is_told(app):
    async def stops():
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)
        return "ended"

    async def works():
        return "works"

    with pytest.raises(RuntimeError, match="stopped"):
        app.ensure_sync(stops)()
    assert app.ensure_sync(works)() == "works"


class OwnLoop(asyncio.SelectorEventLoop):
    """Stand for the loop of a policy."""


def test_loop_of_another_kind_is_left_as_it_is(app, monkeypatch):
    async def tell():
        await asyncio.sleep(0)
        return asyncio.get_running_loop()

    monkeypatch.setattr(asyncio, "new_event_loop", OwnLoop)

    def run():
        return app.ensure_sync(tell)(), app.ensure_sync(tell)()

    first, second = in_thread(run)
    assert type(first) is OwnLoop and first is second


def test_short_view_asks_the_system_for_nothing(app, monkeypatch):
    asked = []
    select = selectors.DefaultSelector.select

    class Counting(selectors.DefaultSelector):
        def select(self, timeout=None):
            asked.append(timeout)
            return select(self, timeout)

    async def short():
        await asyncio.sleep(0)

    monkeypatch.setattr(selectors, "DefaultSelector", Counting)
    in_thread(app.ensure_sync(short))
    # What is asked at the end of the thread is asked by the closing of the loop.
    del asked[:]

    def run():
        for _ in range(20):
            app.ensure_sync(short)()
        return len(asked)

    assert in_thread(run) <= 5


async def path():
    await asyncio.sleep(0)
    return request.path


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals come to the process alone")
@pytest.mark.usefixtures("interruptible")
def test_interrupt_while_the_loop_waits(app):
    here = threading.get_ident()

    async def waits():
        interrupter = threading.Thread(target=signal.pthread_kill, args=(here, signal.SIGINT))
        asyncio.get_running_loop().call_soon(interrupter.start)
        await asyncio.sleep(3600)

    with pytest.raises(KeyboardInterrupt):
        app.ensure_sync(waits)()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with app.test_request_context("/again"):
        assert app.ensure_sync(path)() == "/again"
