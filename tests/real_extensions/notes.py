"""A notebook made of Flask and five of its extensions; as a program it is used once and tells what happened.

Usage: notes.py FILE, where FILE is the SQLite database that it makes.
"""

import json
import re
import sys

from flask import Flask, __version__, redirect, render_template_string, request, session, url_for
from flask_cors import CORS
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user, logout_user
from flask_restful import Api, Resource, fields, marshal_with, reqparse
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect, FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import DataRequired

db = SQLAlchemy()
csrf = CSRFProtect()
logins = LoginManager()
logins.login_view = "login"

FORM = "<form method=post>{{ form.hidden_tag() }}{% for field in form %}{{ field.errors|join }}{% endfor %}</form>"


class User(UserMixin, db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(20), unique=True, nullable=False)
    password = db.Column(db.String(20), nullable=False)
    notes = db.relationship("Note", backref="author", order_by="Note.id")


class Note(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(50), nullable=False)
    author_id = db.Column(db.ForeignKey("user.id"))


@logins.user_loader
def load_user(user_id):
    return db.session.get(User, int(user_id))


class LoginForm(FlaskForm):
    name = StringField(validators=[DataRequired("who are you?")])
    password = PasswordField()


class NoteForm(FlaskForm):
    title = StringField(validators=[DataRequired("a note needs a title")])


def login():
    form = LoginForm()
    if form.validate_on_submit():
        user = db.session.scalar(db.select(User).filter_by(name=form.name.data))
        if user is not None and user.password == form.password.data:
            login_user(user)
            return redirect(request.args.get("next") or url_for("index"))
        form.password.errors = ["this is not the password"]
    return render_template_string(FORM, form=form)


@login_required
def logout():
    logout_user()
    return redirect(url_for("login"))


@login_required
def index():
    form = NoteForm()
    if form.validate_on_submit():
        db.session.add(Note(title=form.title.data, author=current_user))
        db.session.commit()
        return redirect(url_for("index"))
    text = "{{ current_user.name }}: {{ current_user.notes|map(attribute='title')|join(', ') }}" + FORM
    return render_template_string(text, form=form)


NOTE = {"title": fields.String, "author": fields.String(attribute="author.name"), "url": fields.Url("onenote")}


class Notes(Resource):
    @marshal_with(NOTE, envelope="notes")
    def get(self):
        return db.session.scalars(db.select(Note).order_by(Note.id)).all()

    @login_required
    @marshal_with(NOTE)
    def post(self):
        parser = reqparse.RequestParser()
        parser.add_argument("title", required=True, help="a title is needed")
        note = Note(title=parser.parse_args()["title"], author=current_user)
        db.session.add(note)
        db.session.commit()
        return note, 201, {"X-Made": str(note.id)}


class OneNote(Resource):
    @marshal_with(NOTE)
    def get(self, id):
        return db.get_or_404(Note, id)

    @login_required
    def delete(self, id):
        db.session.delete(db.get_or_404(Note, id))
        db.session.commit()
        return "", 204


def create_app(database):
    app = Flask("notes")
    app.config.update(SECRET_KEY="a key for tests only", SQLALCHEMY_DATABASE_URI=f"sqlite:///{database}")
    db.init_app(app)
    csrf.init_app(app)
    logins.init_app(app)
    CORS(app, resources={"/api/*": {"origins": ["http://friend.example"], "expose_headers": ["X-Made"]}})
    app.add_url_rule("/login", view_func=login, methods=["GET", "POST"])
    app.add_url_rule("/logout", view_func=logout, methods=["POST"])
    app.add_url_rule("/", view_func=index, methods=["GET", "POST"])
    api = Api(app, prefix="/api", decorators=[csrf.exempt])
    api.add_resource(Notes, "/notes")
    api.add_resource(OneNote, "/notes/<int:id>")
    with app.app_context():
        db.create_all()
        db.session.add(User(name="ann", password="secret"))
        db.session.commit()
    return app


class Visitor:
    """Use the application with one client, and keep what it answers under a label."""

    def __init__(self, app):
        self.client = app.test_client()
        self.answers = {}

    def __call__(self, label, method, path, **options):
        answer = self.client.open(path, method=method, **options)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        self.answers[label] = {"status": answer.status_code, "headers": headers, "text": answer.text}
        return answer.text

    def token(self, path):
        return re.search(r'name="csrf_token"[^>]* value="([^"]+)"', self.client.get(path).text)[1]


def visit(app):
    use = Visitor(app)
    use("a stranger", "GET", "/")
    person = {"name": "ann", "password": "secret"}
    use("login without a token", "POST", "/login", data=person)
    token = use.token("/login")
    use("login without a name", "POST", "/login", data={"csrf_token": token})
    use("login with a wrong password", "POST", "/login", data={**person, "password": "x", "csrf_token": token})
    use("login", "POST", "/login?next=/", data={**person, "csrf_token": token})
    use("a note without a title", "POST", "/", data={"csrf_token": use.token("/")})
    use("a note", "POST", "/", data={"title": "buy <tea>", "csrf_token": use.token("/")})
    friend = {"Origin": "http://friend.example"}
    use("api: make", "POST", "/api/notes", json={"title": "by api"}, headers=friend)
    use("api: make nothing", "POST", "/api/notes", json={})
    use("api: all", "GET", "/api/notes", headers=friend)
    use("api: all, for an enemy", "GET", "/api/notes", headers={"Origin": "http://enemy.example"})
    use("api: one", "GET", "/api/notes/1")
    use("api: none", "GET", "/api/notes/99", headers=friend)
    use("api: method", "PUT", "/api/notes", headers=friend)
    asked = {**friend, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-Own"}
    use("api: preflight", "OPTIONS", "/api/notes", headers=asked)
    use("api: delete", "DELETE", "/api/notes/2")
    use("the page", "GET", "/", headers=friend)
    use("logout without a token", "POST", "/logout")
    use("logout", "POST", "/logout", data={"csrf_token": use.token("/")})
    use("api: make as a stranger", "POST", "/api/notes", json={"title": "no"})
    with app.test_client() as client:
        client.post("/login", data={**person, "csrf_token": "forged"})
        use.answers["in the block"] = [sorted(session), current_user.is_authenticated]
    return use.answers


if __name__ == "__main__":
    application = create_app(sys.argv[1])
    told = visit(application)
    told["made by"] = [__version__, type(application).__module__, isinstance(application, Flask)]
    files = [getattr(module, "__file__", None) or "" for name, module in sys.modules.items()]
    told["files of flask"] = [name for name in files if re.search(r"[/\\]flask[/\\]\w+\.py$", name)]
    print(json.dumps(told))
