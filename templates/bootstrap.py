"""The roles of a Workshop Studio account, and the bucket that code and lists are uploaded to.

This stack comes first and by the instructor's own hand: everything after it is made by WSSystemRole, so that
CloudTrail tells the module's story.
"""

from collections.abc import Mapping
from typing import Any

from troposphere import GetAtt, Output, Ref, Sub, Template
from troposphere.iam import Policy, Role

from templates.options import Options
from templates.parts import add_private_bucket, policy, template

PARTICIPANT_SESSION_SECONDS = 12 * 3600
"""A workshop day: the longest session that IAM allows."""

GLOBAL_SERVICES = (
    "iam:*",
    "sts:*",
    "organizations:*",
    "account:*",
    "support:*",
    "health:*",
    "cloudfront:*",
    "route53:*",
)
"""Services whose requests carry another Region than the caller's."""


def bootstrap(options: Options) -> Template:
    """Return the template of the roles WSSystemRole and WSParticipantRole and the bucket for code and lists.

    Source: docs/aws-facts.md, part 8 (the published dump of a Workshop Studio account).
    """
    made = template("GuardDuty lab: the roles of a Workshop Studio account and the bucket for code and lists")
    bucket, _ = add_private_bucket(made, "AssetsBucket", options.bucket("assets"))
    system = made.add_resource(_system_role(options))
    participant = made.add_resource(_participant_role(options))
    made.add_output(
        [
            Output("AssetsBucketName", Description="The bucket for code and lists", Value=Ref(bucket)),
            Output("SystemRoleArn", Description="The role that deploys the lab", Value=GetAtt(system, "Arn")),
            Output("ParticipantRoleArn", Description="The role of trainees", Value=GetAtt(participant, "Arn")),
        ]
    )
    return made


def _system_role(options: Options) -> Role:
    """The role that Workshop Studio's control plane acts as: everything on everything, in sessions named System only."""
    return Role(
        "WSSystemRole",
        RoleName=options.system_role,
        Description="Deploys the workshop, in sessions named System",
        AssumeRolePolicyDocument=_trust_of_account({"StringEquals": {"sts:RoleSessionName": "System"}}),
        Policies=[
            Policy(
                PolicyName="ws-system-policy",
                PolicyDocument=policy({"Effect": "Allow", "Action": "*", "Resource": "*"}),
            )
        ],
    )


def _participant_role(options: Options) -> Role:
    """The role of trainees: an administrator who can neither leave the Regions nor become or change the lab's roles."""
    return Role(
        "WSParticipantRole",
        RoleName=options.participant_role,
        Description="What participants of the workshop work as, in sessions named Participant",
        MaxSessionDuration=PARTICIPANT_SESSION_SECONDS,
        AssumeRolePolicyDocument=_trust_of_account(),
        ManagedPolicyArns=[Sub("arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess")],
        Policies=[Policy(PolicyName="ws-default-policy", PolicyDocument=_default_policy(options))],
    )


def _trust_of_account(condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Let principals of this account assume the role where their own policies say so too."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
        "Action": "sts:AssumeRole",
    }
    return policy({**statement, "Condition": dict(condition)} if condition else statement)


def _default_policy(options: Options) -> dict[str, Any]:
    """Return what Workshop Studio adds to an administrator, and what keeps the lab's story its own.

    Without the last two statements a trainee could act as WSSystemRole or rewrite either role, and the trail would no
    longer say who did what.
    """
    system, participant = (
        Sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{name}")
        for name in (options.system_role, options.participant_role)
    )
    return policy(
        {"Sid": "ReadIam", "Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"},
        {
            "Sid": "CreateServiceLinkedRoles",
            "Effect": "Allow",
            "Action": "iam:CreateServiceLinkedRole",
            "Resource": Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role/*"),
        },
        {"Sid": "PassItself", "Effect": "Allow", "Action": "iam:PassRole", "Resource": participant},
        {
            "Sid": "StayInTheRegions",
            "Effect": "Deny",
            "NotAction": list(GLOBAL_SERVICES),
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": [Ref("AWS::Region"), "us-east-1"]}},
        },
        {"Sid": "NotTheSystem", "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": system},
        {
            "Sid": "KeepTheRoles",
            "Effect": "Deny",
            "Action": [
                "iam:AttachRolePolicy",
                "iam:DeleteRole",
                "iam:DeleteRolePermissionsBoundary",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:PutRolePermissionsBoundary",
                "iam:PutRolePolicy",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
            ],
            "Resource": [system, participant],
        },
    )
