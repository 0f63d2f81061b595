"""The guestbook for programs: JSON in, JSON out.

Programs prove who they are with HTTP Basic authentication. The session cookie counts for nothing here; so another site
cannot make a visitor's browser write entries, and no CSRF token is needed.
"""

from __future__ import annotations

from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from microflask import Blueprint, abort, current_app, jsonify, request, url_for
from microflask.typing import ResponseReturnValue

from . import models
from .db import MAX_ID

URL_PREFIX = "/api"

bp = Blueprint("api", __name__, url_prefix=URL_PREFIX)


def _entry_as_json(entry: models.Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "author": entry.author,
        "message": entry.message,
        "created": entry.created.isoformat(),
        "picture": entry.picture and url_for("entries.send_picture", name=entry.picture),
        "url": url_for("api.show", entry_id=entry.id),
    }


def _authenticated_user() -> models.User:
    given = request.authorization
    if given and given.type == "basic":
        user = models.authenticate(given.username or "", given.password or "")
        if user:
            return user
    challenge = WWWAuthenticate("basic", {"realm": "guestbook"})
    raise Unauthorized("Send the name and password of a user.", www_authenticate=challenge)


@bp.route("/entries")
def index() -> ResponseReturnValue:
    """List a page of entries."""
    page = models.get_page(request.args.get("page", 1, type=int), current_app.config["ENTRIES_PER_PAGE"])
    if page is None:
        abort(404)
    entries = [_entry_as_json(entry) for entry in page.entries]
    return jsonify(entries=entries, page=page.number, pages=page.last, total=page.total)


@bp.route(f"/entries/<int(max={MAX_ID}):entry_id>")
def show(entry_id: int) -> ResponseReturnValue:
    """Return one entry."""
    return jsonify(_entry_as_json(models.get_entry(entry_id) or abort(404)))


@bp.route("/entries", methods=["POST"])
def create() -> ResponseReturnValue:
    """Store a new entry: an object with the member ``message``."""
    user = _authenticated_user()
    if not request.is_json:
        abort(415, "Send JSON, with the header Content-Type: application/json.")
    data = request.get_json()
    if not isinstance(data, dict):
        abort(400, "Send a JSON object.")
    errors = dict.fromkeys(data.keys() - {"message"}, "This field does not exist.")
    if error := models.message_error(data.get("message")):
        errors["message"] = error
    if errors:
        return jsonify(error="Unprocessable Entity", message="Some fields are wrong.", fields=errors), 422
    entry = _entry_as_json(models.add_entry(user, data["message"]))
    return jsonify(entry), 201, {"Location": str(entry["url"])}
