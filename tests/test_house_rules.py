"""Rules about the repository itself: who imports whom, what locks say, what no file may say."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from setuptools import find_packages

ROOT = Path(__file__).parent.parent
LOCKS = sorted(ROOT.glob("requirements/*.lock"))
REQUIREMENT = re.compile(
    r"[a-z0-9][a-z0-9._-]*==[0-9a-z.+!]+( ; [^\\]+)? \\\n"
    r"(    --hash=sha256:[0-9a-f]{64} \\\n)*    --hash=sha256:[0-9a-f]{64}\n"
)
"""A pinned name, perhaps a marker, and nothing but hashes after it."""
LOCATION = re.compile(r"://|@|\bfile:|^\s*-(?!-hash)|--(?!hash=)|^[./~]", re.MULTILINE)


def tracked() -> list[Path]:
    """Every file under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_imports_run_one_way() -> None:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    linted = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert linted.returncode == 0, linted.stdout + linted.stderr
    kept = re.search(r"Contracts: (\d+) kept, 0 broken", linted.stdout)
    assert kept, linted.stdout
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert int(kept[1]) == len(settings["tool"]["importlinter"]["contracts"]) > 0


def test_nobody_outside_a_word_imports_its_tables() -> None:
    """What others need, its store or its rules offer by a name."""
    found = []
    for file in tracked():
        room, word = (*file.relative_to(ROOT).parts, "")[:2]
        if file.suffix != ".py" or room in {"tests", "benchmarks"}:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            owner = re.fullmatch(r"service\.(\w+)\.tables", module)
            if owner and (room, word) != ("service", owner[1]):
                found.append(f"{file.relative_to(ROOT)} imports {module}")

    assert found == []


def test_there_is_a_lock_for_the_app_and_one_for_its_development() -> None:
    assert [lock.name for lock in LOCKS] == ["app.lock", "dev.lock"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_everything_with_hashes_and_names_no_place(lock: Path) -> None:
    text = lock.read_text()

    assert LOCATION.findall(text) == []
    assert REQUIREMENT.sub("", text) == "", "only requirements, each with a hash"
    assert len(REQUIREMENT.findall(text)) > 20


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://index.example/root",
        "-i https://index.example/root",
        "--find-links wheels",
        "--extra-index-url=x",
        "-e .",
        "./wheels/a.whl",
        "a @ file:///a.whl",
        "a @ git+ssh:x",
    ],
)
def test_what_would_name_a_place_is_recognised(line: str) -> None:
    assert LOCATION.search(f"a==1 \\\n    --hash=sha256:{'0' * 64}\n{line}\n")
    assert REQUIREMENT.sub("", f"{line}\n")


def test_dependencies_without_a_pinned_hash_are_recognised() -> None:
    assert REQUIREMENT.fullmatch(f"a==1 \\\n    --hash=sha256:{'0' * 64}\n")
    assert not REQUIREMENT.search("a==1\n")
    assert not REQUIREMENT.search("a==1 \\\n    --hash=md5:0\n")


def forbidden() -> re.Pattern[str]:
    """Paths of the machine this was written on or is tested on, and hosts of package indexes."""
    slash, dot = "/", r"\."
    folders = {slash + "work" + slash + name for name in ("main", "shared")}
    if len(ROOT.parts) > 2:
        folders.add(str(ROOT))
    if len(Path.home().parts) > 2:
        folders.add(str(Path.home()))
    paths = "|".join(re.escape(folder) for folder in sorted(folders))
    hosts = dot.join(["pypi", "org"]) + "|" + dot.join(["python" + "hosted", "org"])
    index = "https?:" + slash * 2 + r"[^\s\"'<>]+" + slash + r"simple\b"
    return re.compile(rf"(?<![\w.])(?:{paths})(?![\w-])|{hosts}|{index}")


def test_no_file_names_a_path_of_this_machine_or_the_host_of_a_package_index() -> None:
    pattern = forbidden()
    found = []
    for file in tracked():
        if not file.is_file():
            continue
        for number, line in enumerate(file.read_bytes().split(b"\n"), start=1):
            if pattern.search(line.decode("utf-8", "replace")):
                found.append(f"{file.relative_to(ROOT)}:{number}")

    assert found == []


def test_what_no_file_may_name_is_recognised() -> None:
    pattern = forbidden()

    here = "/".join(["", "work", "main", "service"])
    index = "https://" + "index.example" + "/simple" + "/"
    for text in (f"see {here}/x.py", f"'{index}'", "files.python" + "hosted.org"):
        assert pattern.search(text), text
    for text in ("a simple thing", "network/main", "https://example.com/simpler", "../shared/data"):
        assert not pattern.search(text), text


def test_every_package_and_its_data_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    not_installed = {"tests", "benchmarks"}
    there = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for file in tracked()
        if file.name == "__init__.py" and file.relative_to(ROOT).parts[0] not in not_installed
    }
    installed = find_packages(str(ROOT), include=settings["packages"]["find"]["include"])
    data = {
        file
        for package, patterns in settings["package-data"].items()
        for folder in (there if package == "*" else [package])
        for pattern in patterns
        for file in ROOT.joinpath(*folder.split(".")).glob(pattern)
    }

    assert set(installed) == there
    shipped = {".toml", ".html", ".css", ".js"}
    assert {
        file
        for file in tracked()
        if file.suffix in shipped
        and file.parent != ROOT
        and file.relative_to(ROOT).parts[0] not in not_installed
    } <= data
