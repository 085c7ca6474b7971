"""The signature is that of the specification."""

from services.portal.webhooks.signatures import headers_of, new_secret


def test_the_example_of_the_specification() -> None:
    """https://github.com/standard-webhooks/standard-webhooks, libraries' common test vector."""
    headers = headers_of(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        at_seconds=1614265330,
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["webhook-timestamp"] == "1614265330"


def test_secrets_differ() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
