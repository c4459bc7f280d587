"""The front process: uvicorn on the keeper's sockets. The only room that imports uvicorn."""
