#!/usr/bin/env bash
# What to run on a machine with a CUDA GPU and no network, in this order: train the starter by
# minutes, then everything that only a GPU can show.
#
#   installers/gpu_run.sh OUT [TRAIN_SECONDS]
#
# OUT: a folder for what is to come back: starter/ (weights in files of 16 MiB; join them with
# `underpaint train-starter --join OUT/starter --out FOLDER`), gpu_check.json (written after every
# check), *.log. TRAIN_SECONDS: 270; 0 leaves the training out. Python with torch for CUDA has to be
# there (PYTHON, default python3); what it lacks is taken from wheels in WHEELS (.whl), which
# travel with the tree: diffusers and pyzmq at least, of the versions in installers/constraints.txt.
# The whole takes TRAIN_SECONDS + 4 minutes and some seconds for imports.
set -euo pipefail
cd "$(dirname "$0")/.."
OUT=${1:?usage: installers/gpu_run.sh OUT [TRAIN_SECONDS]}
TRAIN_SECONDS=${2:-270}
PYTHON=${PYTHON:-python3}
WHEELS=${WHEELS:-.whl}
mkdir -p "$OUT"
export PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false
export PYTHONPATH="$PWD/protocol:$PWD/daemon"
if compgen -G "$WHEELS/*.whl" >/dev/null; then
    SITE=$(mktemp -d)
    "$PYTHON" -m pip install -q --no-index --no-deps --no-compile --target "$SITE" "$WHEELS"/*.whl
    export PYTHONPATH="$PYTHONPATH:$SITE"
fi
"$PYTHON" -c 'import torch, diffusers, zmq; assert torch.cuda.is_available(), "no CUDA device"; print(torch.__version__, torch.cuda.get_device_name())'

if [ "$TRAIN_SECONDS" != 0 ]; then
    # The check below is worth its minutes even when the training ends badly.
    "$PYTHON" -m underpaint_daemon train-starter --deadline "$TRAIN_SECONDS" \
        --work "$(mktemp -d)" --out "$OUT/starter" 2>&1 | tee "$OUT/training.log" ||
        echo "the training ended badly: see $OUT/training.log" >&2
fi
code=0
"$PYTHON" -m underpaint_daemon gpu-check --device cuda --out "$OUT/gpu_check.json" --json \
    2>"$OUT/gpu_check.log" || code=$?
tail -3 "$OUT/gpu_check.log" >&2
exit $code
