/**
 * The production server and production clients on a network and a disk in memory: every octet goes
 * through the transports, on a virtual clock, and the same seed gives the same octets.
 */

import type { DeliveredMessage } from '../../client/im-client.js';
import type { Log, StorePort } from '../../ports.js';
import { StoreError } from '../../store/store-error.js';
import { beginning } from '../bounded-facts.js';
import { SimulationError, SimulationLedger } from '../simulation-ledger.js';
import type { SimulatedMessage } from '../simulation-ledger.js';
import { judgeStore, storedMessages } from '../simulation-store.js';
import { SeededRandom, VirtualClock } from '../virtual-clock.js';
import { DiskError, SimulatedDisk } from './disk.js';
import { HostClock } from './host-clock.js';
import { SimulatedNetwork } from './network.js';
import { Weather } from './weather.js';
import { judgeMetadata, judgeRest, judgeWaiting, storedForUsers } from './wire-rest.js';
import { wireFaultKinds } from './wire-options.js';
import type { WireFaultKind, WireFigures, WireOptions, WireResult } from './wire-options.js';
import { expirySeconds, serverAddress, storeOn, WireServer } from './wire-server.js';
import { bodyOf, idOf } from './wire-message.js';
import { WireUser } from './wire-user.js';
import { WireWitness } from './wire-witness.js';

const hourMs = 3_600_000;
/** How long all is well before what is left is looked at. */
const restHours = 4;
/** So long after its time nothing is left to be told of a message. */
const forgetMs = 3 * expirySeconds * 1000;
/** What the clock of the server is off at most: seconds usually, and sometimes that much. */
const jumpMax = hourMs;

/** Runs one simulation; the same options give the same octets. */
export async function simulateWire(options: WireOptions): Promise<WireResult> {
  const begun = performance.now();
  const simulation = new WireSimulation(options);
  const failure = await simulation.run();
  const { figures, network, disk } = simulation;
  return {
    ...{ figures, failure, traffic: network.traffic, disk: disk.figures },
    digest: network.digest(),
    seconds: (performance.now() - begun) / 1000,
  };
}

export class WireSimulation {
  readonly clock = new VirtualClock(beginning);
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  readonly ledger: SimulationLedger;
  readonly users: readonly WireUser[];
  readonly figures: WireFigures = {
    ...{
      inputs: 0,
      messages: 0,
      large: 0,
      acknowledged: 0,
      delivered: 0,
      repeated: 0,
      ...{ retrievedAgain: 0, pushedUnconfirmed: 0, pushedUnheard: 0, pushedUnwritten: 0 },
      retrievals: 0,
      reports: 0,
    },
    ...{ spooled: 0, xcap: 0 },
    ...{ registrations: 0, waiting: 0, crashes: 0, clientCrashes: 0, partitions: 0, faults: 0 },
    clockJumps: 0,
  };
  /** Nothing goes wrong any more: everything has to come to rest. */
  healthy = false;
  readonly #options: WireOptions;
  readonly #kinds: ReadonlySet<WireFaultKind>;
  readonly #witness: WireWitness;
  /** Of the host of the server. */
  readonly #hostClock: HostClock;
  #server: WireServer | undefined;
  #broken: SimulationError | undefined;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#kinds = new Set(options.faults ?? wireFaultKinds);
    this.random = new SeededRandom(options.seed);
    const now = (): number => this.clock.now();
    const fails = (kind: WireFaultKind, probability: number) => this.fails(kind, probability);
    this.network = new SimulatedNetwork(this.clock, new Weather(this.random, fails, now));
    this.disk = new SimulatedDisk({ clock: this.clock, random: this.random, fails });
    this.ledger = new SimulationLedger(now);
    this.#hostClock = new HostClock(this.clock);
    this.#witness = new WireWitness({
      ...{ ledger: this.ledger, now, latest: () => this.#hostClock.latest() },
      guarded: (call) => this.#guarded(call),
    });
    this.users = Array.from({ length: options.users }, (_, number) => new WireUser(this, number));
  }

  /** The process of this moment, if there is one. */
  get server(): WireServer | undefined {
    return this.#server;
  }

  /** Whether a fault of that kind happens now. */
  fails(kind: WireFaultKind, probability: number): boolean {
    if (this.healthy || !this.#kinds.has(kind) || !this.random.chance(probability)) return false;
    this.figures.faults++;
    return true;
  }

  /** Calls after a while; what a breach throws ends the simulation. */
  after(delayMs: number, call: () => void): void {
    this.clock.after(delayMs, () => this.#guarded(call));
  }

  breach(property: string, text: string): void {
    this.#guarded(() => this.ledger.breach(property, text));
  }

  /** Something has come to a user, as the client hands it over; undefined: no message. */
  received(
    user: WireUser,
    message: DeliveredMessage,
    by: 'push' | 'retrieval',
  ): SimulatedMessage | undefined {
    let received: SimulatedMessage | undefined;
    this.#guarded(() => {
      if (message.payload.includes('<message-id>')) {
        this.figures.reports++;
        this.ledger.reported(this.#named(message.payload), message.callId ?? '');
        return;
      }
      this.figures.delivered++;
      const id = idOf(message.body.length > 0 ? message.body : message.payload);
      const sent = this.ledger.messages.get(id ?? '');
      if (!sent) this.ledger.breach('whole', `${user.name} gets what nobody sent: ${String(id)}`);
      if (sent.to !== user.name) this.ledger.breach('whole', `${sent.id} comes to ${user.name}`);
      const octets = bodyOf(sent.id);
      // Who asks for reports wraps the octets in CPIM.
      const body = sent.reports ? message.body.subarray(-octets.length) : message.body;
      if (!body.equals(octets)) {
        this.ledger.breach('whole', `${sent.id} comes with other octets`);
      }
      if (sent.received > 0) this.#repeated(sent, by);
      sent.received++;
      received = sent;
    });
    return received;
  }

  /** Why it comes once more: that it should, or why nobody knows that it has come. */
  #repeated({ id, taken }: SimulatedMessage, by: 'push' | 'retrieval'): void {
    const { figures } = this;
    figures.repeated++;
    if (by === 'retrieval') figures.retrievedAgain++;
    else if (taken === 0) figures.pushedUnconfirmed++;
    else if (this.#witness.isUnwritten(id)) figures.pushedUnwritten++;
    else figures.pushedUnheard++;
  }

  async run(): Promise<WireResult['failure']> {
    this.#begin();
    this.#scheduleCrash();
    this.#scheduleJump();
    for (const user of this.users) user.begin();
    const { hours, onHour } = this.#options;
    for (let hour = 1; hour <= hours && !this.#broken; hour++) {
      await this.#runFor(hourMs);
      await this.#judgeStore();
      this.#forget();
      onHour?.(hour, this.figures);
    }
    if (!this.#broken) await this.#rest();
    if (!this.#broken) return undefined;
    const { property, message, at } = this.#broken;
    return { property, text: message, hour: (at - beginning) / hourMs };
  }

  // ---------------------------------------------------------------------------- the server

  #begin(): void {
    this.network.setDark(serverAddress, false);
    const server = new WireServer({
      ...{ network: this.network, disk: this.disk, random: this.random, log: this.#log() },
      clock: this.#hostClock,
      trace: { record: (entry) => this.#witness.sent(entry) },
      watch: (store) => {
        const watched = this.#witness.watch(store);
        return this.#options.wrap?.(watched) ?? watched;
      },
    });
    this.#server = server;
    server.started.catch((error: unknown) => {
      if (this.#server !== server) return;
      // A disk that fails when it starts: it is started again.
      if (!isOfDisk(error)) this.breach('starts', String(error));
      this.#end('process');
      this.after(1_000, () => this.#begin());
    });
  }

  /** The process is gone. */
  #end(how: 'process' | 'power'): void {
    const server = this.#server!;
    this.#server = undefined;
    this.figures.inputs += turnsOf(server);
    server.kill(how);
    this.disk.crash(how);
  }

  #crash(): void {
    if (!this.#server) return;
    this.figures.crashes++;
    const how = this.random.chance(0.5) ? 'power' : 'process';
    this.#end(how);
    if (how === 'power') this.network.setDark(serverAddress, true);
    this.after(500 + this.random.exponential(20_000), () => this.#begin());
  }

  #scheduleCrash(): void {
    this.after(this.random.exponential(3 * hourMs), () => {
      if (this.fails('crash', 1)) {
        // Most of them where it hurts: when something is written and nobody knows of it yet.
        if (this.random.chance(0.7)) this.disk.duringNextWrite(() => this.#crash());
        else this.#crash();
      }
      this.#scheduleCrash();
    });
  }

  /** Somebody sets the clock of the server, wrong or right. */
  #scheduleJump(): void {
    this.after(this.random.exponential(4 * hourMs), () => {
      if (this.fails('clock-jump', 1)) {
        this.figures.clockJumps++;
        const farMs = this.random.chance(0.1) ? jumpMax : 10_000;
        this.#hostClock.set((this.random.next() * 2 - 1) * farMs);
      }
      this.#scheduleJump();
    });
  }

  // --------------------------------------------------------------------------- judging

  async #judgeStore(): Promise<void> {
    if (this.#broken) return;
    const store = this.#durable();
    const broken = await judgeStore(store, undefined);
    if (broken) this.breach(broken.property, broken.text);
    const stored = await storedMessages(store);
    this.#guarded(() => this.ledger.judgeDurable(stored, this.#expiryMs()));
  }

  #forget(): void {
    this.#guarded(() => this.ledger.forget(forgetMs, this.#expiryMs()));
    this.#witness.forget(forgetMs);
  }

  /** For how long a message is kept at least, with a clock that is set while it is. */
  #expiryMs(): number {
    return expirySeconds * 1000 - this.#hostClock.spreadMs;
  }

  #durable(): StorePort {
    return storeOn(this.disk, this.clock, this.#log());
  }

  /** All is well from here on: everything that was owed has to happen, and nothing is left over. */
  async #rest(): Promise<void> {
    this.healthy = true;
    this.network.weather.clear();
    this.disk.clear();
    this.#hostClock.set(0);
    await this.#runFor(hourMs);
    await this.#during(Promise.all(this.users.map((user) => user.rest())));
    await this.#runFor(restHours * hourMs);
    const server = this.#server;
    if (this.#broken) return;
    if (!server?.server) {
      this.breach('starts', 'all is well for hours, and the server does not run');
      return;
    }
    await this.#judgeStore();
    const stored = await storedMessages(this.#durable());
    this.#guarded(() => this.ledger.judge(stored, this.#expiryMs()));
    await this.#judgeAnswers();
    await this.#during(Promise.all(this.users.map((user) => user.stop())));
    await this.#runFor(2 * hourMs);
    const left = judgeRest(server.counters(), this.network.open);
    if (left !== undefined) this.breach('leak', left);
    this.figures.inputs += turnsOf(server);
    await this.#during(server.stop());
  }

  /** Everybody asks what is there. */
  async #judgeAnswers(): Promise<void> {
    const { users } = this;
    const before = await storedForUsers(this.#durable(), users);
    const told = await this.#during(Promise.all(users.map((user) => user.ask())));
    const listed = await this.#during(Promise.all(users.map((user) => user.xcap.list())));
    if (this.#broken) return;
    const after = await storedForUsers(this.#durable(), users);
    const waiting = judgeWaiting({ users, before, after }, told!);
    if (waiting !== undefined) this.breach('waiting', waiting);
    const metadata = judgeMetadata({ users, before, after }, listed!);
    if (metadata !== undefined) this.breach('metadata', metadata);
  }

  /** Time goes on until it has settled. */
  async #during<Result>(work: Promise<Result>): Promise<Result | undefined> {
    let settled: { readonly result?: Result } | undefined;
    work.then(
      (result) => (settled = { result }),
      (error: unknown) => {
        settled = {};
        this.breach('rest', `all is well, and yet: ${String(error)}`);
      },
    );
    for (let minute = 0; minute < 60 && !settled && !this.#broken; minute++) {
      await this.#runFor(60_000);
    }
    if (!settled) this.breach('rest', 'all is well, and a client has no answer within an hour');
    return settled?.result;
  }

  async #runFor(ms: number): Promise<void> {
    if (this.#broken) return;
    const end = this.clock.now() + ms;
    try {
      await this.clock.runUntil(end, () => {
        if (this.#broken) throw this.#broken;
      });
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

  /** The report with the id of the message in place of the Message-ID that the client has drawn. */
  #named(report: Buffer): Buffer {
    const text = report.toString('latin1');
    const drawn = /<message-id>([^<]+)</.exec(text)?.[1] ?? '';
    return Buffer.from(text.replace(drawn, this.#witness.sentAs(drawn) ?? drawn), 'latin1');
  }

  /** An account that stops is a breach; what else is logged is no news. */
  #log(): Log {
    const silent = (): void => undefined;
    const error = (fields: object, message: string): void => {
      if (!('err' in fields)) return;
      const cause = fields.err instanceof Error ? (fields.err.stack ?? '') : String(fields.err);
      this.breach('stops', `${message} ${cause}`);
    };
    return { debug: silent, info: silent, warn: silent, error };
  }
}

/** Whether the error says that the disk has failed. */
function isOfDisk(error: unknown): boolean {
  return error instanceof DiskError || error instanceof StoreError;
}

function turnsOf(server: WireServer): number {
  return server.counters()['actors.turns'] ?? 0;
}
