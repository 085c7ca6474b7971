import pytest

from shared.archive.seal import BrokenSeal, seal, unseal

_KEY = "a key of some length"


@pytest.mark.parametrize("content", [b"", b"{}", b"two\nlines\n"])
@pytest.mark.parametrize("key", ["", _KEY])
def test_a_sealed_object_is_read_with_its_key(key: str, content: bytes) -> None:
    assert unseal(key, "name", seal(key, "name", content)) == content


@pytest.mark.parametrize(
    ("key", "name", "content"),
    [
        ("another key of length", "name", b"content"),
        (_KEY, "another name", b"content"),
        (_KEY, "name", b"Content"),
        # The border between name and content belongs to the seal.
        (_KEY, "namec", b"ontent"),
    ],
)
def test_another_key_name_or_content_breaks_the_seal(key: str, name: str, content: bytes) -> None:
    mac = seal(_KEY, "name", b"content").partition(b"\n")[0]
    with pytest.raises(BrokenSeal, match="is wrong"):
        unseal(key, name, mac + b"\n" + content)


@pytest.mark.parametrize("sealed", [b"", b"-\ncontent", b"\ncontent"])
def test_what_nobody_has_sealed_is_refused_where_a_key_is_set(sealed: bytes) -> None:
    with pytest.raises(BrokenSeal):
        unseal(_KEY, "name", sealed)


def test_without_a_key_a_sealed_object_is_read() -> None:
    assert unseal("", "name", seal(_KEY, "name", b"content")) == b"content"
