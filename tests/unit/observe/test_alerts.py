"""configs/alerts.yml: rules that Prometheus reads, about metrics that exist, each explained to whoever is woken."""

import re
import subprocess
from pathlib import Path

import pytest

from gateway.observe.metrics import Metrics

ROOT = Path(__file__).parents[3]
RULES = ROOT / "configs/alerts.yml"
ALERTS = re.findall(r"alert: (\w+)", RULES.read_text())


def test_promtool_reads_the_rules():
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_about_metrics_that_exist():
    names = set(re.findall(r"headwater_\w+", RULES.read_text()))
    exposed = {name for family in Metrics("0").registry.collect() for name in names_of(family.name, family.type)}

    assert names - exposed == set()


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_is_explained(alert: str):
    assert f"\n### {alert}\n" in (ROOT / "docs/operations.md").read_text()


def test_each_explanation_is_of_an_alert():
    assert re.findall(r"\n### (Headwater\w+)\n", (ROOT / "docs/operations.md").read_text()) == ALERTS


SERIES = """
rule_files: ["RULES"]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'headwater_queue_writable'
        values: '1 1 0x20'
      - series: 'headwater_queue_seconds_to_full'
        values: '+Inf+0x10 3600+0x20'
      - series: 'headwater_destination_dead_total{destination="crm",reason="rejected"}'
        values: '0 0 5+0x20'
      - series: 'headwater_ledger_unaccounted_events{destination="crm"}'
        values: '0x30'
    alert_rule_test:
      - {eval_time: 1m, alertname: HeadwaterRefusesEvents, exp_alerts: []}
      - {eval_time: 4m, alertname: HeadwaterRefusesEvents, exp_alerts: [EXPECT_FULL]}
      - {eval_time: 5m, alertname: HeadwaterQueueFillsUp, exp_alerts: []}
      - {eval_time: 5m, alertname: HeadwaterDoesNotAddUp, exp_alerts: []}
      - {eval_time: 1m, alertname: HeadwaterDeadLetters, exp_alerts: []}
"""
FULL = (
    "{exp_labels: {severity: page}, exp_annotations: {summary: New events are answered 503,"
    ' description: "The queue is full, or its disk is. `headwater status` says which."}}'
)


def test_a_full_queue_raises_an_alert_and_a_healthy_one_does_not(tmp_path: Path):
    scenario = tmp_path / "scenario.yml"
    scenario.write_text(SERIES.replace("RULES", str(RULES)).replace("EXPECT_FULL", FULL))

    done = subprocess.run(["promtool", "test", "rules", scenario], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def names_of(name: str, kind: str) -> list[str]:
    """The series of one metric."""
    if kind == "counter":
        return [f"{name}_total"]
    return [f"{name}_bucket", f"{name}_sum", f"{name}_count"] if kind == "histogram" else [name]
