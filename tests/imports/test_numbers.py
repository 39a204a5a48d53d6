"""Numbers in E.164: the compiled patterns and the library say the same, and places are those of its tables."""

from __future__ import annotations

import random
import runpy
import sys
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, timezone

from trunkline.app.imports import places as import_places
from trunkline.app.imports.numbers import NumberReader
from trunkline.app.imports.places import regions_of, zones_of
from trunkline.domain.import_specifications import NumberCheck
from trunkline.errors import OutOfRange

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
SCRIPT = Path(__file__).parents[2] / "scripts" / "make-area-regions"
FORMATS = (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL)


def examples(region: str) -> list[phonenumbers.PhoneNumber]:
    """The library's example numbers of a region, of each type."""
    found = [phonenumbers.example_number_for_type(region, kind) for kind in range(11)]
    return [number for number in found if number is not None]


def spellings(number: phonenumbers.PhoneNumber, chance: random.Random) -> list[str]:
    """A number as people write it, and nearly so: prefixes that belong there or not, a digit too many or changed."""
    nsn = phonenumbers.national_significant_number(number)
    code = number.country_code
    at = chance.randrange(len(nsn))
    changed = nsn[:at] + chance.choice("0123456789") + nsn[at + 1 :]
    return [
        *(phonenumbers.format_number(number, kind) for kind in FORMATS),
        *(nsn, "0" + nsn, "1" + nsn, "8" + nsn, f"{code}{nsn}", f"00{code}{nsn}", f"011{code}{nsn}"),
        *(f"+{code}(0){nsn}", f"+{code}8{nsn}", nsn[:-1], nsn + "5", f"+{code}{nsn}1"),
        *(changed, "0" + changed, f"+{code}{changed}"),
    ]


@pytest.mark.parametrize("check", [NumberCheck.VALID, NumberCheck.POSSIBLE])
def test_the_patterns_say_what_the_library_says(check: NumberCheck) -> None:
    """For every region's examples in many spellings, in that region and in a foreign one."""
    chance = random.Random(7)
    regions = REGIONS if check is NumberCheck.VALID else chance.sample(REGIONS, 40)
    fast = total = 0
    for region in regions:
        texts = [text for number in examples(region) for text in spellings(number, chance)]
        for home in (region, chance.choice(REGIONS)) if chance.random() < 0.2 else (region,):
            reader = NumberReader(home, check)
            numbers, places, missed = reader.read_column(texts)
            unread = set(missed)
            for at, text in enumerate(texts):
                said = reader.read_exactly(text)
                read = reader.read(text) if at in unread else (numbers[at], places[at])
                assert read == said, (home, text)
            fast += len(texts) - len(missed)
            total += sum(reader.read(text) is not None for text in texts)
    assert fast > 0.75 * total or check is NumberCheck.POSSIBLE


@given(st.text(alphabet="0123456789+()-./ x#*a\n٣", max_size=20), st.sampled_from(["US", "GB", "DE", "IT", "AR", "AG"]))
def test_any_text_is_read_as_the_library_does(text: str, region: str) -> None:
    """Punctuation, extensions, letters and foreign digits: what the patterns take is what the library takes."""
    reader = NumberReader(region)
    numbers, places, missed = reader.read_column([text, "+1 212 555 0100"])
    assert (numbers[1], places[1], 1 in missed) == ("+12125550100", "+12125550100", False)
    if 0 not in missed:
        assert (numbers[0], places[0]) == reader.read_exactly(text)


def test_zones_are_those_of_the_library() -> None:
    """All zones that a number may stand for: of its place, or of its country for a number without one."""
    chance = random.Random(3)
    areas = (212, 907, 208, 541, 402, 605, 701, 808, 416, 850, 800, 242)
    numbers = [number for region in REGIONS for number in examples(region)]
    numbers += [phonenumbers.parse(f"+1{chance.choice(areas)}{chance.randrange(2_000_000, 10**7)}") for _ in range(500)]
    reader = NumberReader("US")
    for number in numbers:
        read = reader.read(phonenumbers.format_number(number, PhoneNumberFormat.E164))
        if read is None:
            assert not phonenumbers.is_valid_number(number)
            continue
        said = tuple(name for name in timezone.time_zones_for_number(number) if name != "Etc/Unknown")
        assert zones_of([read[1]]) == [said], number
    assert zones_of(["", "+12125550100"]) == [(), ("America/New_York",)]


def test_what_is_remembered_of_places_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of all the world's prefixes does not fill the memory, and answers stay right."""
    monkeypatch.setattr(import_places, "MAX_REMEMBERED", 3)
    keys = [f"+1907{n}000000" for n in range(200, 300)] + ["+12125550100"]
    assert zones_of(keys)[-1] == ("America/New_York",)


def test_states_are_those_of_the_area_codes() -> None:
    """Only area codes of one state have one; toll-free numbers and other countries have none."""
    keys = ["+12125550100", "+17135550100", "+12025550100", "+14165550100", "+19025550100", "+1", "+442079460958", ""]
    assert regions_of(keys) == ["US-NY", "US-TX", "US-DC", "CA-ON", "", "", "", ""]


def test_the_table_of_states_is_what_the_script_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The committed table and the library's geocoding data belong together."""
    target = tmp_path / "areas.json"
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(target)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    committed = Path(import_places.__file__).parent / "data" / "area_regions.json"
    assert target.read_bytes() == committed.read_bytes()


def test_an_unknown_region_is_refused() -> None:
    """Two capital letters of a country that the library knows."""
    with pytest.raises(OutOfRange):
        NumberReader("ZZ")
