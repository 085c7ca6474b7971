"""Prometheus' rules: `python -m deploy.prometheus` writes alerts.yml from `shared.alerts`."""
