"""docs/metrics.md names every metric, and no other; promtool finds nothing to say against them."""

import re
import subprocess
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.metrics import MetricWrapperBase

from gateway.observe.metrics import Metrics

DOCUMENT = Path(__file__).parents[3] / "docs/metrics.md"
_ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
SUFFIX = {"counter": "_total"}


def exposed() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Every metric: its kind and its labels. What has labels but no values yet is exposed all the same."""
    metrics = Metrics("0")
    ours = {each._name: each._labelnames for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)}
    ours["headwater_build_info"] = ("version",)
    return {
        family.name + SUFFIX.get(family.type, ""): (family.type, ours.get(family.name, ()))
        for family in metrics.registry.collect()
    }


def documented() -> dict[str, tuple[str, tuple[str, ...]]]:
    rows = _ROW.findall(DOCUMENT.read_text())
    return {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def test_each_of_our_metrics_is_documented_with_its_kind_and_labels():
    ours = {name: facts for name, facts in exposed().items() if name.startswith("headwater_")}

    assert {name: documented().get(name) for name in ours} == ours


def test_each_of_the_processs_metrics_is_documented():
    assert set(exposed()) - set(documented()) == set()


def test_no_metric_is_documented_that_does_not_exist():
    assert set(documented()) - set(exposed()) == set()


def test_promtool_has_no_complaint_about_the_names():
    metrics = Metrics("0.1.0")
    for each in vars(metrics).values():
        if isinstance(each, MetricWrapperBase) and each._labelnames:
            each.labels(*("x" for _ in each._labelnames))

    done = subprocess.run(
        ["promtool", "check", "metrics"], input=generate_latest(metrics.registry), capture_output=True, check=False
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
