"""Numbers of an import in E.164, a whole column at a time.

The phonenumbers library needs some 50 to 100 µs for one number. So what it knows of a numbering plan, the patterns of
its types of numbers, is compiled into one regular expression for each country code, which says of a text in one of the
usual spellings at once that it is a number, which one, and whether it belongs to a place. What such an expression does
not take goes to the library itself, so that the library alone decides what is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache, partial
from operator import itemgetter
from typing import Any

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, is_number_type_geographical

from trunkline.app.countries import COUNTRIES
from trunkline.app.imports.texts import lines_of
from trunkline.domain.import_specifications import NumberCheck
from trunkline.errors import OutOfRange

MAX_REMEMBERED = 10_000
"""Answers of the library that are kept: a list repeats its odd numbers (a switchboard), not ten thousand of them."""


Checked = tuple[str, str]
"""A number in E.164 and the key of its place (see ``NumberReader.read``)."""

PUNCTUATION = "()-. /"
_DROPPED = PUNCTUATION.encode()
_WIDE_TYPES = (*("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail"),)
"""Types that belong to a country, in the order in which the library looks; then come fixed lines and mobiles."""
_COUNTRY_CODE = re.compile(
    r"\+(" + "|".join(sorted(map(str, COUNTRY_CODE_TO_REGION_CODE), key=lambda code: (len(code), code))) + ")"
)
_NOTHING = "(?!)"
_first = itemgetter(0)


class _Plan:
    """The numbers of one country code: ``wide`` ones of the whole country, ``local`` ones of a place in it.

    Both are expressions for a national number up to the end of its line, and no number is in both. Regions that share
    a code are asked in the library's order: one with leading digits has all numbers that begin so, another has those
    that are of one of its types. With ``only``, a region, others that have leading digits are left out: a shorter
    expression for the numbers that come most.
    """

    def __init__(self, code: int, only: str = "") -> None:
        wide: list[str] = []
        local: list[str] = []
        taken: list[str] = []
        for metadata in _metadata_of(code):
            leading = None if metadata.leading_digits is None else f"(?:{_ungrouped(metadata.leading_digits)})"
            guard = ("" if leading is None else f"(?={leading})") + "".join(f"(?!{before})" for before in taken)
            general = f"(?={_described(metadata.general_desc)})"
            described = partial(_described, known=frozenset(metadata.general_desc.possible_length))
            lone = _any(described(getattr(metadata, name)) for name in _WIDE_TYPES)
            fixed = described(metadata.fixed_line)
            mobile = fixed if metadata.same_mobile_and_fixed_line_pattern else described(metadata.mobile)
            taken.append(general + _any([lone, fixed, mobile]) if leading is None else leading)
            if only and leading is not None and metadata.id != only:
                continue
            local.append(f"{guard}{general}(?!{lone}){fixed}")
            if mobile != fixed:
                # A text that is both is a fixed line or a mobile, and belongs to a place like the first.
                is_local = is_number_type_geographical(phonenumbers.PhoneNumberType.MOBILE, code)
                (local if is_local else wide).append(f"{guard}{general}(?!{lone})(?!{fixed}){mobile}")
            wide.append(f"{guard}{general}{lone}")
        self.wide = _any(wide)
        self.local = _any(local)


def _metadata_of(code: int) -> list[Any]:
    """What the library knows of each region of a country code, in its order."""
    if COUNTRY_CODE_TO_REGION_CODE[code] == ("001",):
        found = [PhoneMetadata.metadata_for_nongeo_region(code, None)]
    else:
        found = [PhoneMetadata.metadata_for_region(region, None) for region in COUNTRY_CODE_TO_REGION_CODE[code]]
    return [metadata for metadata in found if metadata is not None]


def _described(desc: Any, known: frozenset[int] = frozenset()) -> str:
    """An expression for the numbers of a description up to the end of the line.

    ``known``: the text has one of these lengths, so that a description with all of them need not look.
    """
    if desc is None or not desc.national_number_pattern:
        return _NOTHING
    if known and known <= set(desc.possible_length):
        return f"(?:{_ungrouped(desc.national_number_pattern)})$"
    lengths = "|".join(rf"\d{{{length}}}$" for length in desc.possible_length if length > 0)
    return (f"(?={lengths})" if lengths else "") + f"(?:{_ungrouped(desc.national_number_pattern)})$"


def _any(patterns: Iterable[str]) -> str:
    return "(?:" + ("|".join(pattern for pattern in patterns if pattern != _NOTHING) or _NOTHING) + ")"


@cache  # at most one for each country code
def _plan(code: int) -> _Plan:
    return _Plan(code)


def _stripped_prefix(metadata: Any) -> tuple[str, str]:
    """The prefix of national dialing that is dropped by itself, and what a number without one must not begin with.

    Where the library does more than drop it (carrier codes, local numbers) the first is empty: it is left to it.
    """
    parsing = metadata.national_prefix_for_parsing
    if not parsing:
        return "", ""
    prefix = metadata.national_prefix or ""
    is_plain = prefix.isdigit() and "(" not in parsing and parsing.split("|")[0] == prefix
    return (prefix if is_plain else ""), f"(?!{_ungrouped(parsing)})"


def _ungrouped(pattern: str) -> str:
    """The pattern without groups of its own: ours are counted."""
    return re.sub(r"\((?!\?)", "(?:", pattern)


@cache
def _international(code: int) -> re.Pattern[str]:
    """A number with ``+`` and country code, alone in its line: groups for local and for wide national numbers.

    Cost: up to a second for +1, whose 25 regions must be told apart, once.
    """
    plan = _plan(code)
    prefix, guard = _stripped_prefix(_metadata_of(code)[0])
    return re.compile(rf"\+{code}(?:{prefix})?{guard}(?:({plan.local})|({plan.wide}))", re.ASCII)


class NumberReader:
    """Reads numbers of a list whose numbers without country code are of ``region`` (two letters).

    Raises ``OutOfRange`` for a region that the library does not know.
    """

    def __init__(self, region: str, check: NumberCheck = NumberCheck.VALID) -> None:
        check_region(region)
        self.region = region
        self._check = check
        self.code = code = phonenumbers.country_code_for_region(region)
        self._plus = f"+{code}"
        self._column = _column(region, code)
        self._remembered: dict[str, Checked | None] = {}

    def read_column(self, texts: Sequence[str]) -> tuple[list[str], list[str], list[int]]:
        """The numbers, the keys of their places, and where there is neither because the text is no usual spelling.

        The key is the number itself for one that belongs to a place, ``+`` and the country code for one of a whole
        country. Cost: about a microsecond for a number of the region, three for one of another country.
        """
        if not texts:
            return [], [], []
        texts, whole = lines_of(texts)
        found = self._column.findall(whole.encode().translate(None, _DROPPED).decode())
        plus = self._plus
        local = list(map(_first, found))
        if all(local):
            numbers = list(map(plus.__add__, local))
            return numbers, numbers, []
        numbers = [plus + here if here else plus + wide if wide else "" for here, wide in found]
        places = [number if here else plus for number, here in zip(numbers, local, strict=True)]
        missed: list[int] = []
        for at, number in enumerate(numbers):
            if not number:
                usual = _foreign(texts[at])
                numbers[at], places[at] = usual or ("", "")
                if usual is None:
                    missed.append(at)
        return numbers, places, missed

    def read(self, text: str) -> Checked | None:
        """One text's number and the key of its place (empty where the library knows none), or None for no number."""
        usual = _foreign(text)
        if usual is not None:
            return usual
        if text not in self._remembered:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[text] = self.read_exactly(text)
        return self._remembered[text]

    def read_exactly(self, text: str) -> Checked | None:
        """What the library says."""
        try:
            number = phonenumbers.parse(text, self.region)
        except NumberParseException:
            return None
        kind = phonenumbers.number_type(number)
        is_valid = kind != phonenumbers.PhoneNumberType.UNKNOWN and phonenumbers.is_valid_number(number)
        is_good = is_valid or (self._check is NumberCheck.POSSIBLE and _is_possible(number))
        if not is_good or number.extension is not None:
            return None
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        if not is_valid:
            return e164, ""
        is_local = is_number_type_geographical(kind, number.country_code or 0)
        return e164, e164 if is_local else f"+{number.country_code}"

    def reason(self, text: str) -> str:
        """Why the text is no number, for one that ``read`` does not take."""
        try:
            number = phonenumbers.parse(text, self.region)
        except NumberParseException:
            return f"is no number of {self.region} and no international one"
        if number.extension is not None:
            return "has an extension, which is not dialed: put it into a column of its own"
        if self._check is NumberCheck.POSSIBLE:
            return f"cannot be a number of {self.region} or an international one"
        return "is no number of any numbering plan"


def _foreign(text: str) -> Checked | None:
    """A number with its country code in a usual spelling, and the key of its place."""
    if not text.isascii():
        return None
    plain = text.encode().translate(None, _DROPPED).decode()
    code = _COUNTRY_CODE.match(plain)
    number = None if code is None else _international(int(code[1])).fullmatch(plain)
    if number is None or code is None:
        return None
    local, wide = number.groups()
    return (code[0] + wide, code[0]) if local is None else (code[0] + local, code[0] + local)


@lru_cache(maxsize=8)
def _column(region: str, code: int) -> re.Pattern[str]:
    """The compiled expression of a region. Cost: a tenth of a second, once."""
    return re.compile(_column_pattern(region, code), re.MULTILINE | re.ASCII)


def _is_possible(number: phonenumbers.PhoneNumber) -> bool:
    # A number that can be dialed within its place alone has no form in E.164.
    return phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE


def check_region(region: str) -> None:
    """Raise ``OutOfRange`` for a region that the library does not know."""
    if region not in COUNTRIES:
        raise OutOfRange("region must be the two capital letters of a country, such as US")


def _column_pattern(region: str, code: int) -> str:
    """An expression that finds one match in each line: the groups as in ``_international``, empty for other texts."""
    plan = _Plan(code, only=region)
    own: Any = PhoneMetadata.metadata_for_region(region, None)
    main = _metadata_of(code)[0]
    main_prefix, main_guard = _stripped_prefix(main)
    prefix, guard = _stripped_prefix(own)
    plus = r"\+|00" if (own.international_prefix or "").split("|")[0] == "00" else r"\+"
    if prefix == str(code):
        abroad = rf"(?:(?:{plus})?{code}|)"  # where it is dialed in front of a number it is the country code
        return (
            rf"^(?:{abroad}{guard}{main_guard}(?={_described(own.general_desc)})(?:({plan.local})|({plan.wide}))|.*)$"
        )
    if prefix and (prefix.startswith(str(code)) or str(code).startswith(prefix)):
        prefix = ""
    international = rf"(?:{plus}){code}(?:{main_prefix})?{main_guard}"
    dialed = _ungrouped(own.international_prefix or _NOTHING)
    national = rf"(?!{dialed})(?:{prefix})?{guard}(?={_described(own.general_desc)})"
    return rf"^(?:(?:{international}|{national})(?:({plan.local})|({plan.wide}))|.*)$"
