/** `poste-restante demo`: Alice, Bob and a server on this machine, shown as a ladder. */

import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { createImClient } from '../client/connect.js';
import type { DeliveredMessage, ImClient, MessageWaiting, SendOptions } from '../client/connect.js';
import { createLadder, type Ladder } from '../testing/ladder.js';
import { DemoError, DemoServer } from './demo-server.js';

const alice = 'sip:alice@example.org';
const bob = 'sip:bob@example.org';
/** Columns between two participants: the picture is as wide as a wide terminal. */
const gap = 46;
const deadlineMs = 60_000;
const waitMs = 15_000;
/** Round three: so many messages, and the server dies when so many have been accepted. */
const streamLength = 12;
const killedAfter = 5;

/** The command `demo`. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('show deferred messaging: a server and two users on free loopback ports')
    .action(async () => {
      process.exitCode = await demo();
    });
}

interface Scene {
  readonly server: DemoServer;
  readonly ladder: Ladder;
  readonly alice: ImClient;
  readonly bob: ImClient;
}

interface Letter {
  readonly body: Buffer;
  readonly options: SendOptions;
}

async function demo(): Promise<number> {
  const stop = (): void => process.exit(130);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const server = new DemoServer();
  const clients: ImClient[] = [];
  const deadline = expired(deadlineMs, 'the demo as a whole');
  try {
    await Promise.race([play(server, clients), deadline.promise]);
    return 0;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'DEMO_FAILED';
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`poste-restante: ${code}: ${text}\n`);
    return 1;
  } finally {
    deadline.cancel();
    await Promise.all(clients.map((client) => client.stop({ unregister: false })));
    await server.kill();
    server.remove();
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

async function play(server: DemoServer, clients: ImClient[]): Promise<void> {
  const began = Date.now();
  const ladder = createLadder({
    participants: ['Alice', 'Server', 'Bob'],
    unknown: 'Server',
    gap,
    onLine: (line) => process.stdout.write(`${line}\n`),
  });
  await server.start();
  const scene = {
    server,
    ladder,
    alice: await enter(server, clients, ladder, 'Alice', alice),
    bob: await enter(server, clients, ladder, 'Bob', bob),
  };
  await pushed(scene);
  const kept = await retrieved(scene);
  await survived(scene, kept);
  ladder.note(`done in ${((Date.now() - began) / 1000).toFixed(1)} s: everything as promised`);
}

async function enter(
  { sipPort }: DemoServer,
  clients: ImClient[],
  ladder: Ladder,
  name: string,
  aor: string,
): Promise<ImClient> {
  const client = createImClient({
    aor,
    server: { host: '127.0.0.1', port: sipPort, transport: 'udp' },
    identity: 'asserted',
    trace: ladder.trace(name),
    limits: { attempts: 3, graceMs: 500 },
  });
  clients.push(client);
  await client.start();
  return client;
}

/** Bob is offline; what Alice wrote is pushed when he registers. */
async function pushed({ ladder, alice: sender, bob: receiver }: Scene): Promise<void> {
  ladder.note('1. Bob is offline. Alice writes three messages; the server keeps them.');
  const letters: Letter[] = [
    { body: Buffer.from('The spare keys are under the blue pot.'), options: { subject: 'Keys' } },
    { body: Buffer.from('Grüße aus Zürich – bis morgen!'), options: { subject: 'Zürich' } },
    {
      body: randomBytes(700),
      options: { contentType: 'application/octet-stream', subject: 'Photo', urgent: true },
    },
  ];
  await accepted(sender, letters);
  ladder.note('   Bob asks whether messages are waiting.');
  const states = receiver.watch();
  const first = await firstWith(states, () => true);
  check(first.waiting && newOf(first) === 3, 'three new messages are waiting');
  await states.return?.();
  ladder.note('   Bob registers; the server pushes what it has.');
  const incoming = receiver.deliveries();
  const outcome = await receiver.register();
  check(outcome.status === 200, `the registration was answered ${outcome.status}`);
  const messages: DeliveredMessage[] = [];
  while (messages.length < letters.length) {
    const next = await within(incoming.next(), 'a pushed message');
    if (next.done) throw new DemoError('DEMO_FAILED', 'the client has ended');
    messages.push(next.value);
  }
  same(messages, letters);
  ladder.note('   Bob has all three, in order, octet by octet.');
  await receiver.unregister();
}

/** Bob stays unregistered and fetches two of three by their Message-IDs. */
async function retrieved({ ladder, alice: sender, bob: receiver }: Scene): Promise<Letter[]> {
  ladder.note('2. Bob is offline again, but he watches. Alice writes three more.');
  const states = receiver.watch();
  await firstWith(states, (state) => newOf(state) === 0);
  const letters = ['first', 'second', 'third'].map((word) => ({
    body: Buffer.from(`The ${word} of three.`),
    options: { subject: word },
  }));
  await accepted(sender, letters);
  const ids = new Map<string, string>();
  await firstWith(states, (state) => {
    for (const block of state.messages) {
      const fields = new Map(block.map(([name, value]) => [name.toLowerCase(), value]));
      ids.set(fields.get('subject') ?? '', fields.get('message-id') ?? '');
    }
    return letters.every(({ options }) => ids.has(options.subject));
  });
  await states.return?.();
  const chosen = [letters[0]!, letters[2]!];
  ladder.note('   He fetches the first and the third.');
  const outcome = await receiver.retrieve({
    ids: chosen.map(({ options }) => ids.get(options.subject) ?? ''),
  });
  check(outcome.status === 200, `the retrieval was answered ${outcome.status}`);
  same(outcome.messages, chosen);
  ladder.note('   Bob has these two and no other; the server keeps all three.');
  return letters;
}

/** The server is killed in the middle of a stream of messages and comes back. */
async function survived(scene: Scene, kept: readonly Letter[]): Promise<void> {
  const { ladder, server, alice: sender, bob: receiver } = scene;
  ladder.note(`3. Alice writes ${streamLength} messages; the server dies in the middle (kill -9).`);
  const letters = Array.from({ length: streamLength }, (_, index) => ({
    body: Buffer.from(`message ${index + 1} of ${streamLength}`),
    options: { subject: String(index + 1) },
  }));
  let count = 0;
  let restarted: Promise<void> | undefined;
  const restart = async (): Promise<void> => {
    await server.kill();
    ladder.note('   The server is dead. Alice repeats what was not answered.');
    await server.start();
    ladder.note('   The server is back, on the same store.');
  };
  const outcomes = letters.map(async ({ body, options }) => {
    const outcome = await sender.send(bob, body, options);
    if (++count === killedAfter) restarted = restart();
    return outcome.status;
  });
  const statuses = await Promise.all(outcomes);
  await restarted;
  check(
    statuses.every((status) => status === 202),
    `the submissions were answered ${statuses.join(' ')}`,
  );
  ladder.note('   All are accepted. Bob fetches everything.');
  const outcome = await receiver.retrieve();
  check(outcome.status === 200, `the retrieval was answered ${outcome.status}`);
  same(outcome.messages, [...kept, ...letters]);
  ladder.note(`   Nothing is lost, nothing is doubled: ${outcome.count} messages, in order.`);
}

async function accepted(sender: ImClient, letters: readonly Letter[]): Promise<void> {
  for (const { body, options } of letters) {
    const { status, reason } = await sender.send(bob, body, options);
    check(status === 202, `a message was answered ${status} ${reason}`);
  }
}

/** Each message once, in order, with the octets that were sent. */
function same(messages: readonly DeliveredMessage[], letters: readonly Letter[]): void {
  check(
    messages.length === letters.length,
    `${letters.length} messages were expected, ${messages.length} came`,
  );
  for (const [index, { body, options }] of letters.entries()) {
    const message = messages[index]!;
    const text = `message ${index + 1} (${options.subject ?? ''})`;
    check(message.body.equals(body), `${text} differs from what was sent`);
    check(message.subject === options.subject, `${text} came with another subject`);
  }
}

async function firstWith(
  states: AsyncIterator<MessageWaiting>,
  serves: (state: MessageWaiting) => boolean,
): Promise<MessageWaiting> {
  for (;;) {
    const next = await within(states.next(), 'a state of message waiting');
    if (next.done) throw new DemoError('DEMO_FAILED', 'the subscription has ended');
    if (serves(next.value)) return next.value;
  }
}

function newOf(state: MessageWaiting): number {
  return state.classes.reduce((sum, each) => sum + each.new, 0);
}

function check(holds: boolean, text: string): void {
  if (!holds) throw new DemoError('DEMO_FAILED', text);
}

async function within<Value>(promise: Promise<Value>, what: string): Promise<Value> {
  const limit = expired(waitMs, what);
  try {
    return await Promise.race([promise, limit.promise]);
  } finally {
    limit.cancel();
  }
}

function expired(ms: number, what: string): { promise: Promise<never>; cancel: () => void } {
  let cancel = (): void => undefined;
  const promise = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => {
      reject(new DemoError('DEMO_TIMEOUT', `${what} did not come within ${ms / 1000} s`));
    }, ms);
    cancel = () => clearTimeout(timer);
  });
  return { promise, cancel };
}
