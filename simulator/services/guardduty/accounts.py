"""Members, administrators and organisations, as an account that stands alone has them: none.

Every lab is one account. Texts are AWS's where known (docs/aws-facts.md, part 4), otherwise the likeliest.
"""

from __future__ import annotations

from typing import Any

from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.guardduty.base import Base
from simulator.services.guardduty.errors import rejected
from simulator.services.guardduty.paging import page
from simulator.services.guardduty.usage import NOT_A_MEMBER

NO_INVITATION = "The request is rejected because no invitation from the given account was found."
NO_SUCH_ACCOUNT = (
    "The request is rejected because the given account does not exist or its email address does not match."
)


class Accounts(Base):
    """Operations on other accounts."""

    def create_members(self, ctx: Context, *, DetectorId: str, AccountDetails: list[dict[str, str]]) -> dict[str, Any]:
        """Add nobody: there is no other account to the lab."""
        self.detector(ctx, DetectorId)
        return _unprocessed([each["AccountId"] for each in AccountDetails], NO_SUCH_ACCOUNT)

    def get_members(self, ctx: Context, *, DetectorId: str, AccountIds: list[str]) -> dict[str, Any]:
        """Return no member."""
        return {"Members": [], **self._no_members(ctx, DetectorId, AccountIds)}

    def list_members(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        MaxResults: int | None = None,
        NextToken: str | None = None,
        OnlyAssociated: str | None = None,
    ) -> dict[str, Any]:
        """Return no member."""
        self.detector(ctx, DetectorId)
        return {"Members": page([], MaxResults, NextToken)[0]}

    def get_member_detectors(self, ctx: Context, *, DetectorId: str, AccountIds: list[str]) -> dict[str, Any]:
        """Return no member's settings."""
        return {"MemberDataSourceConfigurations": [], **self._no_members(ctx, DetectorId, AccountIds)}

    def update_member_detectors(
        self, ctx: Context, *, DetectorId: str, AccountIds: list[str], **settings: Any
    ) -> dict[str, Any]:
        """Change no member's settings."""
        return self._no_members(ctx, DetectorId, AccountIds)

    def invite_members(
        self, ctx: Context, *, DetectorId: str, AccountIds: list[str], **invitation: Any
    ) -> dict[str, Any]:
        """Invite nobody."""
        return self._no_members(ctx, DetectorId, AccountIds)

    def delete_members(self, ctx: Context, *, DetectorId: str, AccountIds: list[str]) -> dict[str, Any]:
        """Remove nobody."""
        return self._no_members(ctx, DetectorId, AccountIds)

    def disassociate_members(self, ctx: Context, *, DetectorId: str, AccountIds: list[str]) -> dict[str, Any]:
        """Part from nobody."""
        return self._no_members(ctx, DetectorId, AccountIds)

    def start_monitoring_members(self, ctx: Context, *, DetectorId: str, AccountIds: list[str]) -> dict[str, Any]:
        """Start watching nobody."""
        return self._no_members(ctx, DetectorId, AccountIds)

    def stop_monitoring_members(self, ctx: Context, *, DetectorId: str, AccountIds: list[str]) -> dict[str, Any]:
        """Stop watching nobody."""
        return self._no_members(ctx, DetectorId, AccountIds)

    def _no_members(self, ctx: Context, detector_id: str, account_ids: list[str]) -> dict[str, Any]:
        self.detector(ctx, detector_id)
        return _unprocessed(account_ids, NOT_A_MEMBER)

    # Invitations and administrators

    def list_invitations(
        self, ctx: Context, *, MaxResults: int | None = None, NextToken: str | None = None
    ) -> dict[str, Any]:
        """Return no invitation."""
        return {"Invitations": page([], MaxResults, NextToken)[0]}

    def get_invitations_count(self, ctx: Context) -> dict[str, Any]:
        """Return that there are none."""
        return {"InvitationsCount": 0}

    def decline_invitations(self, ctx: Context, *, AccountIds: list[str]) -> dict[str, Any]:
        """Decline none."""
        return _unprocessed(AccountIds, NO_INVITATION)

    def delete_invitations(self, ctx: Context, *, AccountIds: list[str]) -> dict[str, Any]:
        """Delete none."""
        return _unprocessed(AccountIds, NO_INVITATION)

    def accept_administrator_invitation(
        self, ctx: Context, *, DetectorId: str, AdministratorId: str, InvitationId: str
    ) -> dict[str, Any]:
        """Refuse: there is no invitation."""
        self.detector(ctx, DetectorId)
        raise AwsError("BadRequestException", NO_INVITATION, Type="NoSuchEntityException")

    def accept_invitation(self, ctx: Context, *, DetectorId: str, MasterId: str, InvitationId: str) -> dict[str, Any]:
        """Refuse, under the operation's older name."""
        return self.accept_administrator_invitation(
            ctx, DetectorId=DetectorId, AdministratorId=MasterId, InvitationId=InvitationId
        )

    def get_administrator_account(self, ctx: Context, *, DetectorId: str) -> dict[str, Any]:
        """Return nothing: the account has no administrator."""
        self.detector(ctx, DetectorId)
        return {}

    def get_master_account(self, ctx: Context, *, DetectorId: str) -> dict[str, Any]:
        """Return nothing, under the operation's older name."""
        return self.get_administrator_account(ctx, DetectorId=DetectorId)

    def disassociate_from_administrator_account(self, ctx: Context, *, DetectorId: str) -> dict[str, Any]:
        """Refuse: the account has no administrator."""
        self.detector(ctx, DetectorId)
        raise rejected("the current account is not associated with an administrator account.")

    def disassociate_from_master_account(self, ctx: Context, *, DetectorId: str) -> dict[str, Any]:
        """Refuse, under the operation's older name."""
        return self.disassociate_from_administrator_account(ctx, DetectorId=DetectorId)

    # Organisations

    def list_organization_admin_accounts(
        self, ctx: Context, *, MaxResults: int | None = None, NextToken: str | None = None
    ) -> dict[str, Any]:
        """Refuse: the account is in no organisation."""
        raise _no_organisation()

    def enable_organization_admin_account(self, ctx: Context, *, AdminAccountId: str) -> dict[str, Any]:
        """Refuse: the account is in no organisation."""
        raise _no_organisation()

    def disable_organization_admin_account(self, ctx: Context, *, AdminAccountId: str) -> dict[str, Any]:
        """Refuse: the account is in no organisation."""
        raise _no_organisation()

    def describe_organization_configuration(self, ctx: Context, *, DetectorId: str, **paging: Any) -> dict[str, Any]:
        """Refuse: the account administers no organisation."""
        self.detector(ctx, DetectorId)
        raise _not_an_administrator()

    def update_organization_configuration(self, ctx: Context, *, DetectorId: str, **settings: Any) -> dict[str, Any]:
        """Refuse: the account administers no organisation."""
        self.detector(ctx, DetectorId)
        raise _not_an_administrator()

    def get_organization_statistics(self, ctx: Context) -> dict[str, Any]:
        """Refuse: the account administers no organisation."""
        raise _not_an_administrator()


def _unprocessed(account_ids: list[str], result: str) -> dict[str, Any]:
    return {"UnprocessedAccounts": [{"AccountId": each, "Result": result} for each in account_ids]}


def _no_organisation() -> AwsError:
    return AwsError(
        "BadRequestException",
        "The request failed because the account is not a member of an organization.",
        Type="InvalidInputException",
    )


def _not_an_administrator() -> AwsError:
    return rejected("the current account is not the GuardDuty delegated administrator of an organization.")
