"""The yardstick: bare uvicorn with a constant page of the same size."""

import sys
from typing import Any

import uvicorn

PAGE = b"<!doctype html><title>1</title><p>1<p>" + b"0" * 160
HEADERS = [(b"content-type", b"text/html"), (b"content-length", b"%d" % len(PAGE))]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request with the page."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": PAGE})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off")
