/**
 * CPU time of one stored MESSAGE in the whole server, without sockets and without fsync, as lines of
 * JSON: from its octets to those of the 202, 64 at once, 1,000 users. Directories of builds are the
 * arguments; several are measured in turn, so that what the machine does else meets all of them.
 * Behind a comma stand options of Node: `dist dist,--max-semi-space-size=32`.
 * `BENCH_TMP` names where the stores are (tmpfs, so that the disk is left out), `MESSAGE_BODY` the
 * octets of a body.
 */

import { Buffer } from 'node:buffer';
import { fork } from 'node:child_process';
import console from 'node:console';
import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { setImmediate } from 'node:timers';
import { fileURLToPath } from 'node:url';

const outstanding = 64;
const users = 1_000;
const body = Buffer.alloc(Number(process.env.MESSAGE_BODY ?? 200), 'x');
const isQuick = Number(process.env.BENCH_SECONDS ?? 1.5) < 1;
const messages = isQuick ? 2_000 : Number(process.env.MESSAGE_COUNT ?? 10_000);
const rounds = isQuick ? 3 : Number(process.env.MESSAGE_ROUNDS ?? 9);
const warmUps = isQuick ? 1 : 4;
const source = { address: '127.0.0.1', port: 5070, family: 'IPv4' };

/** One process for each build; they take rounds in turn. */
async function compare(builds) {
  const children = builds.map((build) => {
    const [directory, ...execArgv] = build.split(',');
    const child = fork(fileURLToPath(import.meta.url), [resolve(directory)], { execArgv });
    return { build, child, results: [] };
  });
  for (const one of children) await answerOf(one.child, 'open');
  for (let round = 0; round < warmUps + rounds; round++) {
    for (const { child, results } of children) {
      const result = await answerOf(child, 'round');
      if (round >= warmUps) results.push(result);
    }
  }
  for (const { build, child, results } of children) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.send('close');
    await ended;
    const shown = builds.length > 1 ? ` (${build})` : '';
    const name = `stored MESSAGE of ${body.length} octets without sockets and fsync${shown}`;
    for (const thread of ['all threads', 'main thread']) {
      const values = results.map((result) => result[thread]);
      console.log(
        JSON.stringify({
          name,
          unit: `µs CPU, ${thread}`,
          better: 'less',
          values,
          ...spread(values),
        }),
      );
    }
  }
}

function answerOf(child, ask) {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error(`the process that measures ended at ${ask}`));
    child.once('exit', ended);
    child.once('message', (answer) => {
      child.off('exit', ended);
      resolve(answer);
    });
    child.send(ask);
  });
}

function spread(values) {
  const sorted = values.toSorted((one, other) => one - other);
  return { least: sorted[0], median: sorted[sorted.length >> 1] };
}

// ------------------------------------------------------------------------- the measured process

async function measure(build) {
  const base = process.env.BENCH_TMP ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
  const directory = mkdtempSync(join(base, 'poste-restante-bench-'));
  const scene = new Scene();
  let server;
  process.on('message', async (asked) => {
    if (asked === 'open') {
      const { settingsOf, startServer } = await import(`${build}/index.js`);
      const settings = settingsOf({
        store: { directory, durability: 'os' },
        sip: { listen: [{ transport: 'udp', host: '127.0.0.1', port: 5060 }] },
        msrp: { port: 0 },
        // A machine that does something else besides is not to be taken for one that cannot follow.
        limits: { admission: { latencyMs: 60_000 } },
        log: { level: 'silent' },
      });
      server = await startServer(settings, { sockets: scene });
      process.send('open');
    } else if (asked === 'round') {
      const before = cpuOf();
      await scene.run(messages);
      const after = cpuOf();
      process.send({
        'all threads': micros(after.all - before.all),
        'main thread': micros(after.main - before.main),
      });
    } else {
      await server.stop(0);
      rmSync(directory, { recursive: true, force: true });
      process.exit(0);
    }
  });
}

function micros(seconds) {
  return Math.round((seconds / messages) * 1e7) / 10;
}

/** Seconds; the first number of schedstat are nanoseconds on a core. */
function cpuOf() {
  const { user, system } = process.cpuUsage();
  const [main] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return { all: (user + system) / 1e6, main: Number(main) / 1e9 };
}

/** Sockets that are a function call away, and the sender behind them. */
class Scene {
  #number = 0;
  #left = 0;
  #underWay = 0;
  #due = 0;
  #done = () => undefined;
  #deliver = () => undefined;

  datagram() {
    const socket = new EventEmitter();
    Object.assign(socket, {
      bind: (_port, _host, bound) => setImmediate(bound),
      address: () => ({ address: '127.0.0.1', port: 5060, family: 'IPv4' }),
      setRecvBufferSize: () => undefined,
      setSendBufferSize: () => undefined,
      send: (octets) => this.#answered(octets),
      close: (closed) => setImmediate(closed),
      ref: () => socket,
      unref: () => socket,
    });
    this.#deliver = (messages) => {
      for (const message of messages) socket.emit('message', message, source);
    };
    return socket;
  }

  connect() {
    throw new Error('nothing is called');
  }

  /** MSRP has its sockets, and nobody comes by them. */
  server() {
    return net.createServer();
  }

  run(count) {
    this.#left = count;
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#due = outstanding;
      this.#send();
    });
  }

  /** What is due goes out together, as one reading of a socket brings it in. */
  #send() {
    const count = Math.min(this.#due, this.#left);
    this.#due = 0;
    this.#left -= count;
    this.#underWay += count;
    const messages = [];
    for (let nth = 0; nth < count; nth++) messages.push(message(this.#number++));
    this.#deliver(messages);
  }

  #answered(octets) {
    if (octets.latin1Slice(8, 11) !== '202') {
      // Whoever sends is not to be told by an exception: it would be taken for one of a socket.
      console.error(octets.toString('latin1'));
      process.exit(1);
    }
    this.#underWay--;
    if (this.#left === 0) {
      if (this.#underWay === 0) this.#done();
      return;
    }
    if (this.#due++ === 0) setImmediate(() => this.#send());
  }
}

/** As the load generator writes it. */
function message(number) {
  const user = `u${String(number % users).padStart(8, '0')}@example.test`;
  const id = String(number).padStart(10, '0');
  const head =
    `MESSAGE sip:${user} SIP/2.0\r\n` +
    `Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK6e1f00aa${id}\r\n` +
    'Max-Forwards: 70\r\n' +
    `From: "Sender" <sip:sender@example.test>;tag=t6e1f00aa${id}\r\n` +
    `To: <sip:${user}>\r\n` +
    `Call-ID: 6e1f00aa-${id}@lg.invalid\r\n` +
    'CSeq: 1 MESSAGE\r\n' +
    'P-Asserted-Identity: <sip:sender@example.test>\r\n' +
    'Accept-Contact: *;+g.oma.sip-im;require;explicit\r\n' +
    'User-Agent: loadgen/1 OMA1.0\r\n' +
    'Content-Type: text/plain;charset=UTF-8\r\n' +
    `Content-Length: ${body.length}\r\n\r\n`;
  const octets = Buffer.allocUnsafe(head.length + body.length);
  octets.latin1Write(head, 0);
  body.copy(octets, head.length);
  return octets;
}

if (process.send) await measure(process.argv[2]);
else await compare(process.argv.length > 2 ? process.argv.slice(2) : ['dist']);
