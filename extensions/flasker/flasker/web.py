"""The application of a project: microflask's, with areas of the URL space whose errors have a form of their own."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import InternalServerError
from werkzeug.routing import RoutingException

from microflask import Flask, got_request_exception, request
from microflask.wrappers import Response

#: Returns the answer to an error below a prefix; None where the application shall deal with it.
AreaErrorHandler = Callable[[Exception], Response | None]


class ProjectFlask(Flask):
    """Be the application of a project.

    `error_areas` maps a prefix of the path, which ends with a slash, to what answers errors below it. That goes before
    the handlers which are registered for all of the application, and it is asked for unknown URLs as well.
    """

    def __init__(self, root_dir: str) -> None:
        self.error_areas: dict[str, AreaErrorHandler] = {}
        super().__init__(
            "app", root_path=root_dir, instance_path=os.path.join(root_dir, "instance"), static_url_path="/static",
            static_folder=os.path.join("app", "static"), template_folder=os.path.join("app", "templates"),
        )  # fmt: skip

    def area_of_request(self) -> AreaErrorHandler | None:
        """Return what answers the errors of the current request, or None."""
        path = request.path
        prefixes = [prefix for prefix in self.error_areas if path.startswith(prefix) or path + "/" == prefix]
        return self.error_areas[max(prefixes, key=len)] if prefixes else None

    def handle_user_exception(self, e: Exception) -> Any:
        """Return the area's answer to an exception, or what the application makes of it."""
        area = self.area_of_request()
        if area is None or isinstance(e, RoutingException):
            return super().handle_user_exception(e)
        answer = area(e)
        if answer is None:
            # The handlers that are registered for all of the application know nothing of the area's form.
            raise e
        return answer

    def handle_exception(self, e: Exception) -> Response:
        """Return the area's answer to an exception that nobody handled, or what the application makes of it."""
        area = self.area_of_request()
        if area is None:
            return super().handle_exception(e)
        answer = area(e)
        if answer is None:
            if self.debug or self.config["PROPAGATE_EXCEPTIONS"]:
                return super().handle_exception(e)
            got_request_exception.send(self, exception=e)
            self.log_exception((type(e), e, e.__traceback__))
            answer = area(InternalServerError(original_exception=e))
        return self.finalize_request(answer, from_error_handler=True)
