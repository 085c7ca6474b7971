from tests.integration.portal.conftest import desk, records

__all__ = ["desk", "records"]
