"""Shows that a function can be deployed here at all."""


def handler(event, context):
    """Return what came in."""
    return {"echo": event}
