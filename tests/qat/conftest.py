"""Of all tests of QAT."""

import pytest


@pytest.fixture(autouse=True)
def folder_of_reports(tmp_path_factory, monkeypatch):
    """prepare writes its reports to the current folder: one of the test's own."""
    monkeypatch.chdir(tmp_path_factory.mktemp("reports"))
