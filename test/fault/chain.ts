/** One store and its lives: load, a fault at a moment that the seed decides, a look, the next life. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { createImClient } from '../../src/client/connect.js';
import type { ImClient } from '../../src/client/im-client.js';
import type { TraceEntry } from '../../src/ports.js';
import { freePort } from '../loopback-port.js';
import { endChild, startServerProcess } from '../server-process.js';
import type { ServerProcess } from '../server-process.js';
import { copyOf, inspect } from './inspection.js';
import { Ledger } from './ledger.js';
import type { Entry, Tally } from './ledger.js';
import { numberIn, seeded } from './random.js';
import type { Draw } from './random.js';
import { octetsOf } from './ledger.js';
import { Sender } from './sender.js';

export const hostname = 'store.example.org';

/** Who does what: `cut` is deleted from, `fast` expires, `push` and `large` register, `fetch` asks. */
type User = 'cut' | 'fast' | 'push' | 'large' | 'fetch';

/** Messages that one sender has on their way. */
const outstanding = 8;
/** A life ends behind so many acknowledgements and ms more, or when it takes too long. */
const acknowledgementsMax = 60;
const afterwardsMs = 30;
const lifeMs = 2_000;
/** ms from the end of one shard until everything is killed; it takes about half of that to be back. */
const shardMs = 1_500;
const settleMs = 120_000;

/** Of a server, from its start up to the fault. */
export interface Life {
  isOver: boolean;
  /** Messages so far that are kept, as their sender was told. */
  readonly acknowledged: number;
}

export interface Fault {
  /** Processes that share the accounts; absent: one server is one process. */
  readonly shards?: number;
  /** Environment of the server. */
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves at a moment at which the fault is to strike, while the load goes on. */
  due?(life: Life): Promise<void>;
  /** What the fault does to the files, when the server is dead. */
  strike?(draw: Draw): void;
  end?(): void;
}

export class Chain {
  readonly ledger: Ledger;
  readonly directory: string;
  readonly #root: string;
  readonly #config: string;
  readonly #draw: Draw;
  readonly #fault: Fault;
  readonly #clients = new Map<User, ImClient>();
  readonly #over = new Map<User, () => void>();
  #sender: Sender | undefined;
  #ports: { readonly sip: number; readonly msrp: number } | undefined;
  #server: ServerProcess | undefined;
  /** How long the last start took that nobody cut off. */
  #startMs = 0;
  #next = 1;
  #dialog = '';
  readonly #begun = new Set<Promise<void>>();

  constructor(seed: number, tally: Tally, fault: (directory: string) => Fault = () => ({})) {
    this.#draw = seeded(seed);
    this.ledger = new Ledger(tally);
    this.#root = mkdtempSync(join(tmpdir(), 'poste-fault-'));
    this.directory = join(this.#root, 'store');
    this.#fault = fault(this.directory);
    this.#config = join(this.#root, 'poste.yaml');
    writeFileSync(
      this.#config,
      [
        `identity: { hostname: ${hostname}, domains: [example.org] }`,
        'limits:',
        '  forward: { mode: "off" }',
        '  push: { retryMs: 100, retryMaxMs: 400 }',
        '  subscribe: { throttleMs: 5 }',
        'bounds: { accountBlock: 3 }',
        'log: { level: warn }',
        '',
      ].join('\n'),
    );
  }

  /**
   * As many lives as faults, and one more in which everything that is owed is asked for, unless it is
   * known to be lost. Some faults strike while the server starts, unless there is to be load before
   * each.
   */
  async run(kills: number, { atStart = true, settles = true } = {}): Promise<void> {
    const { tally } = this.ledger;
    let looked: Promise<void> = Promise.resolve();
    for (let kill = 0; kill < kills; kill++) {
      const isEarly = atStart && kill > 0 && this.#draw(4) === 0;
      if (isEarly) tally.killsAtStart += await this.#startAndKill();
      else {
        await this.#start();
        await looked;
        await this.#live();
      }
      tally.kills++;
      await looked;
      looked = this.#look();
      looked.catch(() => undefined);
      // The files are copied by now; the copy is read while the next server starts.
    }
    await looked;
    if (!settles) return;
    await this.#start();
    await Promise.allSettled(this.#begun);
    await this.#settle();
  }

  async end(): Promise<void> {
    await this.#server?.end('SIGKILL');
    await Promise.all([...this.#clients.values()].map((client) => client.stop()));
    await this.#sender?.close();
    this.#fault.end?.();
    rmSync(this.#root, { recursive: true, force: true });
  }

  // -------------------------------------------------------------------------------- server

  async #start(spawned?: (child: ChildProcess) => void): Promise<void> {
    const { sip, msrp } = (this.#ports ??= { sip: await freePort(), msrp: await freePort() });
    const began = performance.now();
    this.#server = await startServerProcess({
      directory: this.directory,
      sipPort: sip,
      msrpPort: msrp,
      args: ['--config', this.#config],
      ...(this.#fault.env && { env: this.#fault.env }),
      shards: this.#fault.shards ?? 1,
      ...(spawned && { spawned }),
    });
    if (!spawned) this.#startMs = performance.now() - began;
    this.#sender ??= await Sender.open(this.ledger, 'udp', sip);
  }

  /**
   * Every second of these kills hits a server that is not ready, whatever else the machine does;
   * the others hit one that takes up what the fault before has cut off. Returns how many of this
   * one kill were of the first kind.
   */
  async #startAndKill(): Promise<number> {
    const delay = this.#draw(2 * this.#startMs);
    let early = 0;
    let killed: Promise<void> | undefined;
    await this.#start((child) => {
      const timer = setTimeout(() => {
        killed = endChild(child, 'SIGKILL');
      }, delay);
      child.once('exit', () => clearTimeout(timer));
    }).catch(() => early++);
    await killed;
    await this.#server?.end('SIGKILL');
    this.#struck();
    return early;
  }

  async #kill(): Promise<void> {
    await this.#server!.end('SIGKILL');
    this.#struck();
  }

  /** Every second time one of several shards goes first, and comes back while the others serve. */
  async #killShard(): Promise<void> {
    const pids = this.#fault.shards ? this.#server!.shardPids() : [];
    if (pids.length === 0 || this.#draw(2) === 0) return;
    process.kill(pids[this.#draw(pids.length)]!, 'SIGKILL');
    this.ledger.tally.shardKills++;
    this.ledger.killed();
    await pause(this.#draw(shardMs));
  }

  #struck(): void {
    this.#fault.strike?.(this.#draw);
    this.ledger.killed();
    this.#sender!.cutOff();
  }

  async #look(): Promise<void> {
    const copy = copyOf(this.directory);
    this.ledger.check(await inspect(copy));
  }

  // ---------------------------------------------------------------------------------- load

  async #live(): Promise<void> {
    const { tally } = this.ledger;
    const before = tally.acknowledged;
    const life: Life = {
      isOver: false,
      get acknowledged() {
        return tally.acknowledged - before;
      },
    };
    const work = [this.#write('udp', life), this.#write('tcp', life)];
    // What clients have begun goes on across the fault, as far as it can.
    const begin = (begun: Promise<void>): void => void this.#begun.add(begun);
    begin(this.#visit());
    let recording: Promise<void> | undefined;
    if (this.#draw(3) === 0) begin((recording = this.#record()));
    if (this.#draw(2) === 0) begin(this.#delete());
    if (this.#dialog === '' || this.#draw(8) === 0) work.push(this.#subscribe());
    const enough = this.#draw(acknowledgementsMax);
    const end = Date.now() + lifeMs;
    while (life.acknowledged < enough && Date.now() < end) await pause(1);
    // Every second large message may come to its end.
    if (recording && this.#draw(2) === 0) await Promise.race([recording, pause(end - Date.now())]);
    await pause(this.#draw(afterwardsMs));
    await this.#fault.due?.(life);
    await this.#killShard();
    await this.#kill();
    life.isOver = true;
    await Promise.all(work);
  }

  async #write(transport: 'udp' | 'tcp', life: Life): Promise<void> {
    const sender =
      transport === 'udp'
        ? this.#sender!
        : await Sender.open(this.ledger, transport, this.#ports!.sip);
    // Within the time in which a repetition is known (D-18) they count once.
    const again = sender.unanswered.splice(0).map((pending) => sender.repeat(pending));
    const one = async (): Promise<void> => {
      while (!life.isOver && (await sender.message(this.#entry(transport)))) await pause(0);
    };
    const streams = Array.from({ length: outstanding }, one);
    if (sender !== this.#sender) {
      while (!life.isOver) await pause(5);
      sender.cutOff();
      await sender.close();
    }
    await Promise.all([...streams, ...again]);
  }

  #entry(transport: 'udp' | 'tcp', user = this.#user(), size = 0): Entry {
    const wantsReports = size === 0 && transport === 'udp' && this.#draw(3) === 0;
    const limit = transport === 'udp' ? 700 : 8_000;
    return this.ledger.send({
      number: this.#next++,
      user,
      size: size || 24 + this.#draw(limit),
      expiresAt: user === 'fast' ? Date.now() + 1_000 : undefined,
      wantsReports,
    });
  }

  #user(): User {
    return (['cut', 'cut', 'fast', 'fast', 'push', 'push', 'large', 'fetch'] as const)[
      this.#draw(8)
    ]!;
  }

  /** Recipients come, take what is there, and go. */
  async #visit(): Promise<void> {
    const work: Promise<unknown>[] = [];
    for (const user of ['push', 'large'] as const) {
      const client = await this.#client(user);
      if (this.#draw(3) > 0) work.push(client.register());
      else if (this.#draw(2) === 0) work.push(client.unregister());
    }
    if (this.#draw(3) === 0) work.push(this.#fetch());
    await Promise.allSettled(work);
  }

  async #fetch(): Promise<void> {
    const client = await this.#client('fetch');
    await client.retrieve({
      onMessage: ({ body }) => this.ledger.deliver(numberIn(body), 'fetch', true),
    });
  }

  async #record(): Promise<void> {
    const client = await this.#client('cut');
    // Every third one is so large that it has a file of its own.
    const size =
      this.#draw(3) === 0 ? 1_060_000 + this.#draw(200_000) : 60_000 + this.#draw(150_000);
    const entry = this.#entry('tcp', 'large', size);
    const sent = client.sendLarge('sip:large@example.org', octetsOf(entry));
    const [outcome] = await Promise.allSettled([sent]);
    if (outcome.status !== 'fulfilled' || outcome.value.msrpStatus !== 200) return;
    this.ledger.acknowledge(entry);
    this.ledger.tally.large++;
  }

  /** Of what the last look has found. */
  async #delete(): Promise<void> {
    const chosen: { readonly entry: Entry; readonly id: string }[] = [];
    for (const entry of this.ledger.entries.values()) {
      const place = this.ledger.serialOf.get(entry.number);
      if (entry.user !== 'cut' || !place || entry.deletion !== 'none') continue;
      if (chosen.length < 8) chosen.push({ entry, id: `${place.serial}@${hostname}` });
    }
    if (chosen.length === 0) return;
    for (const { entry } of chosen) entry.deletion = 'asked';
    const client = await this.#client('cut');
    const by = this.#draw(2) === 0 ? 'refer' : 'list';
    const outcome = await client
      .delete(
        chosen.map(({ id }) => id),
        { by },
      )
      .catch(() => undefined);
    if (!outcome || outcome.status >= 300) return;
    this.ledger.tally.deletions += chosen.length;
    for (const { entry } of chosen) entry.deletion = 'acknowledged';
  }

  async #subscribe(): Promise<void> {
    const sender = this.#sender!;
    const headers = [sender.contact('cut'), ['Event', 'message-summary']] as const;
    const more = { method: 'SUBSCRIBE', headers };
    const uri = 'sip:cut@example.org';
    const accepted = await sender.ask(uri, more, undefined, `<${uri}>`);
    if (accepted?.status === 200) this.#dialog = accepted.header('Call-ID')!;
  }

  async #client(user: User): Promise<ImClient> {
    const known = this.#clients.get(user);
    if (known) return known;
    const client = createImClient({
      aor: `sip:${user}@example.org`,
      server: { host: '127.0.0.1', port: this.#ports!.sip, transport: 'udp' },
      identity: 'asserted',
      deferredUri: `sip:Deferred@${hostname}`,
      limits: { answerMs: 4_000, bindMs: 4_000, idleMs: 4_000, graceMs: 50, consumerMs: 4_000 },
      trace: { record: (entry) => this.#heard(user, entry) },
      onDelivery: ({ body }) => this.ledger.deliver(numberIn(body), user),
      onTrouble: () => undefined,
    });
    this.#clients.set(user, client);
    await client.start();
    return client;
  }

  #heard(user: User, { direction, protocol, bytes }: TraceEntry): void {
    if (direction !== 'in' || protocol !== 'sip') return;
    if (bytes.subarray(0, 4).toString('latin1') !== 'BYE ') return;
    this.ledger.confirm(user);
    this.#over.get(user)?.();
  }

  // ------------------------------------------------------------------------------- the end

  /** Whoever has something gets it; what is owed comes; then the store is looked at once more. */
  async #settle(): Promise<void> {
    const owed = (): Entry[] =>
      [...this.ledger.entries.values()].filter(
        ({ user, acknowledged, taken, deletion, expiresAt }) =>
          acknowledged && user !== 'fetch' && taken === 0 && deletion === 'none' && !expiresAt,
      );
    await this.#fetch();
    for (const user of ['push', 'large', 'cut', 'fast'] as const) {
      const client = await this.#client(user);
      await client.register();
    }
    await until(() => owed().length === 0);
    const late = (): boolean =>
      [...this.ledger.entries.values()].every(
        ({ acknowledged, wantsReports, reports, expiresAt, taken, deletion }) =>
          !acknowledged ||
          ((expiresAt ?? 0) <= Date.now() &&
            (!wantsReports ||
              reports.size >= (taken === 0 && (expiresAt || deletion !== 'none') ? 2 : 1))),
      );
    await until(late);
    await until(() => !this.ledger.hasUnconfirmed);
    await this.#server!.end('SIGTERM');
    await this.#look();
    this.ledger.settle((user) => user !== 'fetch');
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** Nothing tells of everything that may still come, so that it is looked for. */
async function until(isDone: () => boolean): Promise<void> {
  const end = Date.now() + settleMs;
  while (!isDone() && Date.now() < end) await pause(20);
}
