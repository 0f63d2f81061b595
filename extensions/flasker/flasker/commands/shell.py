"""The command `flasker shell`."""

from __future__ import annotations

import code
import codeop
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from ..current import current_project

#: What goes on with the block above although it stands at the left margin.
_CONTINUATIONS = ("else", "elif", "except", "finally", "case", ")", "]", "}")


def converse(project: Any) -> None:
    """Give Python, with the project's objects, to whoever sits at the terminal; or run what comes on stdin."""
    names = {"current_project": current_project, "app": project.app, "celery": project.celery, "db": project.db}
    with project.app.app_context():
        if not sys.stdin.isatty():
            run_lines(sys.stdin, names)
        elif not _start_ipython(project, names):
            _start_python(project, names)


def _banner(project: Any, names: dict[str, Any]) -> str:
    return f"{project.name}: {', '.join(names)}"


def _start_ipython(project: Any, names: dict[str, Any]) -> bool:
    try:
        from IPython.terminal.embed import InteractiveShellEmbed
    except ImportError:
        return False
    prompt: Any = InteractiveShellEmbed
    prompt(banner1=_banner(project, names), user_ns=names)()
    return True


def _start_python(project: Any, names: dict[str, Any]) -> None:
    try:
        import readline
        import rlcompleter

        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
    except ImportError:
        pass
    code.interact(_banner(project, names), local=names, exitmsg="")


def run_lines(lines: Iterable[str], names: dict[str, Any]) -> None:
    """Run Python statements as a prompt would, values shown, and go on after an error."""
    interpreter = code.InteractiveInterpreter(names)
    for source in statements(lines):
        try:
            # With an empty line, which ends every block.
            statement = compile(source + "\n", "<stdin>", "single")
        except (SyntaxError, ValueError, OverflowError):
            interpreter.showsyntaxerror("<stdin>")
        else:
            interpreter.runcode(statement)
        sys.stdout.flush()


def statements(lines: Iterable[str]) -> Iterator[str]:
    """Yield the statements in `lines`, each as soon as it must be complete.

    A block need not end with an empty line, and may hold some: it ends where a line stands at the left margin.
    """
    held = ""
    for line in lines:
        line = line.rstrip("\r\n")
        if held and _is_complete(held) and _starts_anew(line):
            yield held
            held = ""
        if not held and not line.strip():
            continue
        held += line + "\n"
        if not _may_go_on(held):
            yield held
            held = ""
    if held:
        yield held


def _starts_anew(line: str) -> bool:
    return bool(line.strip()) and not line[0].isspace() and not line.startswith(_CONTINUATIONS)


def _is_complete(source: str) -> bool:
    """Tell whether a statement would be complete if an empty line followed."""
    try:
        return codeop.compile_command(source + "\n", "<stdin>", "exec") is not None
    except (SyntaxError, ValueError, OverflowError):
        return True


def _may_go_on(source: str) -> bool:
    """Tell whether a statement is open, or a block that may have more lines."""
    try:
        return codeop.compile_command(source.rstrip("\n"), "<stdin>", "single") is None
    except (SyntaxError, ValueError, OverflowError):
        return False
