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

    def __init__(self, status_url=None):
        self._folder = Path(tempfile.mkdtemp(prefix="knack-interop-"))
        self._files = 0
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        self.did = self.succeed("init")["did"]
        if status_url:
            settings = self._folder / "home" / "config.toml"
            text = settings.read_text()
            settings.write_text(text.replace("[issuer]", f'[issuer]\nstatus_url = "{status_url}"'))

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

    def verify(self, document, *args):
        """`knack verify` of a text, or of a value written as JSON: its exit code and what it printed."""
        return self.run("verify", self.file(document), *args)

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
