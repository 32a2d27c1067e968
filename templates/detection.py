"""The threat list that GuardDuty matches destinations against."""

from troposphere import ImportValue, Output, Parameter, Ref, Sub, Template
from troposphere.guardduty import ThreatIntelSet

from templates.options import Options
from templates.parts import template


def detection(options: Options) -> Template:
    """Return the template of the active threat list over an uploaded object.

    The object's key is a parameter and carries a version: editing an object under the same key changes no property, so
    no stack update would activate the list anew. Source: docs/aws-facts.md, part 3, template notes.
    """
    made = template("GuardDuty lab: the threat list over the uploaded object")
    bucket = made.add_parameter(Parameter("AssetsBucketName", Type="String", Description="The bucket with the list"))
    key = made.add_parameter(Parameter("ThreatListKey", Type="String", Description="The list's key, with its version"))
    threat_list = made.add_resource(
        ThreatIntelSet(
            "S3BadIpAddressList",
            Name=options.list_name,
            Activate=True,
            Format="TXT",
            Location=Sub(f"https://s3.amazonaws.com/${{{bucket.title}}}/${{{key.title}}}"),
            DetectorId=options.detector_id or ImportValue(options.detector_export),
        )
    )
    made.add_output(Output("ThreatIntelSetId", Description="The threat list", Value=Ref(threat_list)))
    return made
