/** A user of a simulation: a machine with the production client, which its user works with. */

import { createImClient } from '../../client/connect.js';
import type { DeliveredMessage, ImClient, MessageWaiting } from '../../client/im-client.js';
import type { Log } from '../../ports.js';
import type { SimulatedMessage } from '../simulation-ledger.js';
import { SeededRandom } from '../virtual-clock.js';
import { SimulatedFiles } from './files.js';
import { SimulatedHost } from './host.js';
import { ProcessClock } from './killable.js';
import { serverAddress, wireDomain, wireHostname } from './wire-server.js';
import type { WireSimulation } from './wire-simulator.js';
import { bodyOf, messageId } from './wire-message.js';
import { WireXcap } from './wire-xcap.js';

const minuteMs = 60_000;
const clientPort = 5060;
const spool = '/spool';
/** Messages above it come as files. */
const spooledFrom = 49_152;
/** Whatever a client does, and however long its peers hold it up, is over by then. */
const deedMs = 6 * 60 * minuteMs;

/** Nobody reads what a client logs; what matters is what it tells and what it sends. */
const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** One process of the client. */
interface ClientProcess {
  readonly clock: ProcessClock;
  /** The user's own, who waits for what the client does. */
  readonly patience: ProcessClock;
  readonly host: SimulatedHost;
  readonly client: ImClient;
  isDead: boolean;
  isWatching: boolean;
}

export class WireUser {
  readonly name: string;
  readonly address: string;
  readonly xcap: WireXcap;
  /** Its disk, which outlives its processes. */
  readonly #files: SimulatedFiles;
  /** Files that the user has taken, with the octets that were in them. */
  readonly #taken = new Map<string, Buffer>();
  readonly #world: WireSimulation;
  readonly #transport: 'udp' | 'tcp';
  #process: ClientProcess | undefined;

  constructor(world: WireSimulation, number: number) {
    this.#world = world;
    this.name = `u${number}`;
    this.address = `198.18.${number >> 8}.${number & 255}`;
    this.xcap = new WireXcap(world, this);
    this.#files = new SimulatedFiles(world.random, () => world.fails('disk-full', 0.005));
    this.#transport = number % 3 === 0 ? 'tcp' : 'udp';
  }

  get aor(): string {
    return `sip:${this.name}@${wireDomain}`;
  }

  begin(): void {
    this.#start();
    this.#repeat(20 * minuteMs, () => this.#write());
    this.#repeat(90 * minuteMs, () => this.#come());
    this.#repeat(120 * minuteMs, () => this.#go());
    this.#repeat(240 * minuteMs, () => this.#retrieve());
    this.#repeat(300 * minuteMs, () => this.#watch());
    this.#repeat(240 * minuteMs, () => void this.xcap.list());
    this.#repeat(180 * minuteMs, () => void this.xcap.check());
    this.#repeat(480 * minuteMs, () => void this.xcap.set(this.#world.random.chance(0.6)));
    this.#repeat(600 * minuteMs, () => this.#cut(0.5, 5 * minuteMs));
    this.#repeat(480 * minuteMs, () => this.#crash());
  }

  // ------------------------------------------------------------------------------ the end

  /** All is well: the user comes back, and takes what there is. */
  async rest(): Promise<void> {
    await this.xcap.check();
    await this.xcap.set(true);
    if (!this.#process) this.#start();
    await this.#process!.client.register({ expires: 7200 });
  }

  /** Message waiting as it is told to somebody who asks now. */
  async ask(): Promise<MessageWaiting | undefined> {
    const states = this.#process!.client.watch({ expires: 600 });
    const { value } = await states.next();
    await states.return?.();
    return value;
  }

  async stop(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    await process?.client.stop();
    if (!process) return;
    process.isDead = true;
    process.patience.kill();
    const left = this.#files.paths.find((path) => !this.#taken.has(path));
    if (left !== undefined) this.#world.breach('leak', `${this.name}: ${left} is nobody's`);
    const { pending } = process.clock;
    if (pending > 0) this.#world.breach('leak', `${this.name}: ${pending} timers behind its stop`);
  }

  // ------------------------------------------------------------------------------- process

  #start(): void {
    const { network, random } = this.#world;
    const clock = new ProcessClock(network.clock);
    const host = new SimulatedHost(network, this.address);
    const client = createImClient({
      aor: this.aor,
      server: { host: serverAddress, port: 5060, transport: this.#transport },
      local: { host: this.address, port: clientPort },
      identity: 'asserted',
      deferredUri: `sip:Deferred@${wireHostname}`,
      instance: `urn:uuid:00000000-0000-4000-8000-${this.name.slice(1).padStart(12, '0')}`,
      ...{ clock, sockets: host, log: silent, spool, files: this.#files },
      limits: { messageBytes: spooledFrom },
      random: new SeededRandom(random.below(2 ** 32)),
      onDelivery: (message) => this.#take(message, { process, by: 'push' }),
    });
    const patience = new ProcessClock(network.clock);
    const running = { clock, patience, host, client };
    const process: ClientProcess = { ...running, isDead: false, isWatching: false };
    this.#process = process;
    this.#doing(process, client.start());
  }

  #crash(): void {
    const process = this.#process;
    if (process && this.#world.fails('client-crash', 0.7)) this.#kill(process);
  }

  #kill(process: ClientProcess): void {
    if (process.isDead) return;
    this.#world.figures.clientCrashes++;
    process.isDead = true;
    this.#process = undefined;
    process.clock.kill();
    process.patience.kill();
    const how = this.#world.random.chance(0.5) ? 'power' : 'process';
    process.host.kill(how);
    this.#files.crash(how);
    this.#checkTaken();
    this.#world.after(this.#world.random.exponential(5 * minuteMs), () => {
      if (!this.#process) this.#start();
    });
  }

  #cut(probability: number, meanMs: number): void {
    const { random, figures, network } = this.#world;
    if (!this.#world.fails('partition', probability)) return;
    figures.partitions++;
    network.weather.cut(this.address, random.exponential(meanMs));
  }

  // --------------------------------------------------------------------------------- deeds

  #write(): void {
    const process = this.#process;
    if (!process) return;
    const { random, ledger, figures, clock } = this.#world;
    const to = this.#world.users[random.below(this.#world.users.length)]!;
    const isLarge = random.chance(0.15);
    const reports = !isLarge && random.chance(0.3);
    figures.messages++;
    if (isLarge) figures.large++;
    const id = messageId(figures.messages, isLarge ? largeBytes(random) : 10 + random.below(900));
    const message = ledger.sent({
      ...{ id, from: this.name, to: to.name, reports },
      sentAt: clock.now(),
    });
    const body = bodyOf(id);
    const sending = isLarge
      ? process.client
          .sendLarge(to.aor, body)
          .then(({ status, msrpStatus }) => (status < 300 ? (msrpStatus ?? 408) : status))
      : process.client
          .send(to.aor, body, { requestReports: reports })
          .then((outcome) => outcome.status);
    void sending.then(
      (status) => this.#settle(message, status),
      () => this.#settle(message, 0),
    );
  }

  #settle(message: SimulatedMessage, status: number): void {
    if (status >= 200 && status < 300) {
      this.#world.figures.acknowledged++;
      message.status = 'acknowledged';
      message.acknowledgedAt = this.#world.clock.now();
    } else
      message.status = status >= 300 && status < 500 && status !== 408 ? 'declined' : 'unknown';
  }

  #come(): void {
    const process = this.#process;
    if (!process) return;
    this.#world.figures.registrations++;
    const expires = 600 + this.#world.random.below(3000);
    this.#doing(process, process.client.register({ expires }));
  }

  #go(): void {
    const process = this.#process;
    if (process) this.#doing(process, process.client.unregister());
  }

  #retrieve(): void {
    const process = this.#process;
    if (!process) return;
    this.#world.figures.retrievals++;
    const onMessage = (message: DeliveredMessage): Promise<void> =>
      this.#take(message, { process, by: 'retrieval' });
    this.#doing(process, process.client.retrieve({ onMessage }));
  }

  #watch(): void {
    const process = this.#process;
    if (!process || process.isWatching) return;
    process.isWatching = true;
    const watch = async (): Promise<void> => {
      const states = process.client.watch({ expires: 1800 });
      try {
        for (let next = await states.next(); next.done !== true; next = await states.next()) {
          this.#world.figures.waiting++;
          if (this.#world.healthy) await states.return?.();
        }
      } finally {
        process.isWatching = false;
      }
    };
    this.#doing(process, watch(), Infinity);
  }

  /** The user has the message when this has settled; a process that dies here never says so. */
  async #take(
    message: DeliveredMessage,
    { process, by }: { readonly process: ClientProcess; readonly by: 'push' | 'retrieval' },
  ): Promise<void> {
    const { random } = this.#world;
    // The answer may find nobody, and the rest of the session neither.
    this.#cut(0.005, 2 * minuteMs);
    if (this.#world.fails('slow-peer', 0.02)) {
      await new Promise<void>((resolve) =>
        process.patience.after(random.exponential(8_000), resolve),
      );
    }
    if (this.#world.fails('refusal', 0.01)) throw new NoRoom('the user has no room');
    const received = this.#world.received(this, this.#opened(message), by);
    if (this.#world.fails('client-crash', 0.003)) {
      this.#kill(process);
      await new Promise(() => undefined);
    }
    if (received) received.taken++;
  }

  /** The message as it stands in its file, which is the user's from here on. */
  #opened(message: DeliveredMessage): DeliveredMessage {
    const { spooled } = message;
    if (!spooled) return message;
    const { path, size, body } = spooled;
    const payload = this.#files.octetsOf(path) ?? Buffer.alloc(0);
    if (payload.length !== size) this.#world.breach('whole', `${path} has other octets`);
    this.#world.figures.spooled++;
    this.#taken.set(path, payload);
    return { ...message, payload, body: payload.subarray(body.offset, body.offset + body.size) };
  }

  /** What the user has taken is there, whatever happened; what nobody took is cleared away. */
  #checkTaken(): void {
    for (const [path, octets] of this.#taken) {
      if (this.#files.octetsOf(path)?.equals(octets) === true) continue;
      this.#world.breach('spool', `${this.name} has taken ${path}, and it is lost`);
    }
    for (const path of this.#files.paths) void this.#files.remove(path);
    this.#taken.clear();
  }

  // -------------------------------------------------------------------------------- chance

  /** What the client refuses or cannot do is no defect; that it says nothing at all would be. */
  #doing(process: ClientProcess, deed: Promise<unknown>, longestMs = deedMs): void {
    const { clock } = this.#world;
    const begun = new Date(clock.now()).toISOString();
    const late = (): void => this.#world.breach('waits', `${this.name} has waited since ${begun}`);
    // With the process its clock stops.
    const over = longestMs < Infinity ? process.patience.after(longestMs, late) : () => undefined;
    deed.then(over, (error: unknown) => {
      over();
      if (process.isDead || (error instanceof Error && 'code' in error)) return;
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#world.breach('client', `${this.name}: ${text}`);
    });
  }

  /** Again and again, as long as things may go wrong. */
  #repeat(meanMs: number, act: () => void): void {
    this.#world.after(this.#world.random.exponential(meanMs), () => {
      if (this.#world.healthy) return;
      act();
      this.#repeat(meanMs, act);
    });
  }
}

/** Some have to be kept in pieces. */
function largeBytes(random: SeededRandom): number {
  return 2_000 + random.below(random.chance(0.05) ? 400_000 : 60_000);
}

/** The user takes nothing more for now. */
class NoRoom extends Error {
  readonly code = 'ENOSPC';
}
