"""Runs a driver in Python: python run.py drivers/python/NAME.py JOB_AS_JSON."""

import json
import runpy
import sys

file, job = sys.argv[1:]
runpy.run_path(file)["run"](json.loads(job))
