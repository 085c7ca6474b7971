"""`python -m deploy.prometheus`: write the alert rules anew."""

from deploy.prometheus.rules import ALERTS, RESOURCE, resource_as_yaml, rules_as_yaml


def main() -> None:
    ALERTS.write_text(rules_as_yaml(), encoding="utf-8")
    RESOURCE.write_text(resource_as_yaml(), encoding="utf-8")


if __name__ == "__main__":
    main()
