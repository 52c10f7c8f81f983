"""The demo's alert catches more stock-outs, earlier, than a minimum-stock rule with as many false alarms."""
import pathlib
import re
import subprocess

import pytest

BUILD = pathlib.Path(__file__).resolve().parent.parent.parent / "build" / "release"
LINE = re.compile(r"caught\s+([\d.]+) %\s+4 h ahead\s+([\d.]+) %\s+median warning\s+([\d.]+) h\s+false a store and week ([\d.]+)")


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_better_than_a_minimum_stock(seed):
    subprocess.run(["ninja", "-C", str(BUILD), "tarn_models_stock_outs"], check=True, stdout=subprocess.DEVNULL)
    program = next(path for path in BUILD.rglob("tarn_models_stock_outs") if path.is_file())
    done = subprocess.run([str(program), "--seed", str(seed)], capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr
    found = [tuple(map(float, match.groups())) for match in LINE.finditer(done.stdout)]
    assert len(found) == 10, done.stdout
    caught, early, warning, false = found[0]
    rule_caught, rule_early, rule_warning, rule_false = found[1]
    assert false <= rule_false, done.stdout
    assert caught > rule_caught and early > rule_early and warning > rule_warning, done.stdout
    print(done.stdout)
