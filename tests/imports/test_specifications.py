"""Import specifications as objects: what cannot be carried out on any file is not saved."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from trunkline.app.administration.checks import check_object
from trunkline.app.imports.orders import order_of
from trunkline.domain.import_specifications import EXPORTED, ImportSpecification, NumberCheck
from trunkline.domain.objects import ObjectKind
from trunkline.errors import Refused

GOOD = ImportSpecification(
    contact_centre_id=1, specification_id=3, name="Shop", delimiter=";", mapping={"phone": "Tel"}
)


def test_a_specification_is_saved_as_it_is() -> None:
    """A good one passes, and stands for the order that it says."""
    assert check_object(ObjectKind.IMPORT_SPECIFICATION, GOOD, 0) == GOOD
    assert (order_of(GOOD).delimiter, order_of(GOOD).mapping) == (";", {"phone": "Tel"})
    assert order_of(EXPORTED).numbers is NumberCheck.AS_GIVEN


@pytest.mark.parametrize(
    "wrong",
    [
        {"delimiter": "ab"},
        {"encoding": "hex"},
        {"region": "Germany"},
        {"mapping": {f"f{n}": "x" for n in range(300)}},
        {"name": "exported"},
    ],
)
def test_what_cannot_be_carried_out_is_refused(wrong: dict[str, Any]) -> None:
    """Delimiter, encoding, country, size of the mapping; and the name of the one that is always there."""
    with pytest.raises(Refused):
        check_object(ObjectKind.IMPORT_SPECIFICATION, msgspec.structs.replace(GOOD, **wrong), 0)
