"""Settings: how options read their texts, what the model marker takes, and the errors of both."""

from dataclasses import asdict, fields
from pathlib import Path

import pytest

from headtests.errors import SettingError
from headtests.options import OPTIONS, byte_size, margin, rate, seconds, truth, whole_number
from headtests.settings import ModelSpec, Settings, choice

READERS = {option.name: option.read for option in OPTIONS}


def test_every_setting_has_an_option():
    assert sorted(READERS) == sorted(field.name for field in fields(Settings))


def test_an_option_has_its_names_in_the_ini_file_and_on_the_command_line():
    (option,) = (option for option in OPTIONS if option.name == "max_documents")
    assert (option.ini, option.flag) == ("headtests_max_documents", "--headtests-max-documents")


def test_the_defaults_are_those_that_are_documented():
    assert asdict(Settings()) == {
        "device": "auto",
        "dtype": "float32",
        "bos": "model",
        "max_documents": 2000,
        "max_length": None,
        "batch_size": 32,
        "spool": 4_294_967_296,
        "seed": 0,
        "suppress_first_token": None,
        "min_query": 1,
        "alpha": 0.001,
        "undecided": "fail",
        "rank": False,
        "cache": None,
        "cache_size": 2_000_000_000,
        "no_cache": False,
        "explain": "built-in",
        "explain_model": "gpt-4o-mini",
        "explain_url": None,
        "explain_calls": 200,
        "explain_tokens": 500_000,
        "explain_timeout": 60.0,
        "against": None,
        "against_dtype": None,
        "record": False,
        "drift": "warn",
        "drift_margin": 0.02,
        "counterexamples": "keep",
        "search_prompts": 2000,
    }
    assert ModelSpec() == ModelSpec("demo", None, None, None, missing="fail")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_reads_its_own_default(option):
    default = getattr(Settings(), option.name)
    if default is not None:
        assert option.read(option.ini, str(default)) == default


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("device", " cuda:1 ", "cuda:1"),
        ("dtype", "bfloat16", "bfloat16"),
        ("bos", "never", "never"),
        ("max_documents", "1_000", 1000),
        ("max_documents", 1, 1),
        ("max_length", "2", 2),
        ("batch_size", " 8 ", 8),
        ("spool", "500MB", 500_000_000),
        ("seed", "0", 0),
        ("suppress_first_token", "off", False),
        ("min_query", "0", 0),
        ("alpha", " 1e-4 ", 0.0001),
        ("alpha", 0.05, 0.05),
        ("undecided", "skip", "skip"),
        ("rank", True, True),
        ("rank", "no", False),
        ("cache", " ~/kept results ", "~/kept results"),
        ("cache_size", "500 MB", 500_000_000),
        ("cache_size", "0", 0),
        ("no_cache", True, True),
        ("no_cache", "off", False),
    ],
)
def test_an_option_reads_its_text(name, text, value):
    assert READERS[name]("option", text) == value


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("device", "", "auto, cpu, cuda"),
        ("device", "  ", "auto, cpu, cuda"),
        ("device", "gpu", "auto, cpu, cuda"),
        ("device", "cuda:first", "auto, cpu, cuda"),
        ("device", "auto:1", "auto, cpu, cuda"),
        ("dtype", "int8", "one of float32, float16, bfloat16"),
        ("bos", "sometimes", "one of model, always, never"),
        ("max_documents", "0", "a whole number from 1 on"),
        ("max_length", "1", "a whole number from 2 on"),
        ("batch_size", "many", "a whole number from 1 on"),
        ("spool", "4 parsecs", "a size such as 4 GB or 500 MB"),
        ("seed", "-1", "a whole number from 0 on"),
        ("suppress_first_token", "maybe", "true or false"),
        ("min_query", "-1", "a whole number from 0 on"),
        ("alpha", "0.5", "a number over 0 and under 0.5"),
        ("undecided", "xfail", "one of fail, skip"),
        ("rank", "2", "true or false"),
        ("cache", "", "a folder. Name one"),
        ("cache", "  ", "a folder. Name one"),
        ("cache_size", "much", "a size such as 4 GB or 500 MB"),
        ("no_cache", "maybe", "true or false"),
    ],
)
def test_an_option_names_itself_what_it_found_and_what_it_takes(name, text, expected):
    with pytest.raises(SettingError) as raised:
        READERS[name](f"headtests_{name}", text)
    assert str(raised.value).startswith(f"headtests_{name} is {text!r}, but it must be ")
    assert expected in str(raised.value)


@pytest.mark.parametrize("value", ["", "1.5", "1e3", "five", "-3", "_", True, None, 1.5, "4 8"])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(SettingError, match=r"^n is .*, but it must be a whole number from 0 on\.$"):
        whole_number("n", value, least=0)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("12", 12),
        ("12b", 12),
        ("1kb", 10**3),
        ("4 GB", 4 * 10**9),
        ("500MB", 5 * 10**8),
        ("0.5 tb", 5 * 10**11),
        (" 2  gb ", 2 * 10**9),
        (2**32, 2**32),
    ],
)
def test_a_size_is_a_number_and_a_unit(text, size):
    assert byte_size("n", text) == size


@pytest.mark.parametrize(
    "text", ["", "GB", "-1", "-1 GB", "4 GiB", "4 G B", "nan", "inf", "1e999", "1,5 GB", True, None]
)
def test_what_is_no_size_is_refused(text):
    with pytest.raises(SettingError, match=r"^n is .*, but it must be a size such as 4 GB"):
        byte_size("n", text)


@pytest.mark.parametrize("text", ["0.49", "1e-300", ".1", 0.001])
def test_a_rate_of_errors_is_over_0_and_under_a_half(text):
    assert rate("n", text) == float(text)


@pytest.mark.parametrize("text", ["", "0", "0.5", "1", "-0.1", "nan", "inf", "5%", True, None])
def test_what_is_no_rate_of_errors_is_refused(text):
    with pytest.raises(SettingError, match=r"^n is .*, but it must be a number over 0 and under"):
        rate("n", text)


def test_a_flag_takes_no_value():
    flags = [option.name for option in OPTIONS if not option.metavar]
    assert flags == ["rank", "no_cache", "explain", "record"]


def test_where_results_are_kept_does_not_name_a_run():
    kept = Settings(seed=1, cache="elsewhere", cache_size=1, no_cache=True)
    assert str(kept) == str(Settings(seed=1)) != str(Settings(seed=2))


@pytest.mark.parametrize("text", ["true", "1", "yes", "on", " True ", "ON", True, 1])
def test_what_an_ini_file_calls_true(text):
    assert truth("n", text) is True


@pytest.mark.parametrize("text", ["false", "0", "no", "off", "False\n", False, 0])
def test_what_an_ini_file_calls_false(text):
    assert truth("n", text) is False


@pytest.mark.parametrize("text", ["", "2", "maybe", None])
def test_what_is_neither_true_nor_false_is_refused(text):
    with pytest.raises(SettingError, match=r"^n is .*, but it must be true or false\.$"):
        truth("n", text)


def test_a_choice_is_one_of_the_words():
    assert choice("n", "b", ("a", "b")) == "b"
    with pytest.raises(SettingError, match=r"^n is 'B', but it must be one of a, b\.$"):
        choice("n", "B", ("a", "b"))


def test_the_model_marker_takes_a_name():
    assert ModelSpec.from_marker(("gpt2",), {}) == ModelSpec("gpt2")
    assert ModelSpec.from_marker((), {"name": "gpt2"}) == ModelSpec("gpt2")


def test_without_a_name_the_model_marker_means_the_bundled_model():
    assert ModelSpec.from_marker((), {"dtype": "float16"}) == ModelSpec("demo", dtype="float16")


def test_the_model_marker_takes_what_a_model_is_opened_with():
    named = {"revision": "main", "dtype": "bfloat16", "device": "cuda:1", "missing": "skip"}
    assert ModelSpec.from_marker(("gpt2",), named) == ModelSpec(
        "gpt2", revision="main", dtype="bfloat16", device="cuda:1", missing="skip"
    )


def test_what_the_model_marker_may_leave_open_may_be_none():
    left_open = {"revision": None, "dtype": None, "device": None}
    assert ModelSpec.from_marker(("gpt2",), left_open) == ModelSpec("gpt2")


@pytest.mark.parametrize(
    ("positional", "named", "found"),
    [
        (("gpt2", "main"), {}, "'gpt2', 'main'"),
        (("gpt2",), {"name": "gpt2"}, "'gpt2', name="),
        (("gpt2",), {"layers": 2}, "'gpt2', layers="),
        ((), {"Revision": "main"}, "Revision="),
    ],
)
def test_arguments_that_the_model_marker_does_not_take_are_named(positional, named, found):
    with pytest.raises(SettingError) as raised:
        ModelSpec.from_marker(positional, named)
    assert str(raised.value).startswith(
        "the model marker takes a name, revision=, dtype=, device= and missing= but found "
        f"{found}. "
    )


@pytest.mark.parametrize(
    ("positional", "named", "name", "found"),
    [
        ((5,), {}, "name", "5 (int)"),
        (("",), {}, "name", "'' (str)"),
        ((None,), {}, "name", "None (NoneType)"),
        ((Path("folder"),), {}, "name", f"{Path('folder')!r} ({type(Path()).__name__})"),
        (("gpt2",), {"revision": 3}, "revision", "3 (int)"),
        (("gpt2",), {"device": ""}, "device", "'' (str)"),
        (("gpt2",), {"dtype": float}, "dtype", "<class 'float'> (type)"),
        (("gpt2",), {"missing": None}, "missing", "None (NoneType)"),
    ],
)
def test_the_model_marker_takes_strings(positional, named, name, found):
    with pytest.raises(SettingError) as raised:
        ModelSpec.from_marker(positional, named)
    assert f"expected a string for {name} of the model marker but found {found}" in str(
        raised.value
    )


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"dtype": "float64"}, "dtype of the model marker is 'float64', but it must be one of"),
        ({"missing": "xfail"}, "missing of the model marker is 'xfail', but it must be one of"),
    ],
)
def test_the_model_marker_knows_its_words(named, expected):
    with pytest.raises(SettingError) as raised:
        ModelSpec.from_marker(("gpt2",), named)
    assert expected in str(raised.value)


def test_a_model_is_called_by_its_name_and_revision():
    assert str(ModelSpec("gpt2")) == "gpt2"
    assert str(ModelSpec("gpt2", revision="main")) == "gpt2 at main"


@pytest.mark.parametrize(("text", "number"), [("60", 60.0), ("0.5", 0.5), ("1e3", 1000.0)])
def test_seconds_are_a_number(text, number):
    assert seconds("headtests_explain_timeout", text) == number


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon", "86401"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(SettingError, match=rf"headtests_explain_timeout is '{text}'"):
        seconds("headtests_explain_timeout", text)


def test_what_comes_after_a_claim_was_decided_names_no_run():
    explained = Settings(explain="all", explain_model="x", explain_url="y")
    compared = Settings(against="x", against_dtype="bfloat16", record=True, drift="fail")
    assert repr(explained) == repr(compared) == repr(Settings())


@pytest.mark.parametrize("text", ["-0.1", "1.1", "nan", "much"])
def test_what_is_no_margin_is_refused(text):
    with pytest.raises(SettingError, match="a number from 0 to 1"):
        margin("headtests_drift_margin", text)


@pytest.mark.parametrize("word", ["built-in", "failures", "all", "none"])
def test_who_explains_is_one_of_four_words(word):
    assert READERS["explain"]("headtests_explain", word) == word
    with pytest.raises(SettingError, match="built-in, failures, all, none"):
        READERS["explain"]("headtests_explain", f"{word}!")


def test_the_flag_asks_for_the_claims_that_did_not_hold():
    (option,) = (option for option in OPTIONS if option.name == "explain")
    assert option.flag_means == "failures"
