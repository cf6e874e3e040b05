"""Edges and identifiers as rows of the graph's tables, and back."""

from collections.abc import Sequence
from typing import Any

from gateway.identity import Claim, Link, Moment
from gateway.model.person import Identifier

CLAIM = ("anonymous_id", "claimant_type", "claimant", "us", "message_id", "cause")
EDGE = ("left_type", "left_value", "right_type", "right_value", "us", "message_id", "cause")
"""A link; a claim too, where both are kept together."""


def claim_of(row: Sequence[Any]) -> Claim:
    """From the columns of CLAIM."""
    return Claim(row[0], Identifier(row[1], row[2]), Moment(row[3], row[4]), row[5])


def link_of(row: Sequence[Any]) -> Link:
    """From the columns of EDGE."""
    return Link(Identifier(row[0], row[1]), Identifier(row[2], row[3]), Moment(row[4], row[5]), row[6])


def edge_columns(edges: Sequence[Claim | Link]) -> dict[str, list[Any]]:
    """To the columns of EDGE."""
    ends = [edge.identifiers for edge in edges]
    return {
        "left_type": [left.type for left, _ in ends],
        "left_value": [left.value for left, _ in ends],
        "right_type": [right.type for _, right in ends],
        "right_value": [right.value for _, right in ends],
        "us": [edge.at.us for edge in edges],
        "message_id": [edge.at.message_id for edge in edges],
        "cause": [edge.cause for edge in edges],
    }


def identifier_columns(identifiers: Sequence[Identifier]) -> dict[str, list[str]]:
    """`kind` and `value`; one row that is nobody's where there is none."""
    return {
        "kind": [each.type for each in identifiers] or [""],
        "value": [each.value for each in identifiers] or [""],
    }
