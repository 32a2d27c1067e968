"""What is deployed: CloudFormation built with troposphere, planned as data and applied in one place.

Deploying is two stages. `build` and `deploy.plan` take values and return values: templates, and the actions that put
them into an account, in order. `deploy.show` prints those actions, `deploy.apply` performs exactly them and holds the
room's only calls that change anything. The simulator plays the same actions as the API calls of its history, so the
dry run, a real account and the offline lab cannot drift apart.

Worlds differ: `preflight` looks before, `outcome` looks afterwards at the services themselves, because a stack's status
is not enough on emulators, and `localstack` finds out what an emulator does not have.

The adversary faced here is the lab's own leftovers in somebody's real account: every template is private, encrypted
and least-privilege outside the two roles that imitate Workshop Studio, a stack that is not ours is never touched, and
`destroy_plan` leaves nothing behind.
"""
