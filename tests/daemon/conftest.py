"""A daemon of each test's own, and one that a module's tests share."""

from helpers.daemon.real_daemon import daemon as daemon
from helpers.daemon.real_daemon import idle_daemon as idle_daemon
from helpers.daemon.real_daemon import served as served
