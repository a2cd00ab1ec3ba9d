# Thin: what each target runs is one or two lines.
BIN := .venv/bin
N := 1000

.PHONY: setup demo train study test test-slow fuzz soak lint bench
setup: .venv/.installed

.venv/.installed: pyproject.toml requirements.lock
	python3 -m venv .venv
	$(BIN)/pip install --disable-pip-version-check -c requirements.lock -e '.[dev]'
	$(BIN)/pip install --disable-pip-version-check --no-deps sweeps==0.3.0  # W&B's sweep schema: it pins an old NumPy
	touch $@

demo: setup  ## a few minutes, without a download: does everything work?
	$(BIN)/colorizer train -m experiment=smoke model=linear,cnn,autoencoder

train: setup  ## the default recipe on CIFAR-10; ARGS="model=cnn seed=1"
	$(BIN)/colorizer train $(ARGS)

test: setup
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

test-slow: setup  ## the tests that take too long for every day
	$(BIN)/pytest -m slow

fuzz: setup  ## wrong input of every kind, and a count of what was not refused in a line: make fuzz N=100000
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz $(N)

soak: setup  ## an hour: 1,000 kills at random times with 0 differing bits; 500 jobs in one process that stays flat
	$(BIN)/python -m tests.soak kills --kills 1000
	$(BIN)/python -m tests.soak disks --times 40
	$(BIN)/python -m tests.soak jobs --jobs 500

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: setup
	$(BIN)/colorizer bench

study: setup  ## run a study of experiments/, or go on with it: make study NAME=passthrough
	$(BIN)/colorizer study $(NAME) $(ARGS)
