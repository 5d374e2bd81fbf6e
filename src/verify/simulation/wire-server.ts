/** The production server on a simulated machine: started, killed, started again. */

import { settingsOf } from '../../config.js';
import type { Clock, Log, StorePort, Trace } from '../../ports.js';
import type { Server } from '../../server.js';
import { startNode } from '../../server/node.js';
import { AccountStore, storeLimits } from '../../store/account-store.js';
import { takeBlocks } from '../../store/number-blocks.js';
import type { Operation } from '../../store/table.js';
import { targetOf, type Resolve } from '../../transport/sip/resolve.js';
import type { XcapExchange } from '../../transport/xcap/exchange.js';
import { SeededRandom } from '../virtual-clock.js';
import type { SimulatedDisk } from './disk.js';
import { SimulatedHost } from './host.js';
import { ProcessClock } from './killable.js';
import { LogTable } from './log-table.js';
import { xcapOf } from './wire-xdms.js';
import type { SimulatedNetwork } from './network.js';

export const serverAddress = '192.0.2.20';
export const wireDomain = 'example.net';
export const wireHostname = 's07.example.net';
/** Seconds for which messages are kept. */
export const expirySeconds = 86_400;

const settings = settingsOf({
  sip: {
    listen: [
      { transport: 'udp', host: serverAddress, port: 5060 },
      { transport: 'tcp', host: serverAddress, port: 5060 },
    ],
  },
  msrp: { host: serverAddress, port: 2855 },
  identity: {
    hostname: wireHostname,
    domains: [wireDomain],
    trustedPeers: ['192.0.2.0/24', '198.18.0.0/15'],
  },
  limits: {
    expiry: { default: expirySeconds, max: expirySeconds, large: expirySeconds },
    subscribe: { min: 60, default: 3600, max: 7200 },
  },
  log: { level: 'silent' },
});

export interface WireServerParts {
  readonly network: SimulatedNetwork;
  /** Of its host. */
  readonly clock: Clock;
  readonly disk: SimulatedDisk;
  readonly random: SeededRandom;
  readonly log: Log;
  readonly trace: Trace;
  /** Stands between the server and its store. */
  readonly watch: (store: StorePort) => StorePort;
}

/** The store as the next process would find it; the one that runs is not disturbed. */
export function storeOn(disk: SimulatedDisk, clock: Clock, log: Log): StorePort {
  return accountStoreOn(new LogTable(disk.copy()), clock, log).accounts;
}

function accountStoreOn(table: LogTable, clock: Clock, log: Log) {
  const { blocks, operations } = takeBlocks(table);
  const limits = storeLimits;
  const parts = { table, log, clock, blocks, limits, defer: queueMicrotask };
  return { accounts: new AccountStore(parts), operations };
}

/** One process: it dies with its clock, its sockets and its store. */
export class WireServer {
  /** Settles when it serves, or cannot. */
  readonly started: Promise<void>;
  readonly #clock: ProcessClock;
  readonly #host: SimulatedHost;
  readonly #accounts: AccountStore;
  readonly #table: LogTable;
  /** Settles when the process is gone: nothing that was asked of it is answered. */
  readonly died: Promise<undefined>;
  #die: () => void = () => undefined;
  #server: Server | undefined;
  #xcap: XcapExchange | undefined;
  #isDead = false;

  constructor(parts: WireServerParts) {
    const { network, disk, log, clock } = parts;
    this.#clock = new ProcessClock(clock);
    this.#host = new SimulatedHost(network, serverAddress);
    this.#table = new LogTable(disk);
    const { accounts, operations } = accountStoreOn(this.#table, clock, log);
    this.#accounts = accounts;
    this.died = new Promise((resolve) => (this.#die = () => resolve(undefined)));
    this.started = this.#start(parts, operations);
  }

  /** Undefined until it serves. */
  get server(): Server | undefined {
    return this.#server;
  }

  /** What stands behind HTTP, as long as the process serves. */
  get xcap(): XcapExchange | undefined {
    return this.#isDead ? undefined : this.#xcap;
  }

  counters(): Readonly<Record<string, number>> {
    return this.#server?.counters() ?? {};
  }

  async stop(): Promise<void> {
    await this.#server!.stop(5_000);
    await this.#accounts.close();
    this.#isDead = true;
  }

  kill(how: 'process' | 'power'): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#die();
    this.#clock.kill();
    this.#host.kill(how);
    this.#accounts.kill();
    void this.#table.close();
  }

  async #start(parts: WireServerParts, operations: readonly Operation[]): Promise<void> {
    const { random, log, trace, watch } = parts;
    await this.#table.write(operations);
    // What one process starts; `startServer` loads it first, which takes time that is not simulated.
    const server = await startNode(settings, {
      ...{ store: watch(this.#accounts), clock: this.#clock, log, trace, resolve: atServer },
      random: new SeededRandom(random.below(2 ** 32)),
      sockets: this.#host,
    });
    if (this.#isDead) return;
    this.#server = server;
    this.#xcap = xcapOf(server.accounts);
  }
}

/** The names of the domain lead to the server, which is its own registrar and proxy. */
const atServer: Resolve = (hop) => {
  const isName = hop.host === wireDomain || hop.host === wireHostname;
  return [targetOf(hop, isName ? serverAddress : hop.host)];
};
