"""What moto draws from elsewhere than its one seedable generator, drawn from that instead, so that a replay draws the same.

moto asks the operating system for randomness in upload ids, data keys and tokens, Python's `uuid` and `random` in some services,
`time.time()` in others, and OpenSSL for private keys. Each of its modules is given stand-ins for those, under the names it uses.
The keys made here protect nothing: they belong to a world that a seed determines.
"""

import copy
import functools
import math
import os
import random
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from moto.moto_api._internal import mock_random

from simulator.identity import Ids

PUBLIC_EXPONENT = 65537
SMALL_PRIMES = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2))]
WITNESSES = 8
OF_THE_PROCESS = ("moto.moto_api.", "moto.core.")
"""Modules whose names and ids are the process's and no lab's: the generator itself, and what tells backends apart."""

AWS_KEYS_SINCE = datetime(2024, 1, 1, tzinfo=UTC).timestamp()


class _Instead:
    """Stands in for a module: what it does not change is the module's own."""

    def __init__(self, module: Any, **changed: Any) -> None:
        self.__dict__.update(changed)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def urandom(size: int) -> bytes:
    """Return `size` bytes of the seeded generator."""
    drawn: bytes = mock_random.randbytes(size)
    return drawn


def patch(name: str, module: ModuleType, now: Callable[[], datetime | None]) -> None:
    """Give a moto module its stand-ins. `now` returns lab time while a lab's call is served."""
    attributes = vars(module)

    def lab_time() -> float:
        at = now()
        return at.timestamp() if at else time.time()

    for own, real, instead in (
        ("os", os, _Instead(os, urandom=urandom)),
        ("time", time, _Instead(time, time=lab_time)),
        ("uuid", uuid, _Instead(uuid, uuid4=mock_random.uuid4)),
        ("uuid4", uuid.uuid4, mock_random.uuid4),
        ("random", random, mock_random),
    ):
        if attributes.get(own) is real and not name.startswith(OF_THE_PROCESS):
            attributes[own] = instead
    if name in ("moto.ec2.utils", "moto.kms.utils"):
        _seed_private_keys(attributes)
    if name == "moto.kms.models":
        attributes["generate_private_key"] = _on_first_use(attributes["generate_private_key"])
        module.KmsBackend._generate_default_keys = _named_birth(module.KmsBackend._generate_default_keys)
    elif name == "moto.ec2.models.reserved_instances":
        offers = module.ReservedInstancesBackend
        offers._ensure_reserved_offerings = _same_offers(offers._ensure_reserved_offerings)
    elif name == "moto.sqs.models":
        module.SQSBackend.receive_message = _without_waiting(module.SQSBackend.receive_message)
    elif name == "moto.sns.models":
        module.Subscription.private_key = lambda _subscription: _sns_key()
    elif name == "moto.iam.models":
        module.IAMBackend._init_aws_policies = _shared_policies(module.AWSManagedPolicy, module)
        module.IAMBackend.get_account_authorization_details = _in_order(
            module.IAMBackend.get_account_authorization_details
        )


def as_if_unseen(name: str, made: Callable[[], Any]) -> Any:
    """Return what `made` returns, its ids drawn from `name`; the generator is left as if nothing had been drawn."""
    state = mock_random.getstate()
    mock_random.seed(name)
    try:
        return made()
    finally:
        mock_random.setstate(state)


_BORN: list[tuple[dict[str, Any], str]] = []
"""The AWS-managed keys that the call under way brought: what holds them, and their ids."""


def settle_births(*, keep: bool) -> None:
    """At a call's end: a read is not played again, so what it brought does not stay. It is the same whenever it is named again."""
    if not keep:
        for keys, key_id in _BORN:
            keys.pop(key_id, None)
    _BORN.clear()


def _named_birth(generate: Callable[..., Any]) -> Callable[..., Any]:
    """An AWS-managed key is born when it is first named, which may be in a read: its id depends on its name alone, its age on nothing."""

    def generate_default_keys(backend: Any, alias_name: str) -> Any:
        name = f"{backend.account_id} {backend.region_name} {alias_name}"
        key_id = as_if_unseen(name, lambda: generate(backend, alias_name))
        if key_id:
            backend.keys[key_id].creation_date = AWS_KEYS_SINCE
            _BORN.append((backend.keys, key_id))
        return key_id

    return generate_default_keys


def _same_offers(ensure: Callable[[Any], None]) -> Callable[[Any], None]:
    """A Region's reserved instances on offer are made up when somebody first looks, which a replay does not: they are always the same."""

    def ensure_reserved_offerings(backend: Any) -> None:
        as_if_unseen(f"{backend.account_id} {backend.region_name} offers", lambda: ensure(backend))

    return ensure_reserved_offerings


def _without_waiting(receive: Callable[..., Any]) -> Callable[..., Any]:
    """Lab time stands still within a call, so a poll that waits for it would never end: waiting is done outside."""

    def receive_message(
        backend: Any, queue_name: str, count: int, _wait_seconds_timeout: int, *args: Any, **kwargs: Any
    ) -> Any:
        return receive(backend, queue_name, count, 0, *args, **kwargs)

    return receive_message


def _in_order(details: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """moto lists an account's policies out of a set, in the order of their places in memory: another one in every process."""

    def get_account_authorization_details(backend: Any, policy_filter: list[str]) -> dict[str, Any]:
        told = details(backend, policy_filter)
        place = {arn: index for index, arn in enumerate(backend.managed_policies)}
        return {**told, "managed_policies": sorted(told["managed_policies"], key=lambda policy: place[policy.arn])}

    return get_account_authorization_details


def _shared_policies(policy: Any, module: ModuleType) -> Callable[[Any], list[Any]]:
    """AWS's own policies are the same everywhere: they are read once, and each account gets its own copies to attach."""
    templates: list[Any] = []

    def read() -> list[Any]:
        parsed = module.json.loads(module.aws_managed_policies_data)
        made = [policy.from_data(name, "aws", "aws", document) for name, document in parsed.items()]
        ids = Ids.of("AWS managed policies")
        for each in made:
            each.id = f"ANPA{ids.text(17)}"  # AWS's own: it decodes to no customer's account
        return made

    def init_aws_policies(backend: Any) -> list[Any]:
        if not templates:
            templates.extend(as_if_unseen("AWS's managed policies", read))
        return [_own(template, backend.account_id) for template in templates]

    return init_aws_policies


def _own(template: Any, account_id: str) -> Any:
    own = copy.copy(template)
    own.account_id, own.tags = account_id, {}
    own.versions = [copy.copy(version) for version in template.versions]
    return own


# --- private keys ---------------------------------------------------------------------------------------------------


def _seed_private_keys(attributes: dict[str, Any]) -> None:
    if "rsa" in attributes:
        attributes["rsa"] = _Instead(attributes["rsa"], generate_private_key=rsa_key)
    if "ec" in attributes:
        attributes["ec"] = _Instead(attributes["ec"], generate_private_key=ec_key)
    if "Ed25519PrivateKey" in attributes:
        real = attributes["Ed25519PrivateKey"]
        attributes["Ed25519PrivateKey"] = _Instead(real, generate=lambda: real.from_private_bytes(urandom(32)))


@functools.cache
def _sns_key() -> Any:
    """SNS signs what it delivers with one key, everywhere the same; moto makes one with every subscription."""
    return as_if_unseen("SNS's key", rsa_key)


def _on_first_use(generate: Callable[[str], Any]) -> Callable[[str], Any]:
    """KMS makes an RSA key with every key, symmetric ones too, which costs a second: here it is made when it is first used."""

    def generate_private_key(key_spec: str) -> "_Later":
        seed = mock_random.getrandbits(128)
        return _Later(lambda: as_if_unseen(f"{key_spec} {seed}", lambda: generate(key_spec)))

    return generate_private_key


class _Later:
    """A private key that is not made before it is used."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self._made = make, None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            self._made = self._make()
        return getattr(self._made, name)

    def __deepcopy__(self, _memo: Any) -> "_Later":
        return self  # a key is not changed


def ec_key(curve: Any, _backend: Any = None) -> Any:
    """Return a private key on `curve`, as cryptography's `ec.generate_private_key` does, of the seeded generator."""
    from cryptography.hazmat.primitives.asymmetric import ec

    # one bit less than the curve's order has, so that the number is always below it
    return ec.derive_private_key(mock_random.getrandbits(curve.key_size - 1) | 1, curve)


def rsa_key(public_exponent: int = PUBLIC_EXPONENT, key_size: int = 2048, backend: Any = None) -> Any:
    """Return an RSA private key, as cryptography's `rsa.generate_private_key` does, of the seeded generator."""
    key, after = _rsa_key_of(mock_random.getstate(), public_exponent, key_size, backend)
    mock_random.setstate(after)
    return key


@functools.lru_cache(maxsize=32)
def _rsa_key_of(
    state: tuple[Any, ...], public_exponent: int, key_size: int, backend: Any
) -> tuple[Any, tuple[Any, ...]]:
    """Return the key that a generator in `state` makes, and its state then: a replay does not look for the primes again."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    mock_random.setstate(state)
    while True:
        p, q = _prime(key_size // 2), _prime(key_size // 2)
        if p != q and math.gcd(public_exponent, (p - 1) * (q - 1)) == 1:
            break
    d = pow(public_exponent, -1, math.lcm(p - 1, q - 1))
    public = rsa.RSAPublicNumbers(public_exponent, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    return numbers.private_key(backend), mock_random.getstate()


def _prime(bits: int) -> int:
    """Return a number of `bits` bits, the two highest set, that is prime in all likelihood."""
    while True:
        start = int(mock_random.getrandbits(bits)) | 0b11 << (bits - 2) | 1
        remainders = [(prime, start % prime) for prime in SMALL_PRIMES]
        for step in range(0, 4096, 2):
            candidate = start + step
            if candidate.bit_length() > bits:
                break
            if all((remainder + step) % prime for prime, remainder in remainders) and _is_prime(candidate):
                return candidate


def _is_prime(number: int) -> bool:
    """Miller and Rabin's test. The numbers are random, so a few fixed witnesses will do."""
    twos = ((number - 1) & -(number - 1)).bit_length() - 1
    odd = (number - 1) >> twos
    for witness in SMALL_PRIMES[:WITNESSES]:
        power = pow(witness, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True
