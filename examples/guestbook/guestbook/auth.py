"""Registering, signing in and signing out."""

from __future__ import annotations

from microflask import Blueprint, flash, redirect, render_template, request, url_for
from microflask.typing import ResponseReturnValue

from . import models, security

bp = Blueprint("auth", __name__, url_prefix="/auth")


@bp.route("/register", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    """Show the form for new users; store the user and sign them in."""
    if request.method == "GET":
        return render_template("auth/register.html", name="", errors={})
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    found = {"name": models.user_name_error(name), "password": models.password_error(password)}
    errors = {field: error for field, error in found.items() if error}
    user = None if errors else models.add_user(name, password)
    if user is None:
        return render_template("auth/register.html", name=name, errors=errors or {"name": "This name is taken."}), 422
    security.sign_in(user)
    flash(f"Welcome, {user.name}!", "success")
    return redirect(url_for("entries.index"))


@bp.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Show the form to sign in; sign the user in and go on to where they wanted to be."""
    if request.method == "GET":
        return render_template("auth/login.html", name="", errors={})
    name = request.form.get("name", "").strip()
    user = models.authenticate(name, request.form.get("password", ""))
    if user is None:
        # Which of the two is wrong is nobody's business.
        return render_template("auth/login.html", name=name, errors={"name": "Wrong name or password."}), 422
    security.sign_in(user)
    flash(f"Welcome back, {user.name}!", "success")
    return redirect(security.local_path(request.args.get("next", "")) or url_for("entries.index"))


@bp.route("/logout", methods=["POST"])
def logout() -> ResponseReturnValue:
    """Sign the user out."""
    security.sign_out()
    flash("You are signed out.", "success")
    return redirect(url_for("entries.index"))
