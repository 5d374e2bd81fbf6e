/**
 * A node of real actors among simulated users, on a virtual clock: everything that may go wrong goes
 * wrong, by chance that comes from a seed, and the properties of the explorer have to hold.
 */

import { setImmediate as nextRound } from 'node:timers/promises';
import { createActors } from '../actors/node.js';
import type { Actors } from '../actors/node.js';
import type { Limits } from '../machines/events.js';
import type { Log } from '../ports.js';
import { createMemoryStore } from '../store/memory.js';
import type { MemoryStore } from '../store/memory.js';
import { SimulatedMsrp, SimulatedSip, SimulatedXdms } from '../testing/simulated-ports.js';
import { beginning, boundedLimits } from './bounded-facts.js';
import { SimulationError, SimulationLedger } from './simulation-ledger.js';
import type { SimulationProperty } from './simulation-property.js';
import { simulatedDomain, simulatedHost } from './simulation-requests.js';
import { messageAtRest } from './ledger.js';
import { judgeStore, storedMessages } from './simulation-store.js';
import { SimulatedUsers } from './simulated-users.js';
import { SeededRandom, VirtualClock } from './virtual-clock.js';

/** What may go wrong, each on its own. */
export const faultKinds = [
  'loss',
  'duplication',
  'delay',
  'partition',
  'refusal',
  'crash',
  'disk',
  'slow-disk',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface SimulationOptions {
  readonly seed: number;
  readonly hours: number;
  readonly users: number;
  /** All of them unless told otherwise. */
  readonly faults?: readonly FaultKind[];
  /** Stands between the actors and the store; a test plants defects here. */
  readonly wrap?: (store: MemoryStore) => MemoryStore;
  /** Beside those of the product, judged every hour and at the end. */
  readonly properties?: readonly SimulationProperty[];
  readonly onHour?: (hour: number, figures: SimulationFigures) => void;
}

export interface SimulationFigures {
  /** Requests, responses and MSRP outcomes that came in. */
  inputs: number;
  messages: number;
  acknowledged: number;
  delivered: number;
  pushes: number;
  retrievals: number;
  notifies: number;
  reports: number;
  crashes: number;
  /** Of peers and of the network. */
  faults: number;
  /** Commits that failed, and times that the disk was held up. */
  diskFaults: number;
}

export interface SimulationResult {
  readonly figures: SimulationFigures;
  readonly failure:
    { readonly property: string; readonly text: string; readonly hour: number } | undefined;
  readonly seconds: number;
}

const hourMs = 3_600_000;
/** How long users are quiet and healthy at the end, so that everything comes to rest. */
const afterMs = 6 * hourMs;

const simulationLimits: Limits = {
  ...boundedLimits,
  // Users that are simulated hold what their server sends in a MESSAGE to be a report.
  forward: { ...boundedLimits.forward, mode: 'off' },
  expiry: { enabled: true, default: 86_400, max: 86_400, large: 86_400, skewMs: 86_400_000 },
  quota: { messages: 500, octets: 10_000_000 },
  register: { ...boundedLimits.register, default: 3600, max: 7200 },
  subscribe: { ...boundedLimits.subscribe, default: 3600, max: 7200, count: 20, headers: 10 },
  deletion: { ...boundedLimits.deletion, batch: 16 },
  push: { ...boundedLimits.push, window: 8, retryMaxMs: 600_000 },
  retrieval: { ...boundedLimits.retrieval, count: 4 },
};

/** Runs one simulation; the same options give the same result. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const begun = performance.now();
  const simulation = new Simulation(options);
  const failure = await simulation.run();
  const seconds = (performance.now() - begun) / 1000;
  return { figures: simulation.figures, failure, seconds };
}

export class Simulation {
  readonly clock = new VirtualClock(beginning);
  readonly sip = new SimulatedSip({ host: 'as1.example.net' });
  readonly msrp = new SimulatedMsrp({ host: '192.0.2.20' });
  readonly xdms = new SimulatedXdms();
  readonly random: SeededRandom;
  readonly ledger: SimulationLedger;
  readonly figures: SimulationFigures = {
    ...{ inputs: 0, messages: 0, acknowledged: 0, delivered: 0, pushes: 0, retrievals: 0 },
    ...{ notifies: 0, reports: 0, crashes: 0, faults: 0, diskFaults: 0 },
  };
  /** Counts the processes: what was begun with one of them means nothing to the next. */
  process = 0;
  /** Nothing goes wrong any more: everything has to come to rest. */
  healthy = false;
  readonly #options: SimulationOptions;
  readonly #kinds: ReadonlySet<FaultKind>;
  #store: MemoryStore;
  #actors: Actors;
  #broken: SimulationError | undefined;
  readonly #users: SimulatedUsers;
  #work: Promise<void> = Promise.resolve();

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#kinds = new Set(options.faults ?? faultKinds);
    this.random = new SeededRandom(options.seed);
    this.ledger = new SimulationLedger(() => this.clock.now());
    this.#store = this.#wrapped(createMemoryStore({ clock: this.clock }));
    this.#actors = this.#createActors();
    this.#users = new SimulatedUsers(this, options.users);
  }

  /** Whether a fault of that kind happens now. */
  fails(kind: FaultKind, probability: number): boolean {
    if (this.healthy || !this.#kinds.has(kind) || !this.random.chance(probability)) return false;
    this.figures.faults++;
    return true;
  }

  /** Whether the store says that the user has the message. */
  async isRead(account: string, serial: number): Promise<boolean> {
    const [row] = await this.#store.get(account, [['ua', serial]]);
    return row === undefined || messageAtRest(row).read;
  }

  /** Calls after a while; what a breach throws ends the simulation. */
  after(delayMs: number, call: () => void): void {
    this.clock.after(delayMs, () => this.#guarded(call));
  }

  async run(): Promise<SimulationResult['failure']> {
    await this.#begin();
    this.#users.begin();
    this.#scheduleCrash();
    this.#scheduleDisk();
    const { hours, onHour } = this.#options;
    for (let hour = 1; hour <= hours && !this.#broken; hour++) {
      await this.#runFor(hourMs);
      await this.#judgeStore(false);
      onHour?.(hour, this.figures);
    }
    if (!this.#broken) await this.#settle();
    await this.#actors.stop(0);
    if (!this.#broken) return undefined;
    const { property, message, at } = this.#broken;
    return { property, text: message, hour: (at - beginning) / hourMs };
  }

  /** All is well from here on: everything that was owed has to happen. */
  async #settle(): Promise<void> {
    this.healthy = true;
    await this.#runFor(afterMs);
    await this.#judgeStore(true);
    const stored = await storedMessages(this.#store);
    this.#guarded(() => this.ledger.judge(stored, simulationLimits.expiry.default * 1000));
  }

  async #judgeStore(isQuiet: boolean): Promise<void> {
    // What is under way is let come to an end; time does not go on meanwhile.
    for (let round = 0; round < 4; round++) await nextRound();
    const named = isQuiet ? new Set(this.xdms.histories.keys()) : undefined;
    const broken = await judgeStore(this.#store, named);
    if (broken) this.#guarded(() => this.ledger.breach(broken.property, broken.text));
    for (const property of this.#options.properties ?? []) this.#judge(property, isQuiet);
  }

  #judge(property: SimulationProperty, isQuiet: boolean): void {
    const text = property.broken({
      ...{ isQuiet, elapsedMs: this.clock.now() - beginning, figures: this.figures },
      ...{ messages: this.ledger.messages.values(), counters: this.#actors.counters() },
    });
    if (text !== undefined) this.#guarded(() => this.ledger.breach(property.name, text));
  }

  async #runFor(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    const each = (): void => {
      if (this.#broken) throw this.#broken;
    };
    try {
      while (this.clock.now() < end) {
        await this.clock.runUntil(Math.min(end, this.clock.now() + 60_000), each);
        await this.#work;
      }
    } catch (error) {
      if (!(error instanceof SimulationError)) throw error;
    }
  }

  #guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!(error instanceof SimulationError)) throw error;
      this.#broken ??= error;
    }
  }

  // ------------------------------------------------------------------------------- process

  #createActors(): Actors {
    return createActors({
      ...{ store: this.#store, sip: this.sip, msrp: this.msrp, xdms: this.xdms },
      ...{ clock: this.clock, random: this.random, limits: simulationLimits, log: this.#log() },
      hostname: simulatedHost,
      domains: [simulatedDomain],
      trustedPeers: ['127.0.0.0/8'],
      version: '0',
      bounds: { nodeBlock: 1024, accountBlock: 8, accounts: 64 },
    });
  }

  async #begin(): Promise<void> {
    await this.#actors.start();
    await this.sip.start(this.#actors.sipHandler);
    await this.msrp.start(this.#actors.msrpHandler);
  }

  /** The process dies; the next one finds what is durable. */
  #crash(): void {
    this.figures.crashes++;
    this.process++;
    const remains = this.#store.crash();
    const before = this.#actors;
    this.sip.restart();
    this.msrp.restart();
    this.#store = this.#wrapped(remains);
    this.#work = before.stop(0).then(async () => {
      this.sip.restart();
      this.msrp.restart();
      this.#actors = this.#createActors();
      await this.#begin();
    });
  }

  #scheduleCrash(): void {
    this.after(this.random.exponential(2 * hourMs), () => {
      if (this.fails('crash', 1)) this.#crash();
      this.#scheduleCrash();
    });
  }

  /** Full, of unknown outcome, or slow: what is written in that time may be lost in a crash. */
  #scheduleDisk(): void {
    this.after(this.random.exponential(hourMs / 6), () => {
      if (this.fails('disk', 0.5)) {
        this.figures.diskFaults++;
        const isUnknown = this.random.chance(0.5);
        const written = this.random.chance(0.5);
        this.#store.failNext(isUnknown ? 'STORE_UNKNOWN' : 'STORE_UNAVAILABLE', written);
      } else if (this.fails('slow-disk', 0.5)) {
        this.figures.diskFaults++;
        const { release } = this.#store.hold();
        this.after(this.random.exponential(2000), release);
        if (this.fails('crash', 0.05)) this.after(1000, () => this.#crash());
      }
      this.#scheduleDisk();
    });
  }

  #wrapped(store: MemoryStore): MemoryStore {
    return this.#options.wrap?.(store) ?? store;
  }

  /** An account that stops is a breach; what else is logged is no news. */
  #log(): Log {
    const silent = (): void => undefined;
    const error = (fields: object, message: string): void => {
      const cause = 'err' in fields && fields.err instanceof Error ? fields.err.message : '';
      this.#guarded(() => this.ledger.breach('stops', `${message} ${cause}`));
    };
    return { debug: silent, info: silent, warn: silent, error };
  }
}
