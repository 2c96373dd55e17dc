import configparser
from pathlib import Path

from petrosa_site.stack.supervision import Program, configuration

LOGS = Path("/some/log")
RPC = Path("/some/rpc")


def written(*programs, **environment):
    parser = configparser.RawConfigParser()
    parser.read_string(configuration(programs, logs=LOGS, rpc=RPC, environment=environment))
    return parser


def program(name, *words):
    return Program(name, words or ("python", name), Path("/app"))


def order(parser):
    names = [s.split(":")[1] for s in parser.sections() if s.startswith("program:")]
    return sorted(names, key=lambda n: parser.getint(f"program:{n}", "priority"))


def test_what_takes_in_work_starts_last_and_so_stops_first():
    names = ("web", "signals", "nats", "worker", "redis", "beat", "userstream", "simulator")
    assert order(written(*map(program, names))) == [
        "redis",
        "nats",
        "simulator",
        "userstream",
        "web",
        "worker",
        "beat",
        "signals",
    ]


def test_a_crashed_process_is_started_again():
    assert written(program("web"))["program:web"]["autorestart"] == "true"


def test_a_worker_is_asked_alone_to_stop_so_that_its_children_finish():
    section = written(program("worker"))["program:worker"]
    assert "stopasgroup" not in section
    assert section["killasgroup"] == "true"


def test_logs_rotate():
    section = written(program("web"))["program:web"]
    assert section["stdout_logfile"] == "/some/log/web.log"
    assert section["stdout_logfile_maxbytes"] == "10MB"
    assert section["stdout_logfile_backups"] == "5"


def test_the_socket_is_for_its_owner_only():
    assert written()["unix_http_server"]["chmod"] == "0700"


def test_percent_signs_and_spaces_survive():
    parser = written(program("web", "python", "a b", "50%"), URL="redis://:p%40@h")
    assert parser["program:web"]["command"] == "python 'a b' 50%%"
    assert parser["supervisord"]["environment"] == 'URL="redis://:p%%40@h"'
