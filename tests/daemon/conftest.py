"""A daemon of each test's own."""

from helpers.daemon.real_daemon import daemon as daemon
from helpers.daemon.real_daemon import idle_daemon as idle_daemon
