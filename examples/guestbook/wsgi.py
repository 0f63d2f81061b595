"""What a WSGI server runs: ``gunicorn --chdir examples/guestbook wsgi:app``."""

from guestbook import create_app

app = create_app()
