"""The dashboards, in the order in which people look at them."""

from deploy.grafana.boards.overview import OVERVIEW
from deploy.grafana.boards.portal import PORTAL
from deploy.grafana.boards.postgresql import POSTGRESQL
from deploy.grafana.boards.queues import QUEUES
from deploy.grafana.boards.reviewer import REVIEWER
from deploy.grafana.boards.runbooks import RUNBOOKS
from deploy.grafana.boards.service import SERVICE

BOARDS = (OVERVIEW, SERVICE, REVIEWER, PORTAL, QUEUES, POSTGRESQL, RUNBOOKS)
