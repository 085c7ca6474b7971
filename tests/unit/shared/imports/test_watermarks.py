from datetime import datetime
from typing import TYPE_CHECKING, cast

import pytest

from shared.imports.watermarks import set_watermark

if TYPE_CHECKING:
    from sqlalchemy import Connection


@pytest.mark.parametrize(
    ("collection", "date"),
    [("etablissement", "2026-08-01"), ("etablissements", "2026-08-01T00:00:00+02:00")],
)
def test_a_watermark_that_would_mean_something_else_is_refused(collection: str, date: str) -> None:
    nowhere = cast("Connection", None)
    with pytest.raises(ValueError, match=r"no such collection|offset"):
        set_watermark(nowhere, collection, datetime.fromisoformat(date))
