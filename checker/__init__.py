"""What the trainee achieved: collect evidence through the AWS API, grade it, report it.

`lab check` is one line of thought: `collect.py` asks the account and returns `Evidence` (the room's only I/O, a handful
of boto3 reads); `grade.py` judges evidence and answers with the rules in `rules/`, one judgement a file, each a pure
function that says what it accepts, what it rejects and why; `report.py` and `debrief.py` write the result down.

The same checker grades the simulator, LocalStack and a real account. It knows no seed and no answer key: what is
right is read from AWS's own evidence (the finding, the function's creation event), and a fix is judged by what would
happen next (`worlds.Foresight`), not by which buttons were pressed.

Adversaries. The trainee on their own laptop can change anything here; the room does not pretend otherwise, it only
never says an answer that was not earned. Names, descriptions and events in the account may be hostile text: every
report escapes them, and nothing read from the account is executed or fetched.
"""
