"""A running lab for the clients of each module."""

from tests.contract.conftest import running, start_lab

__all__ = ["running", "start_lab"]
