"""The release of this source tree."""

VERSION = "1.0.0"
