"""The OpenAPI document is valid, and says of every endpoint what it does."""

import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from services.portal.api.endpoints import Endpoint
from services.portal.api.openapi import document
from services.portal.api.problems import KINDS


@pytest.fixture
def described(listed: list[Endpoint]) -> dict[str, Any]:
    return document(listed, "https://annuaire.example")


def test_the_document_is_valid(described: dict[str, Any]) -> None:
    validate(described)


def test_every_parameter_that_is_read_is_described(
    listed: list[Endpoint], described: dict[str, Any]
) -> None:
    for endpoint in listed:
        named = {
            each["name"]
            for each in described["paths"][endpoint.path]["get"]["parameters"]
            if each["in"] == "query"
        }
        assert named == {each.name for each in endpoint.parameters}


def test_every_part_of_a_path_is_described(described: dict[str, Any]) -> None:
    for path, item in described["paths"].items():
        named = {each["name"] for each in item["get"]["parameters"] if each["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))


def test_names_of_operations_are_used_once(described: dict[str, Any]) -> None:
    names = [item["get"]["operationId"] for item in described["paths"].values()]
    assert len(set(names)) == len(names)


def test_every_kind_of_problem_is_one_that_an_endpoint_names(listed: list[Endpoint]) -> None:
    assert {kind for endpoint in listed for kind in endpoint.problems} == set(KINDS)


def test_exports_alone_need_a_key(described: dict[str, Any]) -> None:
    needing = {
        path for path, item in described["paths"].items() if {} not in item["get"]["security"]
    }
    assert needing == {"/api/v1/export.csv", "/api/v1/export.parquet"}
