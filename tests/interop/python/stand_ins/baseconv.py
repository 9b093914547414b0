"""Stands in for the package python-baseconv, which has no wheel: py-multibase makes converters and nothing here uses one."""


class BaseConverter:
    """A base that is never converted."""

    def __init__(self, digits, sign="-"):
        self.digits, self.sign = digits, sign
