import shlex
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from foundation import liveness
from petrosa_site import celery
from petrosa_site.stack import procfile, supervision

ROOT = Path(__file__).resolve().parents[3]
PROCESSES = procfile.read(ROOT / "Procfile")
FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
COMPOSE, CONFIGS = FILE["services"], FILE["configs"]
NOT_PROCESSES = {"postgres", "redis", "nats", "migrate"}
ALLOWED = {
    "web",
    "worker",
    "exits",
    "exits2",
    "guard",
    "standby",
    "analysis",
    "backtests",
    "beat",
    "signals",
    "userstream",
    "market",
    "strategies",
    "simulator",
}


def test_names_are_those_of_the_product():
    assert {process.name for process in PROCESSES} <= ALLOWED


def test_compose_runs_what_the_procfile_lists():
    assert set(COMPOSE) - NOT_PROCESSES == {process.name for process in PROCESSES}


def test_each_has_its_place_at_the_start():
    assert {process.name for process in PROCESSES} <= set(supervision.START_ORDER)


@pytest.fixture(scope="module")
def tasks() -> set[str]:
    celery.app.loader.import_default_modules()
    return set(celery.app.tasks)


def queue_of(task: str) -> str:
    route = celery.app.amqp.router.route({}, task, args=(), kwargs={})
    return str(route["queue"].name) if "queue" in route else "celery"


def test_every_queue_has_a_worker(tasks):
    served = {"celery"} | {
        process.words[process.words.index("-Q") + 1]
        for process in PROCESSES
        if "-Q" in process.words
    }
    assert {queue_of(task) for task in tasks} == served


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("signals.act_on", "celery"),
        ("signals.act_on_some", "celery"),
        ("signals.exit", "exits"),
        ("signals.sweep_exits", "exits"),
        ("trading.protect", "exits"),
        ("trading.watch_protection", "exits"),
        ("trading.reconcile", "exits"),
        ("trading.empty", "exits"),
        ("trading.sweep_stops", "exits"),
        ("signals.run_technical", "analysis"),
        ("history.repair", "analysis"),
        ("history.repair_one", "backtests"),
        ("backtests.run", "backtests"),
        ("backtests.run_trial", "backtests"),
    ],
)
def test_what_takes_long_is_in_nobodys_way(tasks, task, queue):
    assert task in tasks
    assert queue_of(task) == queue


@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.name)
def test_compose_uses_the_same_command(process):
    assert tuple(COMPOSE[process.name]["command"]) == process.words


@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.name)
def test_every_management_command_exists(process):
    command = process.management_command
    assert command is None or command in get_commands()


@pytest.mark.parametrize("name", sorted(COMPOSE))
def test_containers_have_no_rights_to_spare(name):
    service = COMPOSE[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", sorted(set(COMPOSE) - {"migrate"}))
def test_every_service_has_a_health_check(name):
    assert COMPOSE[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(COMPOSE))
def test_logs_do_not_fill_the_disk(name):
    assert set(COMPOSE[name]["logging"]["options"]) == {"max-size", "max-file"}


def test_no_read_only_service_has_inline_configuration():
    """Compose copies it into the container, which a read-only root refuses."""
    assert all("content" not in config for config in CONFIGS.values())
    assert all((ROOT / config["file"]).is_file() for config in CONFIGS.values())


def test_every_process_whose_silence_counts_is_expected():
    expected = COMPOSE["web"]["environment"]["EXPECTED_PROCESSES"].split(",")

    assert set(expected) == set(COMPOSE) & set(liveness.WATCHED)


def test_every_watched_queue_is_served():
    assert set(settings.WATCHED_QUEUES) == set(liveness.WATCHED) & {"worker", "exits"} & set(
        COMPOSE
    )


def test_ports_are_open_on_this_machine_only():
    ports = [port for service in COMPOSE.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_a_line_that_is_no_process_is_named(tmp_path):
    path = tmp_path / "Procfile"
    path.write_text("web: python manage.py serve\nnonsense\n")
    with pytest.raises(ValueError, match="Procfile:2"):
        procfile.read(path)


def test_a_name_may_come_once(tmp_path):
    path = tmp_path / "Procfile"
    path.write_text("web: a b\nweb: c d\n")
    with pytest.raises(ValueError, match="web is there twice"):
        procfile.read(path)


def test_commands_run_with_this_very_python():
    python, celery = (
        procfile.Process("x", tuple(shlex.split(words))).runnable()
        for words in ("python manage.py serve", "celery -A petrosa_site beat")
    )
    assert python[1:] == ("manage.py", "serve")
    assert celery[:3] == (python[0], "-m", "celery")
