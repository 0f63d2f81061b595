"""The application that a server is to serve: its framework and site stand in the environment."""

import logging
import os
from pathlib import Path

from .contenders import application

# Waitress reports every request that has to wait for a thread, which is most of them here.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)

app = application(
    os.environ["BENCHMARKS_CONTENDER"], os.environ["BENCHMARKS_SITE"], Path(os.environ["BENCHMARKS_ASSETS"])
)
