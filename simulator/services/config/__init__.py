"""AWS Config: the configuration history of functions, roles, buckets and security groups, a view of the lab's journal.

`snapshots` turns what a resource looks like now into a configuration item's content, `service` keeps the items in order and pages
them, `recorders` holds recorder and delivery channel. While no recorder records, nothing is taken down.
"""

from simulator.services.config.service import Config

__all__ = ["Config"]
