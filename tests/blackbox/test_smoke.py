from tests.blackbox.conftest import Serve


def test_a_session_counts(serve: Serve) -> None:
    gateway = serve(by_command=True)
    assert gateway.get("/cgi-bin/child?handle=abc&count").text.startswith("count=1")
    assert gateway.get("/cgi-bin/child/abc?handle=abc&count").text.startswith("count=2")
    assert gateway.get("/cgi-bin/child?echo=plain").text == "plain"
