# make demo   install, build, and do the main job on real input
# make test   everything CI runs
# make build  the command line at build/twofold and the Python package in .venv
# make wheel  a wheel in dist/ that runs without what was installed to build it
# make bench  speed against ONNX Runtime
.PHONY: deps test-deps build wheel demo test bench lint format clean

deps:
	tools/install_deps.sh

test-deps:
	tools/install_deps.sh test

build: deps
	tools/build.sh

wheel: deps
	tools/wheel.sh

demo: build
	.venv/bin/python examples/ocr/demo.py

test: test-deps
	tools/build.sh all
	tools/test.sh

bench: build
	tools/bench.sh

lint:
	tools/lint.sh

format:
	git ls-files '*.cc' '*.c' '*.h' | xargs clang-format -i
	.venv/bin/ruff format python tests examples tools bench

clean:
	rm -rf build build-*
