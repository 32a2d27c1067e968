"""A sample of the operations over real HTTP, against the process that a trainee runs: reads of every service that is ours, and of moto's."""

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError

from simulator import wire
from tests.contract.conftest import RunningLab
from tests.contract.every import MOTO, OURS, operations

READS = [
    (service, operation)
    for service, operation in operations([*OURS, *MOTO])
    if operation.startswith(("List", "Describe", "Get", "Lookup"))
    and not wire.operation_model(service, operation).has_event_stream_output
]
NEEDED = {
    "DetectorId": "0" * 32,
    "FunctionName": "traffic-simulation",
    "Bucket": "none-of-that-name",
    "RoleName": "WSSystemRole",
}


@pytest.mark.parametrize("part", range(8))
def test_reads_answer_over_http(running: RunningLab, part: int) -> None:
    """A result, or an exception of the client's own with a code, for each of an eighth of all reads."""
    for service, operation in READS[part::16]:
        shape = wire.operation_model(service, operation).input_shape
        required = shape.required_members if shape is not None else []
        client = running.client(service, inject_host_prefix=False)
        try:
            getattr(client, xform_name(operation))(**{name: NEEDED.get(name, "none") for name in required})
        except ParamValidationError:
            continue
        except ClientError as error:
            told = error.response
            assert told["Error"]["Code"], (service, operation)
            assert told["ResponseMetadata"]["HTTPStatusCode"] < 500, (service, operation, told)
