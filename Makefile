# The commands of every day; each is a script that says in its head what it does.

.PHONY: run test check bench build static image

run: ; @scripts/run
test: ; @scripts/test
check: ; @.ci/run
bench: ; @scripts/bench $(ARGUMENTS)
build: ; cargo build --release --locked
static: ; @scripts/static
image: static ; DOCKER_BUILDKIT=0 docker build --tag dockgate target/image
