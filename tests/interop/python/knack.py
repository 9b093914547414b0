"""The program under test, as a person uses it; and what the tests in Python share with those in JavaScript."""

import atexit
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

PROGRAM = os.environ["KNACK"]  # set by tests/interop/run
TIMEOUT_SECONDS = 30
INTEROP = Path(__file__).parent.parent
VECTORS = INTEROP.parent.parent / "protocol" / "vectors"

NOT_VERIFIED = 3
"""Exit code of `knack verify` for what is not verified."""


class Home:
    """A home of its own, in a folder that goes with the process."""

    def __init__(self, status_url=None, replica=None):
        self._folder = Path(tempfile.mkdtemp(prefix="knack-interop-"))
        self._files = 0
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        self.did = self.succeed("init")["did"]
        if status_url:
            self._set("[issuer]", f'[issuer]\nstatus_url = "{status_url}"')
        if replica:
            self._set('replica = "auto"', f'replica = "{replica}"')

    def _set(self, line, lines):
        """Replaces a line of the settings, which must be there."""
        settings = self._folder / "home" / "config.toml"
        text = settings.read_text()
        assert line in text, text
        settings.write_text(text.replace(line, lines))

    def run(self, *args):
        """Runs a command: its exit code, and what it printed as JSON."""
        command = [PROGRAM, "--home", self._folder / "home", "--json", *args]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else done.stderr

    def succeed(self, *args):
        """What a command printed that must not fail."""
        status, output = self.run(*args)
        assert status == 0, f"knack {args}: {output}"
        return output

    def issue(self, subject, *args):
        """The text of a credential about `subject`, signed here."""
        file = self.file("")
        self.succeed("issue", "--to", subject, "--out", file, *args)
        return file.read_text().strip()

    def up(self, *bootstrap):
        """Runs this home's node on loopback until the process ends; the `bootstrap` are addresses of others."""
        dialled = [part for address in bootstrap for part in ("--bootstrap", address)]
        return Node([PROGRAM, "--home", self._folder / "home", "up", "--listen", "/ip4/127.0.0.1/tcp/0", *dialled])

    def verify(self, document, *args):
        """`knack verify` of a text, or of a value written as JSON, asking nobody: its exit code and what it printed."""
        return self.run("verify", "--offline", self.file(document), *args)

    def hold(self, credential):
        """Imports a credential."""
        self.succeed("import", self.file(credential))

    def present(self, challenge, domain, *args):
        """`knack present` of all that this home holds: the presentation."""
        [row] = self.succeed("present", "--challenge", challenge, "--domain", domain, *args)
        return row["presentation"]

    def status_lists(self):
        """This home's status lists, signed now, by their URLs."""
        folder = tempfile.mkdtemp(dir=self._folder)
        lists = self.succeed("status-list", "export", "--out", folder)
        return {row["url"]: json.loads(Path(row["file"]).read_text()) for row in lists}

    def file(self, content):
        """A new file with a text, or with a value written as JSON."""
        self._files += 1
        file = self._folder / str(self._files)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    def tampered(self, text, stranger):
        """Every change of the table in tampering.mjs that can be made to `text`, by its name."""
        command = ["node", INTEROP / "tampering.mjs", self.file(text), stranger]
        return dict(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))


class Node:
    """A node that runs: its `address`, with its peer id `id`."""

    def __init__(self, command):
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        atexit.register(self._process.kill)
        lines = list(iter(self._process.stdout.readline, "ready\n")) if self._process.poll() is None else []
        assert lines, self._process.stderr.read()
        self.address = lines[0].strip()
        self.id = self.address.split("/p2p/")[1]

    def memory(self):
        """The bytes of memory that it has now, where the system tells; else 0."""
        file = Path(f"/proc/{self._process.pid}/statm")
        return int(file.read_text().split()[1]) * 4096 if file.exists() else 0

    def stop(self):
        """Ends it, cleanly, having said nothing of a panic."""
        self._process.terminate()
        _, said = self._process.communicate(timeout=TIMEOUT_SECONDS)
        assert self._process.returncode == 0, said
        assert "panicked" not in said, said


def cases(table):
    """Makes of a method with arguments one test for each row of `table`, named after its first argument."""

    def decorate(method):
        method.table = table
        return method

    return decorate


def expand(suite):
    """Class decorator: adds the tests of `cases`."""
    for name, method in list(vars(suite).items()):
        for row in getattr(method, "table", ()):
            test = lambda self, method=method, row=row: method(self, *row)  # noqa: E731
            label = re.sub(r"\W+", "_", f"{name} {row[0]}")
            setattr(suite, f"test_{label}", test)
    return suite
