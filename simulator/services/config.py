"""AWS Config."""

from simulator.service import Service


class Config(Service):
    """AWS Config."""

    name = "config"
