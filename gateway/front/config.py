"""What uvicorn is told by all who use it here: what it can leave to others is off."""

import asyncio
from typing import Any

import uvicorn


def uvicorn_config(application: Any, http: type[asyncio.Protocol], **more: Any) -> uvicorn.Config:
    """For an ASGI application, whose connections are of this class; `more` is a listener's own."""
    return uvicorn.Config(
        application,
        http=http,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        **more,
    )
