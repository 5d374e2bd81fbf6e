/** The runners of the transport on a clock that stands still and a flow that keeps what is sent. */

import { ManualClock } from '../../../src/testing/clock.js';
import type { TransactionEvent, TransactionFacts } from '../../../src/machines/sip/index.js';
import { ClientTransactions } from '../../../src/transport/sip/client-transactions.js';
import type { ClientTransaction } from '../../../src/transport/sip/client-transactions.js';
import { zeroCounters, type Flow } from '../../../src/transport/sip/flow.js';
import type { Network } from '../../../src/transport/sip/network.js';
import { settingsOf, type SipSettings } from '../../../src/transport/sip/options.js';
import {
  ServerTransactions,
  type ServerOpening,
  type ServerTransaction,
} from '../../../src/transport/sip/server-transactions.js';
import { TimerWheel, type WheelTimer } from '../../../src/transport/sip/timer-wheel.js';
import { TransactionTimers } from '../../../src/transport/sip/transaction-timers.js';
import type { SipResponse } from '../../../src/wire/sip/message.js';
import { modelState } from './table.js';
import type { Kind } from './model.js';

const tickMs = 10;

/** A test of the test puts wrong timers in. */
export type MakeTimers = (wheel: TimerWheel, settings: SipSettings) => TransactionTimers;

export const makeTimers: MakeTimers = (wheel, settings) => new TransactionTimers(wheel, settings);

/** One transaction in its runner. `said` has what the last events made it do. */
export abstract class Bench {
  readonly clock = new ManualClock(0);
  readonly wheel = new TimerWheel(this.clock);
  readonly timers: TransactionTimers;
  readonly facts: TransactionFacts;
  readonly kind: Kind;
  said: string[] = [];

  constructor(kind: Kind, facts: TransactionFacts, makeTimers: MakeTimers) {
    this.kind = kind;
    this.facts = facts;
    this.timers = makeTimers(this.wheel, settings(this.clock, facts));
  }

  /** The runner takes the event; a timer fires by moving the clock. */
  abstract take(event: TransactionEvent): void;
  protected abstract get transaction(): ClientTransaction | ServerTransaction | undefined;
  protected abstract get size(): number;

  get state(): string {
    const state = this.transaction?.state ?? 'initial';
    if ((state === 'terminated') !== (this.size === 0)) this.said.push('table kept');
    return modelState(this.kind, state);
  }

  /** Running timers and when they are due. */
  get running(): string[] {
    const timers = [this.transaction?.repetition, this.transaction?.expiry];
    const set = timers.filter(
      (timer): timer is WheelTimer => timer !== undefined && timer.slot >= 0,
    );
    if (set.length !== this.wheel.size) this.said.push('timer lost');
    return set.map(({ name, due }) => `${name.slice(6)} ${due * tickMs}`).sort();
  }

  protected get transport(): 'udp' | 'tcp' {
    return this.facts.reliable ? 'tcp' : 'udp';
  }
}

/** The runner of this kind with one transaction. */
export function benchOf(kind: Kind, facts: TransactionFacts, make: MakeTimers): Bench {
  return kind === 'client' || kind === 'inviteClient'
    ? new ClientBench(kind, facts, make)
    : new ServerBench(kind, facts, make);
}

class ClientBench extends Bench {
  readonly #request = Buffer.from('request');
  readonly #ack = Buffer.from('ack');
  readonly #runner = new ClientTransactions(this.timers, zeroCounters(), () => undefined);
  #transaction: ClientTransaction | undefined;
  #failed: (() => void) | undefined;
  #isSent = false;

  protected override get transaction(): ClientTransaction | undefined {
    return this.#transaction;
  }

  protected override get size(): number {
    return this.#transaction ? this.#runner.size : 1;
  }

  override take(event: TransactionEvent): void {
    switch (event.type) {
      case 'start':
        this.#start();
        break;
      case 'response.received':
        this.#runner.respond('branch', this.#method, { status: event.status } as SipResponse);
        break;
      case 'transport.failed':
        this.#failed!();
        break;
      case 'cancelled':
        this.#runner.abandon(this.#transaction!);
        break;
      default:
        throw new Error(`no client is told ${event.type}`);
    }
  }

  get #method(): string {
    return this.kind === 'inviteClient' ? 'INVITE' : 'MESSAGE';
  }

  #start(): void {
    const flow: Flow = {
      transport: this.transport,
      isOpen: true,
      send: (bytes, address, port, failed) => this.#sent(bytes, `${address}:${port}`, failed),
    };
    const say = (words: string) => () => void this.said.push(words);
    this.#transaction = this.#runner.start({
      branch: 'branch',
      method: this.#method,
      bytes: this.#request,
      flow,
      address: '192.0.2.1',
      port: 5060,
      user: {
        response: say('response.pass'),
        timeout: say('user.timeout'),
        transportFailed: say('user.failed'),
        overdue: say('user.overdue'),
        acknowledgement: () => this.#ack,
      },
    });
  }

  #sent(bytes: Buffer, to: string, failed?: () => void): void {
    if (to !== '192.0.2.1:5060') this.said.push('sent astray');
    if (failed) this.#failed = failed;
    if (bytes === this.#ack) this.said.push('ack.send');
    else if (bytes !== this.#request) this.said.push('unknown octets');
    else this.said.push(this.#isSent ? 'request.repeat' : 'request.send');
    this.#isSent = true;
  }
}

class ServerBench extends Bench {
  readonly #runner: ServerTransactions;
  #transaction: ServerTransaction | undefined;
  #handed: Buffer | undefined;
  #sent: Buffer | undefined;

  constructor(kind: Kind, facts: TransactionFacts, make: MakeTimers) {
    super(kind, facts, make);
    const network = {
      reply: (_flow: Flow, bytes: Buffer, address: string, port: number) =>
        this.#replied(bytes, `${address}:${port}`),
    } as unknown as Network;
    this.#runner = new ServerTransactions(network, this.timers, zeroCounters(), {
      overdue: () => this.said.push('user.overdue'),
      settled: () => undefined,
    });
  }

  protected override get transaction(): ServerTransaction | undefined {
    return this.#transaction;
  }

  protected override get size(): number {
    return this.#transaction ? this.#runner.size : 1;
  }

  override take(event: TransactionEvent): void {
    switch (event.type) {
      case 'start':
        this.#transaction = this.#runner.open(this.#opening());
        break;
      case 'request.received':
        this.#runner.take(this.#transaction!, 'request');
        break;
      case 'ack.received':
        if (this.#runner.acknowledge(this.#transaction!)) this.said.push('ack.pass');
        break;
      case 'response.handed':
        this.#handed = Buffer.from(`${event.status}`);
        this.#runner.answer(this.#transaction!, event.status, this.#handed);
        break;
      default:
        throw new Error(`no server is told ${event.type}`);
    }
  }

  #opening(): ServerOpening {
    const flow: Flow = { transport: this.transport, isOpen: true, send: () => undefined };
    const method = this.kind === 'inviteServer' ? 'INVITE' : 'MESSAGE';
    const opening = { key: { text: 'key', hash: 0 }, request: { method }, vias: [], flow };
    return { ...opening, address: '192.0.2.1', port: 5060 } as unknown as ServerOpening;
  }

  #replied(bytes: Buffer, to: string): void {
    if (to !== '192.0.2.1:5060') this.said.push('sent astray');
    if (bytes === this.#sent) this.said.push('response.repeat');
    else this.said.push(bytes === this.#handed ? 'response.send' : 'unknown octets');
    this.#sent = bytes;
  }
}

function settings(clock: ManualClock, { t1, t2, t4, inviteMs }: TransactionFacts): SipSettings {
  const options = { listeners: [], clock, timers: { t1, t2, t4 }, limits: { inviteMs } };
  return settingsOf(options as unknown as Parameters<typeof settingsOf>[0]);
}
