"""Where the lab runs offline: an AWS of our own in one process."""
