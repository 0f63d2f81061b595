"""The guestbook itself: reading, writing and deleting entries."""

from __future__ import annotations

from pathlib import PurePath

from microflask import (
    Blueprint,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from microflask.typing import ResponseReturnValue

from . import models, pictures
from .db import MAX_ID
from .security import login_required, signed_in_user

bp = Blueprint("entries", __name__)


@bp.route("/")
def index() -> str:
    """Show a page of entries."""
    page = models.get_page(request.args.get("page", 1, type=int), current_app.config["ENTRIES_PER_PAGE"])
    return render_template("entries/index.html", page=page or abort(404))


@bp.route(f"/entries/<int(max={MAX_ID}):entry_id>")
def show(entry_id: int) -> str:
    """Show one entry."""
    return render_template("entries/show.html", entry=models.get_entry(entry_id) or abort(404))


@bp.route("/entries/new", methods=["GET", "POST"])
@login_required
def create() -> ResponseReturnValue:
    """Show the form for a new entry; store the entry and its picture."""
    if request.method == "GET":
        return render_template("entries/new.html", message="", errors={})
    message = request.form.get("message", "")
    upload = request.files.get("picture")
    errors = {"message": error} if (error := models.message_error(message)) else {}
    picture = None
    # A browser sends a file field that was left empty as a file without a name.
    if upload and upload.filename and not errors:
        try:
            picture = pictures.save(upload.stream)
        except pictures.PictureError as refused:
            errors["picture"] = str(refused)
    if errors:
        return render_template("entries/new.html", message=message, errors=errors), 422
    entry = models.add_entry(signed_in_user(), message, picture)
    flash("Thank you for your entry.", "success")
    return redirect(url_for(".show", entry_id=entry.id))


@bp.route(f"/entries/<int(max={MAX_ID}):entry_id>/delete", methods=["POST"])
@login_required
def delete(entry_id: int) -> ResponseReturnValue:
    """Delete one's own entry."""
    entry = models.get_entry(entry_id) or abort(404)
    if entry.user_id != signed_in_user().id:
        abort(403, "Only the author of an entry can delete it.")
    models.delete_entry(entry)
    if entry.picture:
        pictures.delete(entry.picture)
    flash("The entry is deleted.", "success")
    return redirect(url_for(".index"))


@bp.route("/pictures/<name>")
def send_picture(name: str) -> ResponseReturnValue:
    """Send a picture; send_from_directory refuses names that lead out of the folder."""
    return send_from_directory(pictures.folder(), name, mimetype=pictures.MIMETYPES.get(PurePath(name).suffix))
