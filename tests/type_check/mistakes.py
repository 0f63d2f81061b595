"""Mistakes of an application's author; each marked line has to be complained about, and no other."""

from microflask import Flask, Response, current_app, jsonify, request, session, url_for
from microflask.views import View

app = Flask(__name__)
app.debug = "yes"  # wrong


@app.route("/")
def index(page: int = 1) -> str:
    return request.methd  # wrong


@app.get("/number")  # wrong
def number() -> int:
    return 1


@app.template_filter()
def double(value: int) -> int:
    return 2 * value


@app.before_request  # wrong
def needs_more(argument: str) -> None:
    return None


index("two")  # wrong
double("two").bit_length()  # wrong
url_for(1)  # wrong
print(jsonify(a=1).jsn)  # wrong
print(session.modifed)  # wrong
print(current_app.confg)  # wrong
request.args.get("page", type=int) + 1  # wrong
View.as_view(1)  # wrong
app.test_client().gte("/")  # wrong
Response("a").get_data(as_text=True).decode()  # wrong
app.config.from_file("settings.toml")  # wrong
app.add_url_rule(view_func=index)  # wrong
