"""Lambda: functions, who may invoke them, their runs and the asynchronous queue.

The class is built up in layers, each a module that needs only those before it: `base` (state) → `specs` and `interfaces`
→ `functions` → `versions` → `access` (policies) → `settings` → `tags` → `mappings` → `network` → `invoke` (a run and what it
leaves behind) → `destinations` → `events` (the queue) → `polling` (of SQS). Operations change state; runs, interfaces and deliveries happen in
processes and come back as records.

Adversaries: a function's code is hostile and runs only in `simulator.functions`, behind its walls; packages are looked at
(never unpacked) here, with their declared size bounded. A trainee on a hosted lab gets no other account's code: links to
packages are signed with the lab's own secret and expire.
"""

from simulator.services.lambda_.polling import Polling


class Lambda(Polling):
    """AWS Lambda in one lab."""
