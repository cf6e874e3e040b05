"""The identity graph in a warehouse: evidence (what a load says) -> the rules -> graph (tables), read through views."""
