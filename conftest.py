"""What every test of the project may use: `pytester`, and the names that doctests use."""

import re

import pytest

pytest_plugins = ["pytester"]
USES_DEMO = re.compile(r"\b(session|head|ht)\b")


@pytest.fixture(scope="session")
def demo_session():
    """Open the demo model over the demo corpus."""
    import headtests as ht

    session = ht.Session(heads=["L0H2"], settings=ht.Settings(device="cpu", no_cache=True))
    yield session
    session.close()


@pytest.fixture(autouse=True)
def doctest_names(request):
    """Provide `session`, a fresh `head` of it and `ht` to the doctests that use them."""
    examples = request.node.dtest.examples if isinstance(request.node, pytest.DoctestItem) else ()
    if not any(USES_DEMO.search(example.source) for example in examples):
        yield
        return
    import headtests as ht

    session = request.getfixturevalue("demo_session")
    names = {"ht": ht, "key": ht.key, "query": ht.query, "prompts": ht.prompts}
    names |= {"session": session, "head": session.head("L0H2")}
    namespace = request.getfixturevalue("doctest_namespace")
    namespace.update(names)
    yield
    for name in names:
        del namespace[name]
