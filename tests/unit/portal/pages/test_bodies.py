from services.portal.pages.bodies import Bodies


def test_a_body_is_given_to_who_knows_its_version() -> None:
    bodies = Bodies(10_000)
    bodies.keep("slug", "1.1", b"page")
    assert bodies.of("slug", "1.1") == b"page"
    assert bodies.of("slug", "1.2") is None
    # The older one is of no use to anybody.
    assert bodies.of("slug", "1.1") is None
    assert bodies.size_bytes == 0


def test_the_bodies_that_were_asked_for_last_stay_within_the_bound() -> None:
    bodies = Bodies(4_000)
    for n in range(3):
        bodies.keep(f"slug-{n}", "1", b"x" * 700)
    assert bodies.of("slug-0", "1") is not None
    bodies.keep("slug-3", "1", b"x" * 700)
    assert bodies.size_bytes <= 4_000
    assert bodies.of("slug-1", "1") is None
    assert bodies.of("slug-0", "1") is not None


def test_a_body_that_is_larger_than_the_bound_is_not_kept() -> None:
    bodies = Bodies(1_000)
    bodies.keep("slug", "1", b"x" * 2_000)
    assert bodies.of("slug", "1") is None
    assert bodies.size_bytes == 0


def test_a_body_lasts_an_hour() -> None:
    now = 0.0
    bodies = Bodies(10_000, monotonic_seconds=lambda: now)
    bodies.keep("slug", "1", b"page")
    now = 3_500.0
    assert bodies.of("slug", "1") == b"page"
    now = 3_700.0
    assert bodies.of("slug", "1") is None
