"""Bodies in, encoded messages out."""

from __future__ import annotations

import contextlib
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.bayeux import messages
from trunkline.bayeux.messages import NO_ID, read_form_body, read_json_body
from trunkline.errors import OutOfRange, TooLarge
from trunkline.strict_json import Malformed


@pytest.mark.item(2, 3)
def test_arrays_and_single_objects_are_messages() -> None:
    """An array is taken as it is; a single object, as old clients send it, stands for an array of one."""
    assert read_json_body(b'[{"channel":"/a"},{"channel":"/b"}]') == [{"channel": "/a"}, {"channel": "/b"}]
    assert read_json_body(b'{"channel":"/a"}') == [{"channel": "/a"}]
    assert read_json_body(b"[]") == []


@pytest.mark.parametrize("body", [b"", b"[", b"[{]", b"7", b'"x"', b"null", b"\xff", b"[1,]", b"[]x"])
def test_other_json_bodies_are_malformed(body: bytes) -> None:
    """Neither broken JSON nor a bare value is a request."""
    with pytest.raises(Malformed):
        read_json_body(body)


def test_large_bodies_are_refused_in_both_forms() -> None:
    """The limit counts bytes as they came, before anything is decoded."""
    with pytest.raises(TooLarge):
        read_json_body(b"[" + b" " * 64 + b"]", max_bytes=64)
    with pytest.raises(TooLarge):
        read_form_body(b"message=" + b"a" * 64, max_messages=4, max_bytes=64)


def test_each_form_field_is_a_message_or_an_array() -> None:
    """Repeated ``message`` fields add up in order; other fields are passed over."""
    single, array = quote('{"channel":"/a"}'), quote('[{"channel":"/b"},{"channel":"/é"}]')
    body = f"message={single}&x=1&message={array}"
    received = read_form_body(body.encode(), max_messages=8)
    assert [message["channel"] for message in received] == ["/a", "/b", "/é"]


def test_plus_and_raw_utf8_in_forms_are_decoded() -> None:
    """A plus is a space, and bytes that a sloppy client left unescaped are UTF-8."""
    assert read_form_body('message={"a":"é+b"}'.encode(), max_messages=8) == [{"a": "é b"}]


@pytest.mark.parametrize("body", [b"message=", b"message=%5B", b"message=%ff", b"message=\xff", b"message"])
def test_malformed_forms_are_refused(body: bytes) -> None:
    """Broken JSON, broken escapes and empty fields have the same end."""
    with pytest.raises(Malformed):
        read_form_body(body, max_messages=8)


def test_a_form_without_message_yields_none() -> None:
    """The core refuses it as it refuses an empty array."""
    assert read_form_body(b"", max_messages=8) == []
    assert read_form_body(b"other=1", max_messages=8) == []


def test_forms_with_many_fields_are_refused_unread() -> None:
    """Fields are counted before they are taken apart."""
    with pytest.raises(TooLarge):
        read_form_body(b"&" * 16, max_messages=8)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_with_the_documented_errors(body: bytes) -> None:
    """Whatever comes: a list, or ``OutOfRange`` (which ``Malformed`` and ``TooLarge`` are)."""
    for read in (read_json_body, lambda raw: read_form_body(raw, max_messages=4)):
        with contextlib.suppress(OutOfRange):
            assert type(read(body)) is list


@pytest.mark.parametrize(
    ("given_id", "read_id"),
    [
        ("7", "7"),
        ("a-b", "a-b"),
        (7, 7),
        (1.5, 1.5),
        (None, NO_ID),
        ("", ""),
        ("x" * 9, None),
        (True, None),
        ([], None),
    ],
)
def test_ids_are_strings_or_numbers(given_id: object, read_id: object) -> None:
    """Null counts as absent; other types and overlong strings are no ids."""
    assert messages.id_of({"id": given_id}, 8) == read_id


def test_a_message_without_id_has_none() -> None:
    """Absence is told apart from a bad id."""
    assert messages.id_of({}, 8) is NO_ID


def test_replies_keep_the_published_key_order() -> None:
    """``successful`` first, then the fields of the reply, ``id``, ``channel``."""
    encoded = messages.refusal("/meta/subscribe", 7, "403::subscription_missing", subscription="/a")
    assert encoded == (
        b'{"successful":false,"error":"403::subscription_missing","subscription":"/a","id":7,"channel":"/meta/subscribe"}'
    )
    assert messages.reply(None, NO_ID, {"successful": True}) == b'{"successful":true}'


@pytest.mark.item("0.10", 8)
def test_events_have_data_and_channel_alone() -> None:
    """The given bytes go out as they are; odd characters in a channel are escaped."""
    assert messages.event("/a b", b"[1]") == b'{"data":[1],"channel":"/a b"}'
    assert msgspec.json.decode(messages.event('/a"', b"null")) == {"data": None, "channel": '/a"'}


def test_connect_replies_are_as_in_the_published_sample() -> None:
    """Byte for byte the reply of the sample, with and without an id."""
    replies = messages.ConnectReplies({"interval": 0, "timeout": 30000, "reconnect": "retry"})
    head = b'{"successful":true,"advice":{"interval":0,"timeout":30000,"reconnect":"retry"}'
    assert replies.with_id(messages.encoded_id_field("20")) == head + b',"id":"20","channel":"/meta/connect"}'
    assert replies.with_id(messages.encoded_id_field(NO_ID)) == head + b',"channel":"/meta/connect"}'


@pytest.mark.item("0.5")
def test_error_bodies_are_one_message_without_id() -> None:
    """Clients that ignore the status find JSON that completes no pending request."""
    assert messages.protocol_error(400, "no message") == b'[{"successful":false,"error":"400::no message"}]'
    assert msgspec.json.decode(messages.protocol_error(409, "x", "/meta/connect"))[0]["channel"] == "/meta/connect"


def test_join_makes_an_array() -> None:
    """The order is kept."""
    assert messages.join([b"1", b"2"]) == b"[1,2]"
