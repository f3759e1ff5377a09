"""docker-compose.yml and the Dockerfile, as far as they can be checked without a Docker engine."""

import hashlib
import json
import mmap
import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from temporalio.envconfig import ClientConfigProfile

from service.settings import Settings

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "tests/data/compose-spec.json"
SCRIPTS = Path(sysconfig.get_path("scripts"))

COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
DEPLOYMENT = (ROOT / "docs/deployment.md").read_text()
SNIPPETS: list[str] = re.findall(r"^```yaml\n(.*?)^```", DEPLOYMENT, re.MULTILINE | re.DOTALL)
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

ONE_SHOTS = {"temporal-schema", "temporal-namespace", "migrate"}
LONG_RUNNING = {"postgres", "temporal", "api", "worker", "temporal-ui"}

# A variable with what Docker Compose makes of its absence: `:-` a default, `:?` an error.
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<text>[^}]*))?\}")
EXACT_TAG = re.compile(r"[a-z0-9][a-z0-9./_-]*:\d+(\.\d+)+(-[a-z0-9.]+)*")


def with_defaults(text: str) -> str:
    return VARIABLE.sub(lambda m: m["text"] if m["kind"] == "-" else "", text)


def environment(service: str) -> dict[str, str]:
    found: dict[str, str] = SERVICES[service].get("environment", {})
    return found


def image(service: str) -> str:
    return with_defaults(SERVICES[service]["image"])


def names_in_env_example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    found = [re.fullmatch(r"#?([A-Z_]+)=(.*)", line) for line in lines]
    return {match[1]: match[2] for match in found if match}


# --- what it is --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [COMPOSE, *SNIPPETS])
def test_it_is_a_compose_file(text: str) -> None:
    schema = json.loads(SCHEMA.read_text())
    checker = jsonschema.validators.validator_for(schema)
    checker.check_schema(schema)
    assert [error.message for error in checker(schema).iter_errors(yaml.safe_load(text))] == []


def test_the_schema_refuses_what_is_not_compose() -> None:
    schema = json.loads(SCHEMA.read_text())
    wrong = {"services": {"api": {"image": "headway", "depend_on": ["postgres"]}}}
    assert not jsonschema.validators.validator_for(schema)(schema).is_valid(wrong)


def test_the_schema_is_the_one_whose_origin_is_noted() -> None:
    noted = (SCHEMA.parent / "README.md").read_text()
    assert hashlib.sha256(SCHEMA.read_bytes()).hexdigest() in noted


def test_every_service_is_known_to_these_tests() -> None:
    assert set(SERVICES) == ONE_SHOTS | LONG_RUNNING


# --- images ------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_images_are_pinned(service: str) -> None:
    assert EXACT_TAG.fullmatch(image(service))


def test_base_images_are_pinned_and_one() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert EXACT_TAG.fullmatch(bases[0])


def test_the_image_is_this_version() -> None:
    version = PROJECT["project"]["version"]
    images = {name: image(name) for name in ("migrate", "api", "worker")}
    assert set(images.values()) == {f"headway:{version}"}
    for snippet in SNIPPETS:
        assert set(re.findall(r"image: .*headway:(\S+)", snippet)) == {version}


def test_the_engine_is_the_one_that_the_tests_run_on() -> None:
    said = subprocess.run(
        [SCRIPTS / "temporal", "--version"], check=True, capture_output=True, text=True
    ).stdout
    server, ui = re.findall(r"(?:Server|UI) ([\d.]+)", said)
    assert image("temporal") == f"temporalio/server:{server}"
    assert image("temporal-schema") == f"temporalio/admin-tools:{server}"
    assert image("temporal-namespace") == f"temporalio/admin-tools:{server}"
    assert image("temporal-ui") == f"temporalio/ui:{ui}"


def test_the_image_is_built_from_the_lock_and_runs_as_nobody() -> None:
    assert "pip install --require-hashes --only-binary :all: -r requirements/app.lock" in DOCKERFILE
    assert "pip install --no-deps --no-build-isolation" in DOCKERFILE
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    user = re.search(r"^USER (\d+):(\d+)$", last_stage, re.MULTILINE)
    assert user is not None
    assert "0" not in user.groups()


def test_the_build_gets_every_package_and_no_secret() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    found = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    packages = {name.rstrip("*") for name in found}
    files = {"pyproject.toml", "README.md", "LICENSE", "requirements/app.lock"}
    assert let_in == packages | files


# --- order -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "waits_for"),
    [
        ("postgres", set()),
        ("temporal-schema", {"postgres"}),
        ("temporal", {"temporal-schema"}),
        ("temporal-namespace", {"temporal"}),
        ("migrate", {"postgres"}),
        ("api", {"migrate"}),  # and not for the engine: a use case is accepted while it is down
        ("worker", {"migrate", "temporal-namespace"}),
        ("temporal-ui", {"temporal"}),
    ],
)
def test_order(service: str, waits_for: set[str]) -> None:
    found = SERVICES[service].get("depends_on", {})
    assert set(found) == waits_for
    for other, how in found.items():
        ended = "service_completed_successfully"
        assert how["condition"] == (ended if other in ONE_SHOTS else "service_healthy")


@pytest.mark.parametrize("service", sorted(LONG_RUNNING))
def test_what_runs_is_watched_and_restarted(service: str) -> None:
    assert SERVICES[service]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[service]["restart"] == "unless-stopped"


@pytest.mark.parametrize("service", sorted(ONE_SHOTS))
def test_what_ends_stays_ended(service: str) -> None:
    assert SERVICES[service]["restart"] == "no"
    assert "healthcheck" not in SERVICES[service]


def test_workers_can_be_many() -> None:
    assert not {"container_name", "ports", "hostname"} & set(SERVICES["worker"])
    assert SERVICES["worker"]["deploy"]["replicas"] == "${HEADWAY_WORKERS:-1}"


# --- secrets and reach -------------------------------------------------------------------------


@pytest.mark.parametrize("text", [COMPOSE, *SNIPPETS])
def test_no_secret_is_written_down(text: str) -> None:
    for service in yaml.safe_load(text)["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|PWD|SECRET|TOKEN|KEY|DATABASE_URL", name):
                without = VARIABLE.sub(lambda m: "" if m["kind"] == "?" else "literal", value)
                # All that may remain is an address around the password.
                assert without in {"", "postgresql://headway:@postgres:5432/headway"}, name


def test_each_password_goes_only_where_it_is_needed() -> None:
    owners = {
        "POSTGRES_PASSWORD": {"postgres"},
        "HEADWAY_DB_PASSWORD": {"postgres", "migrate", "api", "worker"},
        "TEMPORAL_DB_PASSWORD": {"postgres", "temporal-schema", "temporal"},
    }
    for password, expected in owners.items():
        found = {name for name in SERVICES if password in json.dumps(environment(name))}
        assert found == expected


def test_variables_are_documented_with_their_defaults() -> None:
    used = {m["name"]: (m["kind"], m["text"]) for m in VARIABLE.finditer(COMPOSE)}
    documented = names_in_env_example()
    assert set(used) == set(documented)
    for name, (kind, text) in used.items():
        assert kind in {"-", "?"}, name  # nothing may be silently empty
        assert documented[name] == (text if kind == "-" else ""), name


def test_only_the_edge_is_published_and_on_loopback() -> None:
    published = {name: SERVICES[name]["ports"] for name in SERVICES if "ports" in SERVICES[name]}
    assert set(published) == {"api", "temporal-ui"}
    for (port,) in published.values():
        assert with_defaults(port).startswith("127.0.0.1:")
    assert {name for name in SERVICES if "edge" in SERVICES[name]["networks"]} == set(published)
    assert yaml.safe_load(COMPOSE)["networks"]["backend"]["internal"] is True


@pytest.mark.parametrize("service", SERVICES)
def test_containers_may_do_little(service: str) -> None:
    found = SERVICES[service]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in found
    if service != "postgres":  # starts as root, to own its volume
        assert found["cap_drop"] == ["ALL"]
        assert found["read_only"] is True


# --- names that others define ------------------------------------------------------------------


@pytest.mark.parametrize("service", ["migrate", "api", "worker"])
def test_the_application_knows_its_variables(service: str) -> None:
    for name in environment(service):
        if name.startswith("HEADWAY_"):
            assert name.removeprefix("HEADWAY_").lower() in Settings.model_fields, name
    engine = {k: with_defaults(v) for k, v in environment(service).items() if "TEMPORAL" in k}
    profile = ClientConfigProfile.load(disable_file=True, override_env_vars=engine)
    assert profile.to_client_connect_config() == {
        "target_host": "temporal:7233",
        "namespace": "headway",
    }


@pytest.mark.starts
@pytest.mark.parametrize("service", ["migrate", "api", "worker"])
def test_the_command_exists(service: str) -> None:
    program, *arguments = SERVICES[service]["command"]
    subprocess.run([SCRIPTS / program, *arguments, "--help"], check=True, capture_output=True)


def test_the_engine_knows_its_variables() -> None:
    """The embedded server is the same release: its template of the configuration lies in it."""
    with (
        (SCRIPTS / "temporal").open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as server,
    ):
        own = {"BIND_ON_IP", *environment("temporal")}
        unknown = {name for name in own if server.find(f'env "{name}"'.encode()) < 0}
        keys = yaml.safe_load((ROOT / "deploy/temporal-dynamic-config.yaml").read_text())
        unknown |= {key for key in keys if server.find(key.encode()) < 0}
    assert unknown == set()


@pytest.mark.parametrize("service", SERVICES)
def test_mounted_files_exist(service: str) -> None:
    for volume in SERVICES[service].get("volumes", []):
        source = volume.partition(":")[0]
        assert source == "postgres" or (ROOT / source).is_file()


def test_the_databases_are_made_for_the_roles_that_use_them() -> None:
    made = (ROOT / "deploy/postgres-init.sql").read_text()
    owners = dict(re.findall(r"^CREATE DATABASE (\w+) OWNER (\w+);", made, re.MULTILINE))
    assert owners == {
        "headway": "headway",
        "temporal": environment("temporal")["POSTGRES_USER"],
        "temporal_visibility": environment("temporal-schema")["SQL_USER"],
    }
    for variable in re.findall(r"^\\getenv \w+ (\w+)$", made, re.MULTILINE):
        assert variable in environment("postgres")
