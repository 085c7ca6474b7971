"""`python -m deploy.manual`: write the pages of the manual that are made from the code."""

from deploy.manual.settings_page import PAGE, settings_page


def main() -> None:
    PAGE.write_text(settings_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
