# make demo            the whole pipeline, steps 1 to 5, on a built-in synthetic data set
# make test            the tests
# make env             the environment alone; the two above call it
# make lint            ruff
# make clean-demo      forget the demo's results, so that the next make demo starts anew

# Python 3.10 or 3.11; another one by make PYTHON=...
PYTHON ?= $(shell for p in python3.11 python3.10 python3; do $$p -c '' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
DEMO ?= demo
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CONFIG := cldetection_configs/demo_hrnet-w18s_udp-1xb8-192x240.py

# Wheels alone, so that no compiler is needed; xtcocotools has none for Python 3.12.
ONLY_WHEELS := $(shell $(PYTHON) -c 'import sys; print("--only-binary=:all:" + " --no-binary=xtcocotools" * (sys.version_info >= (3, 12)))')

.PHONY: env demo test lint clean-demo

env: $(STAMP)

$(STAMP): requirements.txt requirements-mmpose.txt mmpose_package/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip setuptools wheel
	$(BIN)/python -m pip install $(ONLY_WHEELS) -r requirements.txt
	$(BIN)/python -m pip install --only-binary=:all: --no-deps -r requirements-mmpose.txt
	$(BIN)/python -m pip install --no-deps -e mmpose_package
	touch $(STAMP)
