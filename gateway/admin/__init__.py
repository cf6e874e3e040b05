"""The operator's listener: metrics, health, and what the command line asks.

Imports model, config, observe, queue and deliver's status.
"""
