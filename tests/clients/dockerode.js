// The ordinary flows of dockerode. Usage: dockerode.js PREFIX; the address is in the environment.
'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const { PassThrough } = require('node:stream');
const { once } = require('node:events');
// The folder of the modules is in NODE_PATH.
const Docker = require('dockerode');

const prefix = process.argv[2];
const docker = new Docker();

function text(stream) {
  return new Promise((resolve, reject) => {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('error', reject);
    stream.on('end', () => resolve(Buffer.concat(parts).toString()));
  });
}

// What a stream of frames carries: [stdout, stderr].
async function demultiplexed(stream) {
  const out = new PassThrough();
  const err = new PassThrough();
  docker.modem.demuxStream(stream, out, err);
  stream.on('end', () => { out.end(); err.end(); });
  return Promise.all([text(out), text(err)]);
}

function progress(stream) {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (problem, steps) => (problem ? reject(problem) : resolve(steps)));
  });
}

async function runs() {
  const out = new PassThrough();
  const told = text(out);
  const [status, container] = await docker.run('busybox', ['echo', 'hello'], out, { name: `${prefix}-run`, Tty: true });
  out.end();
  assert.strictEqual(status.StatusCode, 0);
  assert.strictEqual(await told, 'hello\r\n');
  await container.remove();
}

// `hijack` asks for an upgrade; without it the daemon's older form is spoken: 200, then raw bytes both ways.
async function attaches(hijack) {
  const container = await docker.createContainer({
    Image: 'busybox', Cmd: ['cat'], OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true,
    name: `${prefix}-attach-${hijack}`, Labels: { 'dockgate.test': prefix },
  });
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack });
  const told = demultiplexed(stream);
  const waits = container.wait();
  await container.start();
  const sent = crypto.randomBytes(1 << 20).toString('hex');
  stream.write(sent);
  stream.end();
  const [out] = await told;
  assert.strictEqual(out.length, sent.length);
  assert.ok(out === sent);
  assert.strictEqual((await waits).StatusCode, 0);
  await container.remove({ v: true, force: true });
}

async function executes() {
  const container = await docker.createContainer({ Image: 'busybox', Cmd: ['sleep', '600'], name: `${prefix}-exec` });
  await container.start();

  let exec = await container.exec({ Cmd: ['sh', '-c', 'echo out; echo err >&2; exit 4'], AttachStdout: true, AttachStderr: true });
  assert.deepStrictEqual(await demultiplexed(await exec.start({})), ['out\n', 'err\n']);
  assert.strictEqual((await exec.inspect()).ExitCode, 4);

  for (const hijack of [true, false]) {
    exec = await container.exec({ Cmd: ['tr', 'a-z', 'A-Z'], AttachStdin: true, AttachStdout: true });
    const stream = await exec.start({ hijack, stdin: true });
    const told = demultiplexed(stream);
    stream.write('shout');
    stream.end();
    assert.deepStrictEqual(await told, ['SHOUT', '']);
  }

  exec = await container.exec({ Cmd: ['touch', '/tmp/detached'] });
  await exec.start({ Detach: true });
  exec = await container.exec({ Cmd: ['sh', '-c', 'until test -e /tmp/detached; do sleep 0.1; done; echo there'], AttachStdout: true });
  assert.deepStrictEqual(await demultiplexed(await exec.start({})), ['there\n', '']);

  const archive = await container.getArchive({ path: '/bin/busybox' });
  let bytes = 0;
  archive.on('data', (part) => { bytes += part.length; });
  await once(archive, 'end');
  assert.ok(bytes > 1000000);

  await assert.rejects(container.start(), (problem) => problem.statusCode === 304);
  await container.stop({ t: 0 });
  await assert.rejects(container.exec({ Cmd: ['true'] }), (problem) => problem.statusCode === 409);
  await container.remove({ force: true });
  await assert.rejects(container.inspect(), (problem) => problem.statusCode === 404 && /No such container/.test(problem.message));
}

async function follows() {
  const container = await docker.createContainer({
    Image: 'busybox', Cmd: ['sh', '-c', 'echo one; sleep 0.3; echo two'], name: `${prefix}-logs`, Labels: { 'dockgate.test': prefix },
  });
  const filters = { label: [`dockgate.test=${prefix}`], event: ['die'] };
  const events = await docker.getEvents({ filters });
  const died = once(events, 'data');
  await container.start();
  const logs = await container.logs({ follow: true, stdout: true, stderr: true });
  assert.deepStrictEqual(await demultiplexed(logs), ['one\ntwo\n', '']);
  assert.strictEqual(JSON.parse((await died)[0]).Action, 'die');
  events.destroy();
  const listed = await docker.listContainers({ all: true, filters: { name: [`${prefix}-logs`] } });
  assert.strictEqual(listed.length, 1);
  await container.remove();
}

async function builds() {
  const context = require('tar-stream').pack();
  context.entry({ name: 'Dockerfile' }, `FROM busybox\nLABEL of=${prefix}\nCOPY file /file\nCMD ["cat", "/file"]\n`);
  context.entry({ name: 'file' }, 'built');
  context.finalize();
  const steps = await progress(await docker.buildImage(context, { t: `${prefix}-built`, rm: true }));
  assert.ok(steps.some((step) => /Successfully tagged/.test(step.stream || '')));
  const image = docker.getImage(`${prefix}-built`);
  await image.tag({ repo: `${prefix}-tagged`, tag: 'two' });
  assert.ok((await image.inspect()).RepoTags.includes(`${prefix}-tagged:two`));
  assert.ok((await docker.listImages()).length > 1);
  await image.remove();
}

async function volumesAndNetworks() {
  const volume = await docker.createVolume({ Name: `${prefix}-volume`, Labels: { 'dockgate.test': prefix } });
  const network = await docker.createNetwork({ Name: `${prefix}-network`, Labels: { 'dockgate.test': prefix } });
  const container = await docker.createContainer({
    Image: 'busybox', Cmd: ['sleep', '600'], name: `${prefix}-joined`,
    HostConfig: { Binds: [`${prefix}-volume:/data`], Memory: 67108864 },
  });
  await network.connect({ Container: container.id });
  await container.start();
  const joined = (await container.inspect()).NetworkSettings.Networks;
  assert.ok(`${prefix}-network` in joined);
  await network.disconnect({ Container: container.id });
  await container.remove({ force: true });
  await network.remove();
  await volume.remove();
}

// A create whose environment is so large that the request line, which repeats the body, has 300 KiB.
async function asksWithALongRequestLine() {
  const container = await docker.createContainer({
    Image: 'busybox', Cmd: ['true'], name: `${prefix}-long`, Env: [`LONG=${'x'.repeat(300 * 1024)}`],
  });
  await container.remove();
}

async function main() {
  assert.strictEqual((await docker.ping()).toString(), 'OK');
  assert.strictEqual((await docker.version()).Os, 'linux');
  assert.strictEqual((await docker.info()).OSType, 'linux');
  await runs();
  await attaches(true);
  await attaches(false);
  await executes();
  await follows();
  await builds();
  await volumesAndNetworks();
  await asksWithALongRequestLine();
}

main().then(() => process.exit(0), (problem) => { console.error(problem); process.exit(1); });
