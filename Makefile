# make demo            the whole pipeline, steps 1 to 5, on a built-in synthetic data set
# make test            ruff and the tests
# make test-page       the report in a real browser; root on Debian is given one where there is none
# make test-container  step 6 with a real container engine (a quarter of an hour; needs the demo's model)
# make env             the environment alone; all of the above call it, and a second call does nothing

# Python 3.10 or 3.11; another one by make PYTHON=...
PYTHON ?= $(shell for p in python3.11 python3.10 python3; do $$p -c '' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
DEMO ?= demo
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CONFIG := cldetection_configs/demo_hrnet-w18s_udp-1xb8-30e-192x224.py

# Wheels alone, so that no compiler is needed. Python 3.12 is the exception: xtcocotools has no wheel for it, and is built.
WHEELS := --only-binary=:all:
BUILT := $(shell $(PYTHON) -c 'import sys; print("xtcocotools" if sys.version_info >= (3, 12) else "")')

.PHONY: env demo test test-page test-container

env: $(STAMP)

$(STAMP): requirements.txt requirements-mmpose.txt mmpose_package/pyproject.toml
	$(PYTHON) -m venv $(VENV)
ifneq ($(BUILT),)
	$(BIN)/python -m pip install $(WHEELS) --constraint requirements.txt numpy setuptools wheel cython
	$(BIN)/python -m pip install --no-build-isolation --no-deps --constraint requirements.txt $(BUILT)
endif
	$(BIN)/python -m pip install $(WHEELS) -r requirements.txt
	$(BIN)/python -m pip install $(WHEELS) --no-deps -r requirements-mmpose.txt
	$(BIN)/python -m pip install --no-deps -e mmpose_package
	touch $(STAMP)

test: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest

test-page: env
	tests/install_browser.sh
	$(BIN)/python -m pytest -rs tests/test_report_page.py

test-container: env
	PYTHON=$(abspath $(BIN)/python) tests/test_container.sh --model $(DEMO)/run

demo: env $(DEMO)/stack/train-gt.json $(DEMO)/new/train-gt.json
	$(BIN)/python step1_test_mmpose.py
	$(BIN)/python step2_prepare_coco_dataset.py --mha_file_path $(DEMO)/stack/train_stack.mha \
	    --train_gt_path $(DEMO)/stack/train-gt.json --image_save_dir $(DEMO)/data/images --overwrite
	rm -rf $(DEMO)/run
	$(BIN)/python step3_train_and_evaluation.py $(CONFIG) --data-root $(DEMO)/data --work-dir $(DEMO)/run
	$(BIN)/python step4_test_and_visualize.py $(CONFIG) $(DEMO)/run/best_model_weight.pth --data-root $(DEMO)/data \
	    --show-dir $(DEMO)/pictures --out $(DEMO)/scores.json
	$(BIN)/python step5_predict_expected_output.py --config_file $(CONFIG) \
	    --load_weight_path $(DEMO)/run/best_model_weight.pth \
	    --load_mha_path $(DEMO)/new/train_stack.mha --save_json_path $(DEMO)/expected_output.json
	@echo
	@$(BIN)/python benchmarks/demo_summary.py $(DEMO)/data $(DEMO)/scores.json
	@echo 'pictures:    $(DEMO)/pictures (the worst image first)'
	@echo 'report:      $(DEMO)/run/report_test/report.html'
	@echo 'curves:      $(DEMO)/run/curves.png'
	@echo 'checkpoint:  $(DEMO)/run/best_model_weight.pth'
	@echo 'result JSON: $(DEMO)/expected_output.json'

# The synthetic X-rays of the demo: those it learns from, and three others that step 5 predicts.
$(DEMO)/stack/train-gt.json: | env
	$(BIN)/python -m cephalometric phantom $(DEMO)/stack --count 80
$(DEMO)/new/train-gt.json: | env
	$(BIN)/python -m cephalometric phantom $(DEMO)/new --count 3 --seed 7
