"""The API does all its work as the role of the portal, which owns nothing."""

from sqlalchemy import Engine

from services.portal.api.access import keys as api_keys
from tests.integration.portal.api.directory import Directory, reading, siren, siret
from tests.role_logins import RoleLogins


def test_every_endpoint_is_answered_as_the_role_of_the_portal(
    directory: Directory, engine: Engine, role_logins: RoleLogins
) -> None:
    directory.add(1)
    directory.index()
    with engine.begin() as connection:
        key = api_keys.add(connection, "tests", api_keys.MOST_PER_MINUTE).key
    with reading(role_logins.url("portal")) as reader:
        page = reader.json(f"/api/v1/etablissements/{siret(1)}")["etablissement"]["page"]
        paths = [
            "/api/v1/recherche?q=boulangerie&facettes=etat",
            "/api/v1/suggestions?q=boul",
            "/api/v1/listes?code_commune=33063",
            f"/api/v1/unites/{siren(1)}",
            f"/api/v1{page}",
            "/api/v1/changements",
            "/api/v1/changements?depuis=fin",
            "/api/v1/changements.atom",
            "/api/v1/export.csv",
            "/api/v1/export.parquet",
            "/compat/search?departement=33",
            "/openapi.json",
        ]
        headers = {"Authorization": f"Bearer {key}"}
        answers = {path: reader.get(path, headers=headers).status_code for path in paths}
    assert answers == dict.fromkeys(paths, 200)
