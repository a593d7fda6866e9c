# The commands of every day; each is a script that says in its head what it does.

# As long as `make soak SECONDS=600` says, half an hour else.
SECONDS ?= 1800

.PHONY: run test soak check bench build static image

run: ; @scripts/run
test: ; @scripts/test
soak: ; @DOCKGATE_SOAK_SECONDS=$(SECONDS) scripts/test --test integration soak::
check: ; @.ci/run
bench: ; @scripts/bench $(ARGUMENTS)
build: ; cargo build --release --locked
static: ; @scripts/static
image: static ; DOCKER_BUILDKIT=0 docker build --tag dockgate target/image
