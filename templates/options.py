"""What an instructor may choose about a deployment, and every name that follows from it."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from scenario.errors import LabError

PREFIX = re.compile(r"[a-z][a-z0-9]{0,9}")
DETECTOR_ID = re.compile(r"[0-9a-f]{32}")

ACCOUNT = "${AWS::AccountId}"
REGION = "${AWS::Region}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Choices for one deployment; the defaults set up an account that has nothing of the lab yet.

    `name_prefix` goes before every name, so that several labs fit into one account: up to ten lower-case letters and
    digits, as bucket names allow. `detector_id` uses an existing GuardDuty detector (an account and Region can have
    one only). `recorder` and `trail` say whether to set up AWS Config and CloudTrail (an account and Region can have
    one recorder only; landing zones usually own it). `guardduty` is False for emulators without it: no detector, no
    threat list, hence no finding. Raises LabError with exit code 2 for a value that AWS would refuse.
    Source: docs/aws-facts.md, parts 3, 6 and 9.
    """

    name_prefix: str = ""
    detector_id: str | None = None
    guardduty: bool = True
    recorder: bool = True
    trail: bool = True

    def __post_init__(self) -> None:
        if self.name_prefix and not PREFIX.fullmatch(self.name_prefix):
            raise LabError(
                f"using the name prefix {self.name_prefix!r}",
                "it must be one to ten lower-case letters and digits, a letter first",
                "Choose another one, such as team3.",
                exit_code=2,
            )
        if self.detector_id is not None and not self.guardduty:
            raise LabError(
                f"using the detector {self.detector_id}",
                "GuardDuty is to be left out",
                "Leave out either --detector or --no-guardduty.",
                exit_code=2,
            )
        if self.detector_id is not None and not DETECTOR_ID.fullmatch(self.detector_id):
            raise LabError(
                f"using the detector {self.detector_id!r}",
                "a detector id is 32 lower-case hexadecimal digits",
                "Copy it from the output of: aws guardduty list-detectors",
                exit_code=2,
            )

    def without(self, services: Collection[str]) -> "Options":
        """Return these options without what needs one of `services`, by botocore's names, where a world has none."""
        return replace(
            self,
            guardduty=self.guardduty and "guardduty" not in services,
            detector_id=None if "guardduty" in services else self.detector_id,
            recorder=self.recorder and "config" not in services,
            trail=self.trail and "cloudtrail" not in services,
        )

    def named(self, name: str) -> str:
        """Return `name` with the prefix, where there is one."""
        return f"{self.name_prefix}-{name}" if self.name_prefix else name

    def stack(self, part: str) -> str:
        """Return the name of the stack that holds `part` (bootstrap, baseline, workload, detection)."""
        return self.named(f"guardduty-labs-{part}")

    def bucket(self, purpose: str, account_id: str = ACCOUNT, region: str = REGION) -> str:
        """Return the name of the bucket for `purpose` (assets, config, trail); without an account, text for Fn::Sub.

        Account and Region make it unique among all of AWS's buckets, and known before the stack is there.
        """
        return self.named(f"guardduty-labs-{purpose}-{account_id}-{region}")

    @property
    def system_role(self) -> str:
        """The name of the role that deploys the lab, as Workshop Studio's control plane does."""
        return self.named("WSSystemRole")

    @property
    def participant_role(self) -> str:
        """The name of the role that trainees work as."""
        return self.named("WSParticipantRole")

    @property
    def function_name(self) -> str:
        """The name of the function that calls the listed address."""
        return self.named("traffic-simulation")

    @property
    def rule_name(self) -> str:
        """The name of the EventBridge rule that invokes the function."""
        return self.named("traffic-simulation-schedule")

    @property
    def list_name(self) -> str:
        """The name of the threat list, as findings tell it."""
        return self.named("S3BadIpAddressList")

    @property
    def trail_name(self) -> str:
        """The name of the CloudTrail trail."""
        return self.named("guardduty-labs-trail")

    @property
    def detector_export(self) -> str:
        """The name under which the baseline stack exports its detector's id."""
        return self.named("guardduty-labs-DetectorId")
