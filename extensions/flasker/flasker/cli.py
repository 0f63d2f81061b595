"""The command `flasker`."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from .errors import ProjectImportError

_SETTINGS = {"help_option_names": ["-h", "--help"]}
#: For commands that hand arguments on to another program.
_HANDING_ON = {**_SETTINGS, "ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": True}


def main(prog_name: str | None = None) -> None:
    """Run the command; what keeps a project from starting is told in one message, with status 1."""
    try:
        cli(prog_name=prog_name)
    except ProjectImportError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


def find_conf(conf: str | None, folder: str = ".") -> str:
    """Return the path of the project file: `conf`, or the only ``.cfg`` file of a folder.

    :raises ProjectImportError: there is none, or there are several
    """
    if conf is not None:
        return conf
    found = sorted(name for name in os.listdir(folder) if name.endswith(".cfg") and os.path.isfile(name))
    if len(found) == 1:
        return os.path.join(folder, found[0])
    where = os.path.abspath(folder)
    if found:
        raise ProjectImportError(f"{where} has several .cfg files, {', '.join(found)}: name one with flasker -c FILE")
    raise ProjectImportError(
        f"{where} has no .cfg file: make one with `flasker new basic`, or name one with flasker -c FILE"
    )


def start_project(context: click.Context, debug: bool | None = None) -> Any:
    """Start the project that the command was called for."""
    conf = find_conf(context.obj)
    from .project import Project

    return Project(conf, debug)


@click.group(context_settings=_SETTINGS)
@click.option("-c", "--conf", metavar="FILE", help="The project file. [default: the only .cfg of this folder]")
@click.pass_context
def cli(context: click.Context, conf: str | None) -> None:
    """Manage a project made of a Flask application, an SQLAlchemy database and Celery tasks."""
    context.obj = conf


@cli.command(context_settings=_SETTINGS)
@click.option("-p", "--port", type=click.IntRange(0, 65535), default=5000, show_default=True, help="The port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address; 0.0.0.0 for all.")
@click.option("-d", "--debug", is_flag=True, help="With debugger and reloader, as DEBUG = True does.")
@click.pass_context
def server(context: click.Context, port: int, host: str, debug: bool) -> None:
    """Run the application server (for development)."""
    from .commands.server import serve

    serve(start_project(context, debug or None), host, port)


@cli.command(context_settings=_HANDING_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[CELERY'S OPTIONS]...")
@click.pass_context
def worker(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Start a worker for the Celery backend.

    All options but -h and --help go to Celery: --concurrency 1, --loglevel INFO, --pool solo, --queues NAMES, ...
    """
    # By hand, as click would also see the h in -nHOST.
    if {"-h", "--help"} & set(arguments):
        click.echo(context.get_help())
        return
    from .commands.worker import work

    work(start_project(context), arguments)


@cli.command(context_settings=_HANDING_ON)
@click.option("-p", "--port", type=click.IntRange(0, 65535), default=5555, show_default=True, help="The port.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[FLOWER'S OPTIONS]...")
@click.pass_context
def flower(context: click.Context, port: int, arguments: tuple[str, ...]) -> None:
    """Run Flower, which shows the workers and their tasks, on 127.0.0.1.

    All further options go to Flower: --address=0.0.0.0, --basic-auth=NAME:PASSWORD, ...
    """
    from .commands.flower import watch

    watch(start_project(context), port, arguments)


@cli.command(context_settings=_SETTINGS)
@click.pass_context
def shell(context: click.Context) -> None:
    """Start a shell in the current project context."""
    from .commands.shell import converse

    converse(start_project(context))


@cli.command(context_settings=_SETTINGS)
@click.argument("kind", type=click.Choice(["basic"]))
@click.option("-a", "--no-app", is_flag=True, help="Leave the application out.")
@click.option("-n", "--name", default="default", show_default=True, help="The file is NAME.cfg.")
def new(kind: str, no_app: bool, name: str) -> None:
    """Create a new project in this folder: a configuration file and a starting application."""
    from .commands.new import create

    if not name or os.path.basename(name) != name or name.startswith("."):
        raise click.BadParameter(f"{name!r} cannot be the name of a file here", param_hint="'-n' / '--name'")
    for line in create(".", name.removesuffix(".cfg"), with_app=not no_app):
        click.echo(line)
