"""Settings for all tests: Hypothesis profiles, and no trace of the caller's AWS settings."""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("dev", max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same cases every time: what is refused is refused for what changed, not for luck.
settings.register_profile("ci", settings.get_profile("dev"), max_examples=40, derandomize=True)
settings.register_profile("explore", settings.get_profile("dev"), max_examples=600)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

gc.set_threshold(50_000, 20, 50)
"""What thousands of collected tests and AWS's models hold is looked through less often: a sixth of a run was this."""


@pytest.fixture(autouse=True)
def no_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the caller's AWS settings and proxies away: no test may reach or read a real account."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy") or name == "LAB_HOME":
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
