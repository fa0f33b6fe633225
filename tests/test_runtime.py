"""What ``netlet.show_runtime()`` and ``python -m netlet`` say, with and without the C++ extension."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import io
import json
import os
import subprocess
import sys
import types

import pytest

import netlet
from netlet import __main__ as command_line
from netlet import runtime
from netlet._version import __version__
from netlet.backends import available_backends


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in runtime.VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def without_native(monkeypatch):
    monkeypatch.setitem(sys.modules, "netlet._native", None)


@pytest.fixture
def with_native(monkeypatch):
    """A stand-in for the extension of a machine with AVX-512."""
    native = types.ModuleType("netlet._native")
    native.__spec__ = importlib.machinery.ModuleSpec("netlet._native", None)
    native.isa_detected = lambda: "avx512"  # type: ignore[attr-defined]
    native.isa_in_use = lambda: "avx512"  # type: ignore[attr-defined]
    native.isas_available = lambda: ["baseline", "avx2", "avx512"]  # type: ignore[attr-defined]
    native.openmp_description = lambda: "OpenMP 201511"  # type: ignore[attr-defined]
    native.default_threads = lambda: 12  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "netlet._native", native)
    return native


def shown() -> dict[str, str]:
    """The printed lines as name to text."""
    out = io.StringIO()
    runtime.show_runtime(out)
    lines = out.getvalue().splitlines()
    return {line.split()[0]: line.strip().partition(" ")[2].strip() for line in lines}


def test_info_is_plain_data_with_the_documented_keys():
    info = runtime.runtime_info()
    assert json.loads(json.dumps(info)) == info
    keys = "version python numpy platform cpu backend backend_reason backends isa threads openmp cuda environment"
    assert list(info) == keys.split()
    assert info["version"] == __version__
    assert info["backends"]["numpy"] is None
    assert info["backends"][info["backend"]] is None  # the default is one that is available
    assert info["environment"] == {}


def test_without_the_extension_it_says_so_and_what_serves_instead(without_native):
    info = runtime.runtime_info()
    assert info["backend"] in ("numba", "numpy")
    assert "netlet._native is not installed" in info["backends"]["native"]
    assert info["isa"] == {"in_use": None, "detected": None, "available": [], "reason": runtime.NEEDS_NATIVE}
    assert shown()["native"].startswith("no: the compiled extension")
    assert shown()["isa"] == shown()["openmp"] == "none without the native backend"


def test_with_the_extension_it_says_what_that_found(with_native):
    info = runtime.runtime_info()
    assert info["backend"] == "native"
    assert info["isa"]["in_use"] == "avx512"
    assert info["threads"]["default"] == 12
    text = shown()
    assert text["native"] == "available"
    assert text["isa"] == ("avx512 (the best of this processor; detected avx512; available baseline, avx2, avx512)")
    assert text["openmp"] == "OpenMP 201511"


def test_the_peak_is_measured_where_it_is_asked_for(capsys):
    if "native" not in available_backends():
        pytest.skip("the C++ extension is not installed")
    assert command_line.main(["info", "--json", "--peak"]) == 0
    info = json.loads(capsys.readouterr().out)
    peaks, away = info["peak"], info["round_trip"]
    assert away is None or 1e-8 < away < 1e-4, "from two threads of one core to two that wait for one"
    assert list(peaks) == ["float32", "float64"]
    # half as many elements to a register; twice the room that noise could need
    assert 1 < peaks["float32"]["1"] / peaks["float64"]["1"] < 4
    assert command_line.main(["info", "--peak"]) == 0
    assert "GFLOP/s of multiply-adds" in capsys.readouterr().out


def test_the_peak_of_each_instruction_set_and_what_it_refuses():
    if "native" not in available_backends():
        pytest.skip("the C++ extension is not installed")
    for isa in runtime.runtime_info()["isa"]["available"]:
        assert runtime.fma_peak("float32", 1, isa, seconds=0.005) > 0.5
    for arguments in ({"dtype": "int8"}, {"num_threads": 0}, {"isa": "sse9"}, {"seconds": 0.0}, {"seconds": 1e9}):
        with pytest.raises(ValueError):
            runtime.fma_peak(**arguments)


def test_there_is_no_peak_without_the_extension(without_native, capsys):
    assert runtime.fma_peak() is None and runtime.round_trip() is None
    assert command_line.main(["info", "--peak"]) == 0
    assert any(line.split() == ["peak", *runtime.NEEDS_NATIVE.split()] for line in capsys.readouterr().out.splitlines())


def test_isa_says_what_chose_it(with_native, monkeypatch):
    with_native.isa_in_use = lambda: "avx2"
    monkeypatch.setenv("NETLET_ISA", "avx2")
    assert shown()["isa"].startswith("avx2 (NETLET_ISA=avx2; detected avx512;")


def test_wrong_isa_is_reported_not_raised(with_native, monkeypatch):
    def refuse():
        raise ValueError("NETLET_ISA: unknown instruction set 'sse9'")

    with_native.isa_in_use = refuse
    monkeypatch.setenv("NETLET_ISA", "sse9")
    assert shown()["isa"].startswith("error: NETLET_ISA: unknown instruction set 'sse9'")


def test_extension_that_does_not_load_is_reported_with_its_error(monkeypatch):
    class Broken(importlib.abc.MetaPathFinder, importlib.abc.Loader):
        def find_spec(self, fullname, path, target=None):
            return importlib.machinery.ModuleSpec(fullname, self) if fullname == "netlet._native" else None

        def create_module(self, spec):
            raise ImportError("libgomp.so.1: cannot open shared object file")

        def exec_module(self, module):
            raise AssertionError("not reached")

    monkeypatch.delitem(sys.modules, "netlet._native", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    info = runtime.runtime_info()
    expected = "netlet._native cannot be loaded: libgomp.so.1: cannot open shared object file"
    assert info["backends"]["native"] == expected


def test_backend_of_the_environment_is_named_as_the_reason(monkeypatch):
    monkeypatch.setenv("NETLET_BACKEND", "numpy")
    info = runtime.runtime_info()
    assert (info["backend"], info["backend_reason"]) == ("numpy", "NETLET_BACKEND=numpy")
    assert info["environment"] == {"NETLET_BACKEND": "numpy"}
    assert shown()["environment"] == "NETLET_BACKEND=numpy"


def test_wrong_backend_is_reported_not_raised(monkeypatch):
    monkeypatch.setenv("NETLET_BACKEND", "nump")
    assert runtime.runtime_info()["backend"] is None
    assert shown()["backend"].startswith("none (NETLET_BACKEND: unknown backend 'nump'. Did you mean 'numpy'?")


def test_unavailable_backend_is_reported_not_raised(without_native, monkeypatch):
    monkeypatch.setenv("NETLET_BACKEND", "native")
    info = runtime.runtime_info()
    assert info["backend"] is None
    assert info["backend_reason"].startswith("NETLET_BACKEND=native: the compiled extension")


def test_threads_of_the_environment(without_native, monkeypatch):
    monkeypatch.setenv("NETLET_NUM_THREADS", "3")
    threads = runtime.runtime_info()["threads"]
    assert (threads["default"], threads["reason"], threads["environment"]) == (3, "NETLET_NUM_THREADS=3", "3")


def test_wrong_thread_number_is_reported_not_raised(monkeypatch):
    monkeypatch.setenv("NETLET_NUM_THREADS", "many")
    threads = runtime.runtime_info()["threads"]
    assert threads["default"] is None
    assert shown()["threads"] == "unknown (NETLET_NUM_THREADS: expected a positive integer, got 'many')"


def test_threads_follow_the_affinity_mask_and_the_quota(without_native, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(runtime, "cgroup_quota", lambda: None)
    threads = runtime.runtime_info()["threads"]
    assert threads["default"] == 6
    assert threads["reason"] == "the affinity mask has 6 of 8 processors; no control group quota"
    monkeypatch.setattr(runtime, "cgroup_quota", lambda: 4)
    threads = runtime.runtime_info()["threads"]
    assert (threads["default"], threads["cgroup_quota"]) == (4, 4)
    assert threads["reason"] == "the control group's quota; the affinity mask has 6 of 8 processors"


@pytest.mark.parametrize(
    ("membership", "files", "quota"),
    [
        ("0::/box/inner\n", {"box/cpu.max": "250000 100000\n", "box/inner/cpu.max": "max 100000\n"}, 3),
        ("0::/box\n", {"box/cpu.max": "50000 100000\n", "cpu.max": "400000 100000\n"}, 1),
        ("0::/not/mounted\n", {"cpu.max": "200000 100000\n"}, 2),
        ("4:cpu,cpuacct:/a\n1:memory:/b\n", {"cpu,cpuacct/a/cpu.cfs_quota_us": "150000\n",
                                             "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n"}, 2),
        ("4:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "300000\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 3),
        ("4:cpu:/a\n", {"cpu/a/cpu.cfs_quota_us": "-1\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, None),
        ("1:memory:/a\n", {"memory/a/cpu.max": "100000 100000\n"}, None),
        ("0::/box\n", {"box/cpu.max": "nonsense\n"}, None),
        ("not a cgroup file\n", {}, None),
    ],
)  # fmt: skip
def test_cgroup_quota_is_the_tightest_rounded_up(tmp_path, membership, files, quota):
    mount = tmp_path / "cgroup"
    for name, text in files.items():
        path = mount / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    listing = tmp_path / "membership"
    listing.write_text(membership)
    assert runtime.cgroup_quota(listing, mount) == quota


def test_cgroup_quota_where_there_are_no_control_groups(tmp_path):
    assert runtime.cgroup_quota(tmp_path / "absent", tmp_path) is None


def test_show_runtime_prints_to_stdout_by_default(capsys):
    netlet.show_runtime()
    assert capsys.readouterr().out.startswith("netlet ")


def test_command_line_info(capsys):
    assert command_line.main(["info"]) == 0
    text = capsys.readouterr().out
    for name in ("netlet", "python", "numpy", "backend", "native", "numba", "isa", "threads", "openmp", "cuda"):
        assert f"\n{name} " in "\n" + text.replace("\n  ", "\n")


def test_command_line_info_as_json(capsys):
    assert command_line.main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == runtime.runtime_info()


def test_command_line_info_fails_where_nothing_can_serve(capsys, monkeypatch):
    monkeypatch.setenv("NETLET_BACKEND", "tpu")
    assert command_line.main(["info"]) == 1
    assert "unknown backend 'tpu'" in capsys.readouterr().out


def test_command_line_without_a_command_is_help(capsys):
    assert command_line.main([]) == 0
    text = capsys.readouterr().out
    assert "usage: python -m netlet" in text
    assert "what Netlet runs on here" in text


def test_command_line_refuses_an_unknown_command(capsys):
    with pytest.raises(SystemExit) as error:
        command_line.main(["inform"])
    assert error.value.code == 2
    assert "invalid choice: 'inform'" in capsys.readouterr().err


def test_command_line_version(capsys):
    with pytest.raises(SystemExit) as error:
        command_line.main(["--version"])
    assert error.value.code == 0
    assert capsys.readouterr().out == f"netlet {__version__}\n"


def test_python_dash_m_netlet_runs(monkeypatch):
    monkeypatch.setenv("NETLET_BACKEND", "numpy")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "netlet", "info"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "NETLET_BACKEND=numpy" in done.stdout
    assert done.stderr == ""
