PYTHON ?= python3
BIN := .venv/bin
RUN := --name=demo --records_dir=records/demo

PYTEST := $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder

.PHONY: demo test test-slow lint types quick-tests bench wheel web clean

demo: .venv/demo  ## the whole job on rendered house numbers
	$(BIN)/python -m svhn.download --dataset=synthetic --data_dir=data/demo
	$(BIN)/python -m svhn.wrangle --dataset=synthetic --data_dir=data/demo --records_dir=records/demo
	$(BIN)/python main.py --mode=train $(RUN) --dataset=synthetic --model=reader --num_epochs=12 --checkpoint_every=250 --log_every=50
	$(BIN)/python main.py --mode=valid $(RUN)
	$(BIN)/python main.py --mode=test $(RUN) --checkpoint=best
	$(BIN)/python main.py --mode=report $(RUN) --split=test
	@echo
	@echo "Scores of every checkpoint on valid:      results/demo/valid-demo.csv"
	@echo "Scores of the best one on test:           results/demo/test-demo.csv"
	@echo "What it read, the wrong ones framed red:  results/demo/test-demo.png"
	@echo "A page with curves, confusions, errors:   results/demo/report-test-demo.html"
	@echo "Curves, incoming images, weights, graph:  $(BIN)/tensorboard --logdir=./logs"

test: .venv/test  ## ruff, pyright and all tests that are not slow, side by side
	$(MAKE) --jobs=3 lint types quick-tests

test-slow: .venv/test  ## the other tests; PYTEST_FLAGS are given to pytest by both
	$(PYTEST) -m slow $(PYTEST_FLAGS)

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/pyright --pythonpath $(BIN)/python

quick-tests:
	$(PYTEST) -m "not slow" $(PYTEST_FLAGS)

bench: .venv/demo  ## the tables of speed in benchmarks/, on the data in data/ and records/
	for name in digitstruct wrangling training_input drawing; do $(BIN)/python -m benchmarks.$$name || exit 1; done

.venv/demo: setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing packages into .venv by pip: this takes some minutes."
	$(BIN)/python -m pip install --quiet --editable '.[train,synthetic]'
	touch $@

.venv/test: setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing packages into .venv by pip: this takes some minutes."
	$(BIN)/python -m pip install --quiet --editable '.[train,synthetic,report,digits,svm,export,web,serve,labels,video,heic,parquet,ppocr,beam,test]'
	touch $@

wheel:  ## the package as one file in dist/, which reads pictures without TensorFlow
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir=dist .

web: .venv/read  ## the page that reads in the browser, without a server, in build/web/; needs npm
	cd web && npm ci --silent
	$(BIN)/python -m svhn page --output=build/web $(PAGE_FLAGS)

.venv/read: setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

clean:
	rm -rf .venv
