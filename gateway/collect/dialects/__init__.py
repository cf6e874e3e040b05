"""Requests that are not Segment's, turned into Segment's events: one file for each dialect.

A dialect is a pure function from an inflated body and a query to a `Translation`; everything after it (judging, the
source, the queue) is what Segment's own requests go through. Nothing here raises for what a client sent.
"""
