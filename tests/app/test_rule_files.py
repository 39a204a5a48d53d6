"""Rule files: those of the program are good, those of the installation replace them, faults change nothing."""

from __future__ import annotations

from datetime import date

import pytest

from trunkline.app.judging.calling_times import limits_or_closed
from trunkline.app.rule_files import MAX_FILE_BYTES, MAX_FILES, RuleFiles, builtin, parse
from trunkline.domain.calling_times import EPOCH, Limits, Span
from trunkline.domain.rule_sets import RuleSet
from trunkline.errors import OutOfRange

STATE = """
name: mine
title: Mine
version: "1"
checked_on: 2025-11-25
regions:
  - {region: US-AL, source: our lawyers, hours: {mon-sat: 10:00-20:00}}
"""


def test_the_rules_of_the_program() -> None:
    """Every file that comes along is good, every rule names its source, and hours are what the texts say."""
    library = builtin()
    assert set(library) == {"basic", "international", "us-debt-collection", "us-telemarketing"}
    assert all(rule.source for times in library.values() for rule in times.regions)
    states = Limits(library["us-telemarketing"].regions)
    sunday = (date(2027, 1, 10) - EPOCH).days
    assert states.day("US-TX", sunday).spans == (Span(43_200, 75_600),)
    assert states.day("US-UT", sunday).spans == ()
    france = Limits(library["international"].regions)
    monday = sunday + 1
    assert france.day("FR", monday).spans == (Span(36_000, 46_800), Span(50_400, 72_000))
    assert france.day("FR", (date(2027, 5, 17) - EPOCH).days).holiday.startswith("Lundi de Pentecôte")


def test_an_hour_is_an_hour() -> None:
    """YAML would read 10:00 as the number 600; here it stays a text, and 08:00-09:00 a span."""
    assert parse(STATE, "mine.yaml").regions[0].week[0] == (Span(36_000, 72_000),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "bad.yaml, line 1: "),
        ("\tx", "bad.yaml, line 1: "),
        ("x: 1\ny: &a [*a]\nz: @", "bad.yaml, line 3: "),
        ("a\x00b", "bad.yaml: is not YAML"),
        ("[" * 5000, "bad.yaml"),
        ("- 1", "bad.yaml: document: must be a mapping"),
        (STATE.replace("US-AL", "Alabama"), "bad.yaml: regions[0].region: give"),
        (STATE + "regions: []\n", "bad.yaml, line 8: regions is given twice"),
        (STATE.replace("{mon-sat:", "{mon-sat: closed, mon-sat:"), "bad.yaml, line 7: mon-sat is given twice"),
        ('name: "\\U00110000"', "bad.yaml: is not YAML"),
        ("%YAML " + "1" * 5000 + ".1\n---\na: 1", "bad.yaml: is not YAML"),
        (
            STATE.replace("{region", "{holidays: [[a]], region"),
            "bad.yaml: regions[0].holidays[0]: there is no calendar",
        ),
        (STATE.replace("{region", "{holidays: [{}], region"), "bad.yaml: regions[0].holidays[0]: there is no calendar"),
        ("x" * (MAX_FILE_BYTES + 1), "bad.yaml: a rule file has at most"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(text: str, told: str) -> None:
    """What is not YAML is told with its line, what is no rule with its place, and size is bounded."""
    with pytest.raises(OutOfRange) as refused:
        parse(text, "bad.yaml")
    assert str(refused.value).startswith(told)


def test_aliases_do_not_explode() -> None:
    """Nested aliases stay one object each, and such a document is refused in no time."""
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    with pytest.raises(OutOfRange, match="unknown"):
        parse(bomb, "bomb.yaml")


def test_a_wrong_edition_leaves_the_good_one() -> None:
    """A file that becomes wrong leaves what it said before; the others go on; mended, it is taken."""
    files = RuleFiles({"mine.yaml": STATE})
    before = files.library
    assert files.library["mine"].version == "1"
    faults = files.replace(
        {"mine.yaml": STATE.replace("10:00", "31:00"), "b.yaml": STATE.replace("name: mine", "name: b")}
    )
    assert faults == ["mine.yaml: regions[0].hours.mon-sat: 31:00-20:00 does not lie within one day, 00:00 to 24:00"]
    assert files.library["mine"] is before["mine"]
    assert "b" in files.library
    assert files.replace({"mine.yaml": STATE.replace('"1"', '"2"')}) == []
    assert files.library["mine"].version == "2"
    assert "b" not in files.library


def test_an_own_edition_of_a_file_of_the_program() -> None:
    """A file with the name of a built-in one replaces it while it is there, and a wrong first edition never counts."""
    files = RuleFiles()
    assert files.replace({"basic.yaml": STATE.replace("name: mine", "name: basic")}) == []
    assert files.library["basic"].title == "Mine"
    files.replace({})
    assert files.library == builtin()
    assert files.replace({"basic.yaml": "name: basic"}) != []
    assert files.library == builtin()


def test_a_name_is_taken_once() -> None:
    """Two files of one name: the first in the order of file names counts, the other is told."""
    files = RuleFiles({"a.yaml": STATE, "b.yaml": STATE})
    assert files.faults == ["b.yaml: another file has the name mine already"]
    many = RuleFiles({f"{n:03}.yaml": STATE.replace("name: mine", f"name: n{n}") for n in range(MAX_FILES + 1)})
    assert len(many.library) == MAX_FILES + len(builtin())
    assert len(many.faults) == 1


@pytest.mark.parametrize(
    ("place", "text", "name"),
    [
        ("rules.yaml", "name: basic", "basic"),
        ("rules.yaml", "title: [\n'name' : \"basic\" # ours\n", "basic"),
        ("basic.yaml", "\x00", "basic"),
        ("Ours.yaml", "name: [", "ours"),
    ],
)
def test_after_a_start_a_wrong_file_closes_what_it_stands_for(place: str, text: str, name: str) -> None:
    """What the file said before the start is not known, and the built-in rules may permit more: nobody is called."""
    files = RuleFiles()
    faults = files.replace({place: text})
    (rule,) = files.library[name].regions
    assert rule.week == ((),) * 7
    assert rule.source.startswith(f"{faults[0]}; nobody is called")
    binding = limits_or_closed(
        RuleSet(contact_centre_id=1, rule_set_id=1, name="r", calling_times=(name,)), files.library
    )
    for day in range(20_000, 20_007):
        assert binding.day("US-TX", day).spans == ()
    # Mended or taken away it is open again; broken again it stays what it was.
    assert files.replace({place: STATE.replace("name: mine", f"name: {name}")}) == []
    good = files.library[name]
    assert files.replace({place: text}) == faults
    assert files.library[name] is good
    files.replace({})
    assert files.library == builtin()
