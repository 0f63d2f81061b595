"""What the tests of the API have in common: the models of the document, and a client that reads JSON."""

from __future__ import annotations

import json
from typing import Any

MEMORY = "[PROJECT]\nNAME = Test\nMODULES = models\nDB_URL = sqlite://\n"
#: The sample of the document, with the import that it forgets.
SAMPLE = """
    from flasker import current_project
    from flasker.ext.api import APIManager
    from flasker.util import Model
    from sqlalchemy import Column, ForeignKey, Integer, Unicode
    from sqlalchemy.orm import relationship

    # Create the APIManager

    api_manager = APIManager(add_all_models=True)
    current_project.register_manager(api_manager)

    # Define the models

    class House(Model):

      id = Column(Integer, primary_key=True)
      address = Column(Unicode(128))

    class Cat(Model):

      name = Column(Unicode(64), primary_key=True)
      house_id = Column(ForeignKey('houses.id'))
      house = relationship('House', backref='cats')
"""


class Api:
    """Send requests to the API of a project."""

    def __init__(self, project: Any, statements: list[str]) -> None:
        self.project = project
        self.app = project.app
        self.session = project.db.session
        self.client = project.app.test_client()
        #: What the database got since the last request began.
        self.statements = statements

    def send(self, method: str, url: str, body: Any = None, **options: Any) -> Any:
        """Send a request and return the response; its body has to be JSON, if it has one."""
        self.statements.clear()
        if body is not None:
            options.setdefault("data", json.dumps(body))
            options.setdefault("content_type", "application/json")
        response = self.client.open(url, method=method, **options)
        if response.data and response.status_code not in (301, 302, 308):
            assert response.mimetype == "application/json", response.text
            json.loads(response.text, parse_constant=_refuse)
        return response

    def get(self, url: str) -> Any:
        response = self.send("GET", url)
        assert response.status_code == 200, response.text
        return response.get_json()

    def content(self, url: str) -> Any:
        return self.get(url)["content"]

    def post(self, url: str, body: Any) -> Any:
        response = self.send("POST", url, body)
        assert response.status_code == 201, response.text
        return response.get_json()

    def put(self, url: str, body: Any) -> Any:
        response = self.send("PUT", url, body)
        assert response.status_code == 200, response.text
        return response.get_json()

    def error(self, method: str, url: str, status: int, body: Any = None, **options: Any) -> str:
        """Send a request that has to fail, and return what was wrong."""
        response = self.send(method, url, body, **options)
        assert response.status_code == status, response.text
        answer = response.get_json()
        assert set(answer) == {"status", "content"}
        assert answer["status"].startswith(f"{status} ")
        assert "Traceback" not in response.text
        return str(answer["content"])


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")
