from tests.blackbox.conftest import pool, serve, serve_shared

__all__ = ["pool", "serve", "serve_shared"]
