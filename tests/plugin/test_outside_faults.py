"""What tests, files and links do to a run costs what it concerns, and never the report."""

import json
import os

import pytest

from headtests.plugin.failures import costing
from headtests.plugin.imported_modules import ImportedModules
from tests.plugin.conftest import run_in_folder

HARMFUL = """
import gc, os, signal, sys, time, warnings
from unittest import mock

def claimed(head, least=0.1):
    assert head.mass(ht.previous) >= least

@pytest.mark.head("L0H2")
def test_modules_that_were_imported_are_gone(head):
    with mock.patch.dict(sys.modules, {"wandb": None}):
        claimed(head)

@pytest.mark.head("L0H2")
def test_the_environment_is_empty(head):
    with mock.patch.dict(os.environ, clear=True):
        claimed(head)

@pytest.mark.head("L0H2")
def test_warnings_are_errors(head):
    warnings.simplefilter("error")
    claimed(head)

@pytest.mark.head("L0H2")
def test_the_clock_stands_still(head):
    time.time = time.monotonic = time.perf_counter = lambda: 0.0
    claimed(head)

@pytest.mark.head("L0H2")
def test_there_is_no_output(head):
    sys.stdout = sys.stderr = None
    claimed(head)

@pytest.mark.head("L0H2")
def test_signals_and_garbage_are_ignored(head):
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    gc.disable()
    claimed(head)

@pytest.mark.head("L0H2")
def test_what_reads_files_is_replaced(head, monkeypatch):
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_, **__: "{")
    claimed(head)

@pytest.mark.head("L0H2")
def test_the_working_directory_is_gone(head, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()
    claimed(head)

@pytest.mark.head("L0H2")
def test_after_all_that(head):
    claimed(head, 0.9999)
"""


@pytest.mark.slow
def test_what_tests_do_to_their_process_costs_neither_report_nor_exit_code(tmp_path):
    run = run_in_folder(tmp_path, HARMFUL, "-p", "no:cacheprovider")
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED
    verdicts = {name.partition("[")[0]: verdict for name, verdict, _ in run.claims}
    assert verdicts.pop("test_after_all_that") == "refuted"
    assert len(verdicts) == HARMFUL.count("def test_") - 1
    assert set(verdicts.values()) == {"holds"}
    assert run.record["complete"]
    assert (tmp_path / "reports" / "headtests.html").exists()


def test_an_exception_is_a_sentence_and_an_interrupt_is_not():
    failed = []
    with costing(failed, "the page is missing"):
        raise RuntimeError("no template")
    with costing(failed, "the record is missing"):
        raise OSError(28, "No space left on device")
    assert failed == [
        "the page is missing: RuntimeError: no template",
        "the record is missing: No space left on device",
    ]
    with pytest.raises(KeyboardInterrupt), costing(failed, "nothing"):
        raise KeyboardInterrupt


def test_modules_are_put_back_and_stand_ins_are_not_kept(monkeypatch):
    import sys
    from types import ModuleType

    import headtests.plugin.terminal as own

    modules = ImportedModules()
    monkeypatch.setitem(sys.modules, "headtests_stand_in", ModuleType("headtests_stand_in"))
    modules.note()
    for name in ("headtests_stand_in", "headtests.plugin.terminal", "json"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "wandb", None)
    modules.restore()
    assert sys.modules["headtests.plugin.terminal"] is own
    assert sys.modules["json"] is json
    assert "headtests_stand_in" not in sys.modules
    assert sys.modules["wandb"] is None


ONE = """
@pytest.mark.head("L0H2")
def test_previous(head):
    assert head.mass(ht.previous) >= 0.1
"""


@pytest.mark.parametrize("name", ["headtests.json", "headtests.html"])
def test_a_report_is_not_written_through_a_link(run_claims, pytester, name):
    outside, reports = pytester.path / "outside.txt", pytester.path / "reports"
    outside.write_text("precious")
    reports.mkdir()
    (reports / name).symlink_to("../outside.txt")
    run = run_claims(ONE)
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED
    assert "symbolic link out of its folder" in run.text.replace("\n", " ")
    assert outside.read_text() == "precious"
    assert [path.name for path in reports.iterdir()] == [name]


@pytest.mark.parametrize("part", ["_make_record", "_add_to_job_summary"])
def test_an_error_in_a_part_of_the_report_is_said_and_is_no_success(run_claims, monkeypatch, part):
    def broken(*_):
        raise LookupError("a fault of our own")

    monkeypatch.setattr(f"headtests.plugin.run_report.RunReport.{part}", broken)
    run = run_claims(ONE)
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED
    assert "LookupError: a fault of our own" in run.text
    assert "Traceback" not in run.text


def test_a_page_that_cannot_be_drawn_costs_the_page(run_claims, monkeypatch):
    def broken(record):
        raise LookupError("a fault of our own")

    monkeypatch.setattr("headtests.report.page.html.render_html", broken)
    run = run_claims(ONE)
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED
    assert "page could not be drawn: LookupError" in run.text
    assert run.claims == [("test_previous[L0H2]", "holds", "passed")]


def test_pytest_without_a_terminal_runs_claims(run_claims):
    refuted = ONE.replace(">= 0.1", ">= 0.9999")
    run = run_claims(refuted, "-p", "no:terminal")
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED
    assert run.claims == [("test_previous[L0H2]", "refuted", "failed")]


EVIL = "\x1b]0;TITLE\x07\x9b2J\u202e\r"


@pytest.mark.slow
def test_nothing_of_a_file_reaches_the_terminal_raw(run_claims, pytester):
    run_claims(ONE, "--headtests-record")
    file = pytester.path / "baselines" / "test_inside.json"
    recorded = json.loads(file.read_text())
    stale = recorded["claims"] + [recorded["claims"][0] | {"test": EVIL, "claim": EVIL}]
    for content in (
        recorded | {"claims": stale},
        recorded | {"contexts": recorded["contexts"] | {EVIL: 5}},
        recorded | {"version": EVIL},
    ):
        file.write_text(json.dumps(content))
        text = run_claims(ONE + f"\ndef test_raises():\n    raise KeyError({EVIL!r})\n").text
        assert "TITLE" in text
        assert not set(EVIL) & set(text) - set("TITLE]0;2J\r")


def test_lone_surrogates_end_no_run(run_claims, pytester):
    tests = ONE.replace("(head)", "(head, record_property, name)").replace(
        "    assert", '    record_property("name", name)\n    print(name)\n    assert'
    )
    tests = tests.replace(
        "@pytest.mark.head", '@pytest.mark.parametrize("name", ["\\ud800"])\n@pytest.mark.head'
    )
    run = run_claims(tests, "--junitxml=junit.xml")
    assert run.exit_code == pytest.ExitCode.OK
    written = (pytester.path / "reports" / "headtests.json").read_text()
    json.dumps(json.loads(written), ensure_ascii=False).encode()
    assert os.path.getsize(pytester.path / "junit.xml")
