"""CloudTrail Lake and channels: the account has none, and says so. Making one is not part of the lab."""

from typing import Any, NoReturn

from simulator.errors import AwsError
from simulator.service import Context


class Lake:
    """What CloudTrail answers in an account without event data stores. Mixed into the service."""

    def list_event_data_stores(self, ctx: Context, **_paging: Any) -> dict[str, Any]:
        """Return no event data stores."""
        return {"EventDataStores": []}

    def get_event_data_store(self, ctx: Context, *, EventDataStore: str) -> NoReturn:
        """Refuse: there is no such store."""
        _no_store()

    def list_queries(self, ctx: Context, *, EventDataStore: str, **_asked: Any) -> NoReturn:
        """Refuse: there is no such store."""
        _no_store()

    def list_channels(self, ctx: Context, **_paging: Any) -> dict[str, Any]:
        """Return no channels."""
        return {"Channels": []}

    def get_channel(self, ctx: Context, *, Channel: str) -> NoReturn:
        """Refuse: there is no such channel."""
        raise AwsError("ChannelNotFoundException", "CloudTrail cannot find the specified channel.")

    def list_dashboards(self, ctx: Context, **_paging: Any) -> dict[str, Any]:
        """Return no dashboards."""
        return {"Dashboards": []}

    def list_imports(self, ctx: Context, **_paging: Any) -> dict[str, Any]:
        """Return no imports."""
        return {"Imports": []}

    def list_public_keys(self, ctx: Context, **_asked: Any) -> dict[str, Any]:
        """Return no keys: no digests are delivered."""
        return {"PublicKeyList": []}


def _no_store() -> NoReturn:
    raise AwsError("EventDataStoreNotFoundException", "The specified event data store was not found.")
