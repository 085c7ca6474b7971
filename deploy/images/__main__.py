"""The command that the Makefile calls: `python -m deploy.images [--registry URL]`."""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from deploy.containers.images import (
    DECLARED,
    Image,
    declare_digest,
    naming_files,
    read_images,
    write_references,
)
from deploy.images.registry import NoDigest, Registry, digest_by_docker
from shared.errors import UserError
from shared.http.egress import Egress


def pin(declared: Path, files: Iterable[Path], digest_of: Callable[[Image], str]) -> list[str]:
    """Declare the digests and write the references; return why an image has none.

    The digest that an image had stays where none can be learnt.
    """
    problems = []
    for image in read_images(declared):
        try:
            declare_digest(declared, image, digest_of(image))
        except NoDigest as error:
            problems.append(f"{image.reference}: {error}")
    write_references(files, read_images(declared))
    return problems


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.images", description=__doc__)
    parser.add_argument("--registry", help="address of a registry; without it Docker is asked")
    parser.add_argument("--ca-file", type=Path, help="certificates that the registry may have")
    options = parser.parse_args(arguments)
    try:
        egress = Egress(https_ca_file=options.ca_file)
        digest_of = Registry(options.registry, egress).digest if options.registry else None
        problems = pin(DECLARED, naming_files(), digest_of or digest_by_docker)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write("".join(f"{image.reference}\n" for image in read_images()))
    sys.stderr.write("".join(f"no digest for {problem}\n" for problem in problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
