/** Flows: transcripts of what a node does, step by step, on simulated ports. */

import { createActors } from '../actors/node.js';
import type { Actors } from '../actors/node.js';
import type { ActorsOptions } from '../actors/options.js';
import type { Change, Log, RowKey, StorePort, TurnEntry } from '../ports.js';
import { CountingRandom, ManualClock } from './clock.js';
import { flowCommands } from './flow-commands.js';
import { describeCall } from './flow-calls.js';
import { SimulatedMsrp, SimulatedSip, SimulatedXdms } from './simulated-ports.js';

/** A store that can crash; what remains is what the next process finds. */
export interface FlowStore extends StorePort {
  crash(): FlowStore;
  failNext(code: 'STORE_UNAVAILABLE' | 'STORE_UNKNOWN' | 'STORE_STALE', written?: boolean): void;
  hold(): { readonly release: () => void };
}

export interface FlowOptions {
  readonly createStore: (clock: ManualClock) => FlowStore;
  readonly actors: Pick<ActorsOptions, 'limits' | 'hostname' | 'domains' | 'version'> &
    Partial<ActorsOptions>;
  /** Metadata goes to a simulated external XDMS. */
  readonly xdms?: boolean;
}

/** One node in its simulated world. */
export class FlowWorld {
  readonly clock = new ManualClock();
  readonly sip = new SimulatedSip({ host: 'as1.poste.example.net' });
  readonly msrp = new SimulatedMsrp({ host: '192.0.2.20' });
  readonly xdms = new SimulatedXdms();
  /** What happened since it was last read. */
  readonly lines: string[] = [];
  /** Numbers the requests of peers, so that each is a transaction of its own. */
  requests = 0;
  /** Whether what actors tell each other is part of the transcript. */
  isTracing = false;
  held: { readonly release: () => void } | undefined;
  store: FlowStore;
  actors: Actors;
  readonly #options: FlowOptions;
  readonly #random = new CountingRandom();

  constructor(options: FlowOptions) {
    this.#options = options;
    this.store = options.createStore(this.clock);
    this.actors = this.#createActors();
    const watch = (call: Parameters<typeof describeCall>[0]): void => {
      this.lines.push(...describeCall(call));
    };
    this.sip.watch = watch;
    this.msrp.watch = watch;
    this.xdms.watch = watch;
  }

  async start(): Promise<void> {
    await this.actors.start();
    await this.sip.start(this.actors.sipHandler);
    await this.msrp.start(this.actors.msrpHandler);
  }

  /** The process dies and another one begins with what is durable. */
  async crash(): Promise<void> {
    const store = this.store.crash();
    await this.actors.stop(0);
    await this.settle();
    this.sip.restart();
    this.msrp.restart();
    this.lines.length = 0;
    this.store = store;
    this.held = undefined;
    this.actors = this.#createActors();
    await this.start();
  }

  async stop(): Promise<void> {
    this.held?.release();
    await this.actors.stop(0);
    await this.store.close();
  }

  /** Waits until nothing happens any more: everything in this world takes only turns of the loop. */
  async settle(): Promise<void> {
    for (let quiet = 0, before = -1; quiet < 8; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.lines.length !== before) quiet = 0;
      before = this.lines.length;
    }
  }

  /** Moves time on in steps, so that what one timer causes is done before the next one expires. */
  async advance(ms: number, stepMs = 500): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(left, stepMs));
      await this.settle();
    }
  }

  #createActors(): Actors {
    const { actors, xdms } = this.#options;
    return createActors({
      ...actors,
      store: this.#recorded(this.store),
      sip: this.sip,
      msrp: this.msrp,
      ...(xdms === true && { xdms: this.xdms }),
      clock: this.clock,
      random: this.#random,
      log: this.#log(),
      turns: { record: (entry) => this.#told(entry) },
    });
  }

  /** What the actors say to each other, while the flow wants it told. */
  #told({ told }: TurnEntry): void {
    if (!this.isTracing) return;
    for (const { by, to, event } of told) {
      this.lines.push(`told   ${by ?? 'world'} -> ${to} ${event.type}`);
    }
  }

  #log(): Log {
    const note = (level: string) => (fields: object, message: string) => {
      const code = 'code' in fields ? ` ${String(fields.code)}` : '';
      const error = 'err' in fields && fields.err instanceof Error ? ` ${fields.err.message}` : '';
      this.lines.push(`log    ${level}: ${message}${code}${error}`);
    };
    return { debug: () => undefined, info: note('info'), warn: note('warn'), error: note('error') };
  }

  #recorded(store: StorePort): StorePort {
    const commit: StorePort['commit'] = async (account, version, change) => {
      const line = `commit ${account}${describeChange(change, this.clock.now())}`;
      try {
        const next = await store.commit(account, version, change);
        this.lines.push(line);
        return next;
      } catch (error) {
        this.lines.push(`${line} FAILED`);
        throw error;
      }
    };
    return Object.assign(Object.create(store) as StorePort, { commit });
  }
}

/**
 * Runs the commands of a flow and returns its text with what happened below each of them. A command
 * stands at the beginning of a line; lines with `+ ` below it belong to it; `#` begins a comment;
 * indented lines are what happened, and are made anew.
 */
export async function runFlow(text: string, options: FlowOptions): Promise<string> {
  const world = new FlowWorld(options);
  await world.start();
  await world.settle();
  world.lines.length = 0;
  const result: string[] = [];
  for (const { lines, command } of stepsOf(text)) {
    result.push(...lines);
    if (command === undefined) continue;
    const [name = '', ...args] = command.split(/\s+/);
    const run = flowCommands.get(name);
    if (!run) throw new Error(`no such command: ${command}`);
    await run(
      world,
      args,
      lines.slice(1).map((line) => line.slice(2)),
    );
    await world.settle();
    for (const line of world.lines.splice(0)) result.push(`  ${line}`.trimEnd());
  }
  await world.stop();
  return `${result.join('\n')}\n`;
}

interface FlowStep {
  readonly lines: string[];
  readonly command: string | undefined;
}

function stepsOf(text: string): FlowStep[] {
  const steps: FlowStep[] = [];
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('  ')) continue;
    if (line.startsWith('+ ')) steps.at(-1)?.lines.push(line);
    else steps.push({ lines: [line], command: /^(#|$)/.test(line) ? undefined : line });
  }
  return steps;
}

function describeChange(change: Change, now: number): string {
  const words: string[] = [];
  for (const { key } of change.puts) words.push(`+${describeKey(key, now)}`);
  for (const key of change.deletes) words.push(`-${describeKey(key, now)}`);
  for (const { serial } of change.keeps) words.push(`+content/${serial}`);
  for (const serial of change.drops) words.push(`-content/${serial}`);
  if (change.wakeAt === null) words.push('wake=never');
  else if (change.wakeAt !== undefined) words.push(`wake=${seconds(change.wakeAt - now)}`);
  return words.map((word) => ` ${word}`).join('');
}

function describeKey(key: RowKey, now: number): string {
  switch (key[0]) {
    case 'actor':
      return key[1];
    case 'ua':
      return `ua/${key[1]}`;
    case 'timer':
      return `timer/${key[2].replace(' ', '/')}@${seconds(key[1] - now)}`;
    case 'outbox':
      return `outbox/${key[1]}`;
    case 'seen':
      return 'seen';
    default:
      return key satisfies never;
  }
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}
