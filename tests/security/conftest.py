from tests.blackbox.conftest import serve, serve_shared

__all__ = ["serve", "serve_shared"]
