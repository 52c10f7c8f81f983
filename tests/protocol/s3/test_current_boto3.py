"""The current boto3 from PyPI, in a virtual environment of its own (TARN_VENV)."""
import os
import pathlib
import subprocess

import pytest


def test_current_boto3(tarn):
    venv = os.environ.get("TARN_VENV")
    python = pathlib.Path(venv or "") / "bin" / "python"
    if not venv or not python.exists():
        pytest.skip("TARN_VENV names no virtual environment with the current boto3")
    story = pathlib.Path(__file__).with_name("current_boto3_story.py")
    done = subprocess.run([python, story, tarn.endpoint, tarn.access_key, tarn.secret_key], capture_output=True, text=True,
                          env=tarn.client_env(), timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all of it worked" in done.stdout
