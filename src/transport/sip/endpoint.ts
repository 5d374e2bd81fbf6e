/** SIP at the transaction-user boundary, over datagrams and connections. */

import { strict as assert } from 'node:assert';
import type { HeaderField, SipMessage, SipRequest, SipResponse } from '../../wire/sip/message.js';
import { WireError } from '../../wire/error.js';
import { parseCseq } from '../../wire/sip/cseq.js';
import { parseVia, type Via } from '../../wire/sip/via.js';
import type {
  Owner,
  Peer,
  SipAnswer,
  SipHandler,
  SipOutgoing,
  SipPort,
  TransactionId,
} from '../../ports.js';
import { AnsweredTransactions } from './answered-transactions.js';
import { ClientTransactions } from './client-transactions.js';
import { InviteDialogs } from './dialogs.js';
import { zeroCounters, type Flow, type Receiver } from './flow.js';
import { TextHash } from './keyed-hash.js';
import { heedKeep } from './keep.js';
import { Network } from './network.js';
import {
  settingsOf,
  type SipAddress,
  type SipEndpointOptions,
  type SipSettings,
  type SipTransport,
} from './options.js';
import { ServerTransactions } from './server-transactions.js';
import { SessionRefreshes } from './session-refreshes.js';
import { TimerWheel } from './timer-wheel.js';
import type { SipTlsOptions } from './tls.js';
import { TransactionTimers } from './transaction-timers.js';
import { Uac } from './uac.js';
import type { UdpFlow } from './udp.js';
import { Uas } from './uas.js';

/** A running or startable SIP node. */
export interface SipEndpoint extends SipPort {
  /** The open listeners, in the order of the options; empty before `start`. */
  readonly addresses: readonly SipAddress[];
  /** Everything counted since the beginning and the sizes of the tables, by name. */
  counters(): Record<string, number>;
  /** New connections get these certificates. Throws SipTlsError, and keeps the former ones. */
  reloadTls(options: SipTlsOptions): void;
  /** The open UDP sockets, in the order of the options. */
  readonly datagrams: readonly UdpFlow[];
  /** The flow to an address, for what is diverted; a connection is opened when there is none. */
  flowTo(transport: SipTransport, address: string, port: number, domain?: string): Flow | undefined;
}

/** Makes an endpoint; nothing is opened before `start`. */
export function createSipEndpoint(options: SipEndpointOptions): SipEndpoint {
  return new Endpoint(settingsOf(options));
}

/** What exists between start and stop. */
interface Running {
  readonly uas: Uas;
  readonly uac: Uac;
  readonly servers: ServerTransactions;
  readonly clients: ClientTransactions;
  readonly dialogs: InviteDialogs;
}

class Endpoint implements SipEndpoint, Receiver {
  readonly #settings: SipSettings;
  readonly #counters = zeroCounters();
  readonly #wheel: TimerWheel;
  readonly #network: Network;
  #running: Running | undefined;
  /** Called whenever a transaction may have been the last pending one. */
  #settled: () => void = () => undefined;

  constructor(settings: SipSettings) {
    this.#settings = settings;
    this.#wheel = new TimerWheel(settings.clock);
    this.#network = new Network(settings, this.#counters, this.#wheel, this);
  }

  get addresses(): readonly SipAddress[] {
    return this.#network.addresses;
  }

  get datagrams(): readonly UdpFlow[] {
    return this.#network.datagrams;
  }

  async start(handler: SipHandler): Promise<void> {
    assert(!this.#running, 'an endpoint is started once');
    this.#running = this.#compose(handler);
    await this.#network.open();
  }

  respond(transaction: TransactionId, answer: SipAnswer): void {
    this.#core.uas.respond(transaction, answer);
  }

  request(request: SipOutgoing): void {
    this.#core.uac.request(request);
  }

  bye(owner: Owner, id: string, headers: readonly HeaderField[]): void {
    this.#core.uac.bye(owner, id, headers);
  }

  forget(owner: Owner): void {
    this.#core.uac.forget(owner);
  }

  contactUri(user: string, transport?: Peer['transport']): string {
    assert(this.addresses.length > 0, 'a Contact needs an open listener');
    return `sip:${escapedUser(user)}@${this.#network.reachedBy(transport)}`;
  }

  async stop(graceMs: number): Promise<void> {
    const running = this.#running;
    if (running) {
      running.uas.isStopping = true;
      this.#network.stopListening();
      await this.#drained(running, graceMs);
    }
    this.#wheel.stop();
    await this.#network.close();
    this.#wheel.stop();
  }

  flowTo(
    transport: SipTransport,
    address: string,
    port: number,
    domain?: string,
  ): Flow | undefined {
    return this.#network.flowTo(transport, address, port, domain);
  }

  reloadTls(options: SipTlsOptions): void {
    this.#network.reloadTls(options);
  }

  counters(): Record<string, number> {
    const running = this.#running;
    return {
      ...this.#counters,
      serverTransactions: running?.servers.size ?? 0,
      clientTransactions: running?.clients.size ?? 0,
      dialogs: running?.dialogs.size ?? 0,
      pendingInvites: running?.uac.invites ?? 0,
      connections: this.#network.connections,
      timers: this.#wheel.size,
    };
  }

  message(message: SipMessage, flow: Flow, address: string, port: number): void {
    if (this.#settings.divert?.message(message, flow, address, port) === true) return;
    const { uas } = this.#core;
    if (message.kind === 'request') uas.receive(message, flow, address, port);
    else this.#response(message, flow, address, port);
  }

  octets(bytes: Buffer, flow: Flow, address: string, port: number): boolean {
    return this.#settings.divert?.octets?.(bytes, flow, address, port) === true;
  }

  closed(flow: Flow): void {
    this.#settings.divert?.closed(flow);
  }

  malformed(
    error: WireError,
    salvaged: SipRequest | undefined,
    flow: Flow,
    address: string,
    port: number,
  ): void {
    this.#core.uas.malformed(error, salvaged, flow, address, port);
  }

  get #core(): Running {
    assert(this.#running, 'the endpoint is not started');
    return this.#running;
  }

  /** 8.1.3.3: a response with more than our own Via was meant for someone else. */
  #response(response: SipResponse, flow: Flow, address: string, port: number): void {
    let via: Via | undefined;
    let method;
    try {
      const vias = response.list('Via');
      if (vias.length === 1) via = parseVia(vias[0]!);
      method = parseCseq(response.header('CSeq') ?? '').method;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#counters.malformed++;
      const fields = { code: error.code, hint: error.hint, address, port };
      this.#settings.log.debug(fields, 'malformed SIP response');
      return;
    }
    if (via?.branch === undefined) {
      this.#counters.strayResponses++;
      return;
    }
    heedKeep(response, via, flow);
    this.#core.clients.respond(via.branch, method, response, sentByOf(via));
  }

  #compose(handler: SipHandler): Running {
    const settings = this.#settings;
    const network = this.#network;
    const wheel = this.#wheel;
    const counters = this.#counters;
    const settled = (): void => this.#settled();
    const timers = new TransactionTimers(wheel, settings);
    const clients = new ClientTransactions(timers, counters, settled);
    const { answeredBytes } = settings.limits;
    const servers: ServerTransactions = new ServerTransactions(
      ...([network, timers, counters] as const),
      { overdue: (transaction) => uas.overdue(transaction), settled },
      new AnsweredTransactions(wheel, answeredBytes),
    );
    const hash = new TextHash(settings.random);
    const tables = { settings, network, wheel, counters, handler };
    const dialogs: InviteDialogs = new InviteDialogs(tables, {
      abandoned: (dialog) => uac.abandonDialog(dialog),
      refresh: (dialog) => refreshes.refresh(dialog),
      overdue: (dialog) => uac.expireDialog(dialog),
    });
    const uac: Uac = new Uac({ ...tables, clients, dialogs, settled });
    const expire = uac.expireDialog.bind(uac);
    const refreshes = new SessionRefreshes({ ...tables, clients, dialogs, expire });
    const endDialog = uac.endDialog.bind(uac);
    const uas = new Uas({ ...tables, hash, servers, dialogs, endDialog });
    return { uas, uac, servers, clients, dialogs };
  }

  #drained({ servers, clients, uac }: Running, graceMs: number): Promise<void> {
    const isDrained = (): boolean =>
      servers.pending === 0 && clients.pending === 0 && uac.resolving === 0;
    if (isDrained() || graceMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        withdraw();
        this.#settled = () => undefined;
        resolve();
      };
      const withdraw = this.#settings.clock.after(graceMs, end);
      this.#settled = () => {
        if (isDrained()) end();
      };
    });
  }
}

/** As this endpoint writes it, but in lower case. */
function sentByOf({ host, port }: Via): string {
  return (port === undefined ? host : `${host}:${port}`).toLowerCase();
}

/** RFC 3261 25.1 `user`: what is neither unreserved nor user-unreserved is escaped. */
function escapedUser(user: string): string {
  return encodeURIComponent(user).replace(/%(26|3D|2B|24|2C|3B|3F|2F)/g, decodeURIComponent);
}
