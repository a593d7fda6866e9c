"""The ordinary flows of docker-py. Usage: docker_py.py PREFIX [owner]; the address is in the environment.

With `owner`, the gate keeps this client to its own.
"""

import hashlib
import io
import os
import sys
import tarfile
import time

import docker

prefix = sys.argv[1]
is_owner = sys.argv[2:] == ["owner"]
client = docker.from_env(timeout=60)


def containers():
    told = client.containers.run("busybox", ["echo", "hello"], remove=True)
    assert told == b"hello\n", told
    try:
        client.containers.run("busybox", ["sh", "-c", "echo bad >&2; exit 3"], remove=True)
        raise AssertionError("a failed container is an error")
    except docker.errors.ContainerError as problem:
        assert problem.exit_status == 3 and problem.stderr == b"bad\n", problem

    container = client.containers.run(
        "busybox",
        ["sh", "-c", "for n in 1 2 3; do echo $n; sleep 0.1; done; sleep 600"],
        name=f"{prefix}-py",
        labels={"dockgate.test": prefix},
        environment={"A": "b"},
        mem_limit="64m",
        detach=True,
    )
    lines = []
    for line in container.logs(stream=True, follow=True):
        lines.append(line)
        if b"".join(lines) == b"1\n2\n3\n":
            break
    assert container.name in [c.name for c in client.containers.list(filters={"label": f"dockgate.test={prefix}"})]
    assert container.stats(stream=False)["memory_stats"]["limit"] == 64 * 1024 * 1024
    assert next(container.stats(stream=True, decode=True))["read"]
    assert any("sleep 600" in " ".join(row) for row in container.top()["Processes"])
    executed(container)
    copied(container)
    container.rename(f"{prefix}-renamed")
    container.restart(timeout=0)
    container.pause()
    container.unpause()
    container.stop(timeout=0)
    assert container.wait()["StatusCode"] == 137
    image = container.commit(repository=f"{prefix}-committed", tag="one")
    assert f"{prefix}-committed:one" in image.tags
    container.remove(v=True, force=True)
    try:
        client.containers.get(container.id)
        raise AssertionError("a removed container is not found")
    except docker.errors.NotFound:
        pass


def executed(container):
    # docker-py loses what comes in the same read as the head of the answer; a program that takes its time is safe.
    result = container.exec_run(["sh", "-c", "sleep 0.5; echo out; echo err >&2; exit 4"], demux=True)
    assert (result.exit_code, result.output) == (4, (b"out\n", b"err\n")), result
    chunks = container.exec_run(["sh", "-c", "sleep 0.5; echo a; sleep 0.2; echo b"], stream=True)
    assert b"".join(chunks.output) == b"a\nb\n"
    created = client.api.exec_create(container.id, ["tr", "a-z", "A-Z"], stdin=True)
    sock = client.api.exec_start(created["Id"], socket=True)
    raw = getattr(sock, "_sock", sock)
    raw.sendall(b"shout\n")
    # One frame: its kind, three zero bytes, its length, and what was written.
    expected = b"\x01\0\0\0\0\0\0\x06SHOUT\n"
    got = b""
    # Python's TLS has no half-close.
    if not hasattr(raw, "unwrap"):
        raw.shutdown(1)
        while more := raw.recv(65536):
            got += more
        assert got == expected, got
    sock.close()


def copied(container):
    content = os.urandom(1 << 20)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("noise")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    assert container.put_archive("/tmp", archive.getvalue())
    stream, stat = container.get_archive("/tmp/noise")
    assert stat["size"] == len(content)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
        back = tar.extractfile("noise").read()
    assert hashlib.sha256(back).digest() == hashlib.sha256(content).digest()


def images():
    # Not by `images.list()`, which inspects each: other tests remove theirs meanwhile.
    assert any("busybox:latest" in (image["RepoTags"] or []) for image in client.api.images())
    # An image of its own: another run at the same time would give its tag to the same one.
    steps = f"FROM busybox\nLABEL of={prefix}\nRUN echo built >/built\nCMD cat /built\n".encode()
    image, log = client.images.build(fileobj=io.BytesIO(steps), tag=f"{prefix}-built", rm=True)
    assert any("Successfully built" in line.get("stream", "") for line in log)
    assert client.containers.run(image, remove=True) == b"built\n"
    saved = b"".join(image.save(named=True))
    assert saved
    if not is_owner:
        # What an archive holds has no owner that the gate could read.
        client.images.remove(f"{prefix}-built")
        (loaded,) = client.images.load(saved)
        assert loaded.id == image.id
    image.tag(f"{prefix}-tagged", "two")
    try:
        client.images.build(fileobj=io.BytesIO(b"FROM busybox\nRUN exit 5\n"), rm=True, forcerm=True)
        raise AssertionError("a failed build is an error")
    except docker.errors.BuildError as problem:
        assert "non-zero code: 5" in str(problem), problem


def volumes_and_networks():
    volume = client.volumes.create(f"{prefix}-volume", labels={"dockgate.test": prefix})
    mount = {volume.name: {"bind": "/data", "mode": "rw"}}
    client.containers.run("busybox", ["sh", "-c", "echo kept >/data/file"], volumes=mount, remove=True)
    assert client.containers.run("busybox", ["cat", "/data/file"], volumes=mount, remove=True) == b"kept\n"
    network = client.networks.create(f"{prefix}-network", driver="bridge", labels={"dockgate.test": prefix})
    container = client.containers.create("busybox", ["sleep", "600"], name=f"{prefix}-joined")
    network.connect(container, aliases=["alias"])
    container.start()
    network.reload()
    assert [joined.id for joined in network.containers] == [container.id]
    network.disconnect(container)
    container.remove(force=True)
    network.remove()
    volume.remove()
    filters = {"label": f"dockgate.test={prefix}"}
    for kind in (client.containers, client.networks, client.volumes):
        alone(kind.prune, filters=filters)


def alone(ask, **arguments):
    # The daemon prunes and measures one at a time, and other tests ask for it too.
    for _ in range(100):
        try:
            return ask(**arguments)
        except docker.errors.APIError as problem:
            if "already running" not in str(problem):
                raise
            time.sleep(0.1)
    raise AssertionError("another one runs all the time")


def events():
    stream = client.events(decode=True, filters={"label": f"dockgate.test={prefix}"})
    container = client.containers.create("busybox", labels={"dockgate.test": prefix})
    assert next(stream)["Action"] == "create"
    container.remove()
    assert next(stream)["Action"] == "destroy"
    stream.close()


assert client.ping()
assert client.version()["Os"] == "linux"
assert client.info()["OSType"] == "linux"
assert alone(client.df)["Images"]
containers()
images()
volumes_and_networks()
events()
