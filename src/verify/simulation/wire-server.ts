/** The production server on a simulated machine: started, killed, started again. */

import { settingsOf } from '../../config.js';
import type { Clock, Log, StorePort, Trace } from '../../ports.js';
import { startServer, type Server } from '../../server.js';
import { AccountStore, storeLimits } from '../../store/account-store.js';
import { takeBlocks } from '../../store/number-blocks.js';
import { targetOf, type Resolve } from '../../transport/sip/resolve.js';
import { SeededRandom } from '../virtual-clock.js';
import type { SimulatedDisk } from './disk.js';
import { SimulatedHost } from './host.js';
import { ProcessClock } from './killable.js';
import { LogTable } from './log-table.js';
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
  readonly disk: SimulatedDisk;
  readonly random: SeededRandom;
  readonly log: Log;
  readonly trace: Trace;
  /** Stands between the server and its store. */
  readonly watch: (store: StorePort) => StorePort;
}

/** The store as the next process would find it; the one that runs is not disturbed. */
export function storeOn(disk: SimulatedDisk, clock: Clock, log: Log): StorePort {
  const table = new LogTable(disk.copy());
  const { blocks } = takeBlocks(table);
  return new AccountStore({
    table,
    log,
    clock,
    blocks,
    limits: storeLimits,
    defer: queueMicrotask,
  });
}

/** One process: it dies with its clock, its sockets and its store. */
export class WireServer {
  readonly clock: ProcessClock;
  readonly store: StorePort;
  readonly #host: SimulatedHost;
  readonly #accounts: AccountStore;
  readonly #table: LogTable;
  #server: Server | undefined;
  #isDead = false;

  private constructor(parts: WireServerParts, table: LogTable, accounts: AccountStore) {
    this.clock = new ProcessClock(parts.network.clock);
    this.#host = new SimulatedHost(parts.network, serverAddress);
    this.#table = table;
    this.#accounts = accounts;
    this.store = parts.watch(accounts);
  }

  static async start(parts: WireServerParts): Promise<WireServer> {
    const { network, disk, random, log, trace } = parts;
    const table = new LogTable(disk);
    const { blocks, operations } = takeBlocks(table);
    await table.write(operations);
    const accounts = new AccountStore({
      ...{ table, log, clock: network.clock, blocks, limits: storeLimits },
      defer: queueMicrotask,
    });
    const process = new WireServer(parts, table, accounts);
    const server = await startServer(settings, {
      ...{ store: process.store, clock: process.clock, log, trace, resolve: atServer },
      random: new SeededRandom(random.below(2 ** 32)),
      sockets: process.#host,
    });
    process.#server = server;
    return process;
  }

  counters(): Readonly<Record<string, number>> {
    return this.#server!.counters();
  }

  async stop(): Promise<void> {
    await this.#server!.stop(5_000);
    await this.#accounts.close();
    this.#isDead = true;
  }

  kill(how: 'process' | 'power'): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.clock.kill();
    this.#host.kill(how);
    this.#accounts.kill();
    void this.#table.close();
  }
}

/** The names of the domain lead to the server, which is its own registrar and proxy. */
const atServer: Resolve = (hop) => {
  const isName = hop.host === wireDomain || hop.host === wireHostname;
  return [targetOf(hop, isName ? serverAddress : hop.host)];
};
