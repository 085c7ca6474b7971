from tests.proofs.stack import without_files


def test_a_file_of_the_environment_does_not_win_over_what_is_chosen() -> None:
    inherited = {
        "SIRENADE_INSEE_KEY_FILE": "/run/secrets/insee",
        "SIRENADE_DATABASE_URL_FILE": "/run/secrets/database",
        "SIRENADE_LOG_LEVEL": "DEBUG",
        "PATH": "/usr/bin",
    }
    chosen = {"SIRENADE_INSEE_KEY": "simulated", "SIRENADE_DATABASE_URL": "postgresql://own"}
    assert without_files(inherited, chosen) == {"SIRENADE_LOG_LEVEL": "DEBUG", "PATH": "/usr/bin"}


def test_a_key_file_stays_where_no_key_is_chosen() -> None:
    inherited = {"SIRENADE_INSEE_KEY_FILE": "/run/secrets/insee"}
    assert without_files(inherited, {"SIRENADE_DATABASE_URL": "postgresql://own"}) == inherited
