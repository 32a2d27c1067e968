"""S3: buckets, objects, and an object's content, a part at a time."""

from flask import Blueprint
from werkzeug.wrappers import Response

from simulator.console import blocks, links
from simulator.console.blocks import Actions, Search, Source, Table, facts, link
from simulator.console.blocks import Field as Input
from simulator.console.texts import t
from simulator.console.web import api, argument, show, whole

pages = Blueprint("storage", __name__)
BUCKETS = "/console/s3/buckets"
LISTED = 100
PART = 64 * 1024
"""Bytes of an object's content on a page."""


@pages.get(BUCKETS)
def buckets() -> Response:
    """Show the buckets."""
    found = api().call("s3", "ListBuckets")["Buckets"]
    return show(
        t("S3 buckets"),
        Table(
            title=t("Buckets"),
            columns=(t("Name"), t("Created at")),
            rows=tuple(
                (link(each["Name"], links.bucket(each["Name"])), blocks.time(each["CreationDate"])) for each in found
            ),
            empty=t("There are no buckets."),
        ),
    )


@pages.get("/console/s3/bucket")
def bucket() -> Response:
    """Show a bucket's objects, folder by folder."""
    name, prefix = argument("name"), argument("prefix")
    more = {"ContinuationToken": argument("next")} if argument("next") else {}
    answer = api().call("s3", "ListObjectsV2", Bucket=name, Prefix=prefix, Delimiter="/", MaxKeys=LISTED, **more)
    folders = [
        (link(each["Prefix"], links.bucket(name, each["Prefix"])), t("Folder"), None, None)
        for each in answer.get("CommonPrefixes", [])
    ]
    objects = [
        (
            link(each["Key"], links.stored_object(name, each["Key"])),
            t("Object"),
            blocks.time(each["LastModified"]),
            t("{count} bytes", count=each["Size"]),
        )
        for each in answer.get("Contents", [])
    ]
    following = answer.get("NextContinuationToken")
    here = links.bucket(name, prefix)
    return show(
        name,
        Search(
            action="/console/s3/bucket",
            submit=t("Find"),
            fields=(
                Input(name="name", label="", kind="hidden", value=name),
                Input(name="prefix", label=t("Prefix"), value=prefix),
            ),
        ),
        Table(
            title=t("Objects"),
            columns=(t("Key"), t("Type"), t("Last modified"), t("Size")),
            rows=(*folders, *objects),
            empty=t("There are no objects here."),
            more=links.with_query(here, {"next": following}) if following else None,
            first=here if argument("next") else None,
        ),
        crumbs=((t("S3 buckets"), BUCKETS),),
    )


@pages.get("/console/s3/object")
def stored() -> Response:
    """Show an object: what S3 says of it, and a part of its content where that is text."""
    name, key = argument("bucket"), argument("key")
    start = whole("from")
    head = api().call("s3", "HeadObject", Bucket=name, Key=key)
    size = int(head["ContentLength"])
    content = b""
    if size > start:
        answer = api().call("s3", "GetObject", Bucket=name, Key=key, Range=f"bytes={start}-{start + PART - 1}")
        content = answer["Body"].read(PART)
    end = start + len(content)
    here = links.stored_object(name, key)
    turns = Actions(
        links=(
            *((link(t("First page"), here),) if start else ()),
            *((link(t("Next page"), links.with_query(here, {"from": end})),) if end < size else ()),
        )
    )
    shown = t("Bytes {start} to {end} of {size}", start=start, end=end, size=size)
    text = _text(content)
    return show(
        key,
        facts(
            t("Object overview"),
            (t("Bucket"), link(name, links.bucket(name))),
            (t("Size"), t("{count} bytes", count=size)),
            (t("Last modified"), blocks.time(head.get("LastModified"))),
            (t("Type"), head.get("ContentType")),
            ("ETag", blocks.code(str(head.get("ETag", "")))),
            (t("Version ID"), head.get("VersionId")),
            ("S3 URI", blocks.code(f"s3://{name}/{key}")),
        ),
        Source(title=shown, text=text if text is not None else t("This is no text, so it is not shown.")),
        *([turns] if turns.links else []),
        crumbs=((t("S3 buckets"), BUCKETS), (name, links.bucket(name))),
    )


def _text(content: bytes) -> str | None:
    """Return content as text, None for what is none. A character cut by a part's end is left out."""
    if b"\0" in content:
        return None
    text = content.decode("utf-8", "replace").strip("\ufffd")
    return text if text.count("\ufffd") <= len(text) // 50 else None
