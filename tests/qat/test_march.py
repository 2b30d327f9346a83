"""The march: names, what was set, and the target that it stands for."""

import copy
import pickle
from types import SimpleNamespace

import pytest
import twofold
from twofold import march
from twofold.march import March, get_march, set_march, target_of_march, with_march


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.setattr(march, "_current", None)


def test_nothing_is_set_at_first():
    assert get_march() is None
    assert target_of_march() is None


@pytest.mark.parametrize(
    "spelled", ["nash-e", "NASH-E", "nash_e", "Nash_E", "March.NASH_E", March.NASH_E]
)
def test_spellings(spelled):
    set_march(spelled)
    assert get_march() is March.NASH_E


def test_a_member_of_another_package_is_taken_by_its_name():
    class TheirMarch:
        def __str__(self):
            return "March.nash_m"

    set_march(TheirMarch())
    assert get_march() == March.NASH_M


def test_equal_to_strings_and_members():
    set_march("nash-p")
    assert get_march() == "nash-p" == March.NASH_P
    assert get_march() == "NASH_P"
    assert get_march() != "nash-e"
    assert get_march() != March.NASH_E
    assert get_march() in ("nash-e", "nash-p")
    assert {March.NASH_P: 1}["nash-p"] == 1
    assert str(get_march()) == "nash-p"
    assert copy.deepcopy(March.BAYES) is pickle.loads(pickle.dumps(March.BAYES)) is March.BAYES


@pytest.mark.parametrize("wrong", ["j6", "", None, 3, SimpleNamespace(name="nash")])
def test_an_unknown_one_is_refused_with_a_list_and_sets_nothing(wrong):
    set_march("bayes")
    with pytest.raises(ValueError, match="bernoulli, bernoulli2, bayes.*nash-e.*nash-starry-p"):
        set_march(wrong)
    assert get_march() == March.BAYES


def test_another_one_for_a_block_and_for_calls():
    set_march("nash-e")
    with with_march("bayes"):
        assert get_march() == "bayes"
    assert get_march() == "nash-e"

    @with_march(March.NASH_M)
    def inside():
        return get_march()

    assert inside() == inside() == "nash-m"
    assert get_march() == "nash-e"
    with pytest.raises(RuntimeError), with_march("bayes"):
        raise RuntimeError
    assert get_march() == "nash-e"


@pytest.mark.parametrize("member", list(March))
def test_every_march_has_a_target_that_there_is(member):
    is_newer = str(member).startswith("nash")
    target = target_of_march(member)
    assert target == ("journey6-oe3.2" if is_newer else "journey6-oe3.1")
    assert target in twofold.target_names()
    set_march(member)
    assert target_of_march() == target
