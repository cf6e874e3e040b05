"""dist/ is what src/ builds to, to the byte. Needs the build tools: `npm ci` in gateway/script."""

import shutil
import subprocess
from pathlib import Path

import gateway.script

SCRIPT = Path(gateway.script.__file__).parent
NODE = shutil.which("node") or "node"


def test_a_build_gives_the_committed_bytes(tmp_path: Path):
    subprocess.run([NODE, "build.mjs", str(tmp_path)], cwd=SCRIPT, check=True, capture_output=True)

    built = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    committed = {file.name: file.read_bytes() for file in (SCRIPT / "dist").iterdir()}
    assert built == committed, "run `npm run build` in gateway/script and commit dist/"


def test_the_types_are_sound():
    tsc = SCRIPT / "node_modules" / "typescript" / "bin" / "tsc"

    checked = subprocess.run([NODE, str(tsc), "--noEmit"], cwd=SCRIPT, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stdout) == (0, "")
