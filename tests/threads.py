"""Work in another thread, for tests of what belongs to one."""

import threading


def in_thread(function, *args):
    """Return what a function returns in a thread of its own, or raise what it raises there."""
    outcome = []

    def run():
        try:
            outcome.append((function(*args), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = outcome[0]
    if error is not None:
        raise error
    return value
