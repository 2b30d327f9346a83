"""Of all tests of QAT: prepare writes its reports to the current folder."""

import os

import pytest


@pytest.fixture(scope="module", autouse=True)
def folder_of_fixtures(tmp_path_factory):
    """That of what a module's tests share, which is made before a test has its own."""
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("fixtures"))
    yield
    os.chdir(before)


@pytest.fixture(autouse=True)
def folder_of_reports(tmp_path_factory, monkeypatch):
    """One of the test's own."""
    monkeypatch.chdir(tmp_path_factory.mktemp("reports"))
