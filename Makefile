# make demo            the whole pipeline, steps 1 to 5, on a built-in synthetic data set
# make clean-demo      removes what make demo has made, the environment apart
# make test            ruff and the tests
# make fuzz            readers on files of changed structure, MINUTES=10 of them, other ones each time
# make test-page       the pages in a real browser; root on Debian is given one where there is none
# make test-container  step 6 with a real container engine, with PyTorch and without (needs the demo's model)
# make env             the environment alone; all of the above call it, and a second call does nothing

# The newest of those that everything was tried on; another one by make PYTHON=...
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.10 python3; do $$p -c '' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
DEMO ?= demo
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CONFIG := cldetection_configs/demo_hrnet-w18s_udp-1xb4-30e-192x224.py

# make env TORCH_INDEX=URL takes PyTorch from there: its index of CPU builds makes 1.5 GB of the 6.
TORCH_INDEX ?=
export UV_HTTP_TIMEOUT ?= 300
UV := $(shell command -v uv || echo $(BIN)/uv)
# Wheels alone, so that no compiler is needed.
WHEELS := --only-binary=:all:
PACKAGES := -r requirements.txt -r requirements-mmpose.txt
# Quiet: it would list two hundred downloads. Warnings and errors it shows all the same.
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: env demo clean-demo test fuzz test-page test-container

MINUTES ?= 10
SCRIPTS = $(wildcard *.sh */*.sh */*/*.sh) .ci/run

env: $(STAMP)

# uv resolves MMPose with the rest and is several times faster. Where it fails, as behind a mirror that only pip's settings
# name, pip installs the same versions, MMPose without the dependencies that cannot be built.
$(STAMP): requirements.txt requirements-mmpose.txt requirements-override.txt mmpose_package/pyproject.toml
	@echo 'Installing PyTorch, MMPose and the rest into $(VENV): a download of some minutes, and up to 6 GB of the disk'
	$(PYTHON) -m venv $(VENV)
	@command -v $(UV) > /dev/null || $(PIP) install $(WHEELS) uv
	@$(UV) pip install --quiet --python $(BIN)/python --only-binary :all: --override requirements-override.txt $(PACKAGES) \
	    $(if $(TORCH_INDEX),--index $(TORCH_INDEX) --index-strategy unsafe-best-match) || { \
	    echo 'uv could not install: going on with pip'; \
	    $(PIP) install $(WHEELS) $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r requirements.txt && \
	    $(PIP) install $(WHEELS) --no-deps -r requirements-mmpose.txt; }
	$(PIP) install --no-deps -e mmpose_package
	touch $(STAMP)

test: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/shellcheck --external-sources $(SCRIPTS)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

# Until the time is up or something is found; hypothesis then prints what it was made of.
fuzz: env
	@end=$$(($$(date +%s) + 60 * $(MINUTES))); inputs=0; while [ $$(date +%s) -lt $$end ]; do \
	    FUZZ_EXAMPLES=500 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -q tests/test_fuzz.py || exit 1; \
	    inputs=$$((inputs + 500)); echo "$$inputs inputs of each kind so far"; done

test-page: env
	tests/install_browser.sh
	$(BIN)/python -m pytest -rs tests/test_report_in_browser.py tests/test_review_in_browser.py

test-container: env
	PYTHON=$(abspath $(BIN)/python) tests/test_container.sh --model $(DEMO)/run

demo: env $(DEMO)/stack/train-gt.json $(DEMO)/new/train-gt.json
	@printf '\nStep 1: is this machine ready?\n'
	$(BIN)/python step1_test_mmpose.py
	@printf '\nStep 2: X-rays and annotations become images for training\n'
	$(BIN)/python step2_prepare_coco_dataset.py --mha_file_path $(DEMO)/stack/train_stack.mha \
	    --train_gt_path $(DEMO)/stack/train-gt.json --image_save_dir $(DEMO)/data/images --overwrite
	@printf '\nStep 3: training\n'
	@rm -rf $(DEMO)/run
	$(BIN)/python step3_train_and_evaluation.py $(CONFIG) --data-root $(DEMO)/data --work-dir $(DEMO)/run
	@printf '\nStep 4: how good is it on X-rays that it has not seen?\n'
	$(BIN)/python step4_test_and_visualize.py --model $(DEMO)/run --data-root $(DEMO)/data \
	    --show-dir $(DEMO)/pictures --out $(DEMO)/scores.json
	@printf '\nStep 5: the landmarks of a new stack\n'
	$(BIN)/python step5_predict_expected_output.py --model $(DEMO)/run \
	    --load_mha_path $(DEMO)/new/train_stack.mha --save_json_path $(DEMO)/expected_output.json
	@echo
	@$(BIN)/python benchmarks/demo_summary.py $(DEMO)/data $(DEMO)/scores.json
	@echo
	@echo 'pictures:    $(DEMO)/pictures (the worst image first)'
	@echo 'report:      $(DEMO)/run/report_test/report.html'
	@echo 'curves:      $(DEMO)/run/curves.png'
	@echo 'model:       $(DEMO)/run/model'
	@echo 'result JSON: $(DEMO)/expected_output.json'
	@echo "disk:        $$(du -sh $(VENV) | cut -f1) in $(VENV), $$(du -sh $(DEMO) | cut -f1) in $(DEMO)," \
	    'which make clean-demo removes'
	@echo
	@echo 'Go on with'
	@echo '  source $(VENV)/bin/activate'
	@echo '  cephalometric predict $(DEMO)/new/train_stack.mha --model $(DEMO)/run --out $(DEMO)/results'
	@echo '  cephalometric --help'

# What make demo has made, and nothing else in that folder.
clean-demo:
	rm -rf $(addprefix $(DEMO)/,stack new data run pictures results scores.json expected_output.json)
	-rmdir $(DEMO)

# The synthetic X-rays of the demo: those it learns from, and three others that step 5 predicts.
$(DEMO)/stack/train-gt.json: | env
	@printf '\nSynthetic X-rays: 80 to learn from, and 3 that are new\n'
	$(BIN)/python -m cephalometric phantom $(DEMO)/stack --count 80 --compressed
$(DEMO)/new/train-gt.json: | env
	$(BIN)/python -m cephalometric phantom $(DEMO)/new --count 3 --seed 7 --compressed
