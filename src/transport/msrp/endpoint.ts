/** The MSRP endpoint: sessions and their connections behind `MsrpPort` (RFC 4975). */

import assert from 'node:assert';
import type {
  Log,
  MsrpCarriage,
  MsrpHandler,
  MsrpOutgoing,
  MsrpRemote,
  Owner,
} from '../../ports.js';
import type { CertificateFingerprint } from '../../wire/msrp/fingerprint.js';
import type { MsrpRequestHead } from '../../wire/msrp/frame.js';
import { sessionIdOf } from '../../wire/msrp/uri.js';
import { Connections } from './connections.js';
import type { Connection, ConnectionOwner, LostCause, RequestBody } from './connection.js';
import { HeldOctets } from './held-octets.js';
import { Incoming } from './incoming.js';
import { Leases } from './leases.js';
import { Listeners } from './listeners.js';
import { MsrpError, msrpLimits } from './options.js';
import type { MsrpAddress, MsrpCertificate } from './options.js';
import type { MsrpEndpoint, MsrpEndpointOptions, MsrpLimits } from './options.js';
import { Outgoing } from './outgoing.js';
import { SendRequest } from './send-request.js';
import { SessionTable } from './session.js';
import type { Session } from './session.js';
import { remoteTarget } from './target.js';
import { TlsIdentity } from './tls.js';

export type { MsrpEndpoint, MsrpEndpointOptions, MsrpLimits } from './options.js';

/** 22 characters of 62: 131 random bits (MSRP-10). */
const sessionIdLength = 22;
const messageIdLength = 12;
const chunkSizeMin = 2048;
const heldOctetsMax = 268_435_456;

/** Makes an endpoint that serves both roles: active and passive, sender and receiver. */
export function createMsrpEndpoint(options: MsrpEndpointOptions): MsrpEndpoint {
  return new Endpoint(options);
}

class Endpoint implements MsrpEndpoint, ConnectionOwner {
  readonly #options: MsrpEndpointOptions;
  readonly #limits: MsrpLimits;
  readonly #log: Log;
  readonly #sessions = new SessionTable();
  readonly #connections: Connections;
  readonly #identity: TlsIdentity | undefined;
  readonly #listeners: Listeners;
  readonly #leases: Leases | undefined;
  readonly #windowBytes: number;
  readonly #readBytes: number;
  #handler: MsrpHandler | undefined;
  #isStopping = false;
  #quieted: (() => void) | undefined;

  constructor(options: MsrpEndpointOptions) {
    this.#options = options;
    this.#limits = { ...msrpLimits, ...options.limits };
    this.#log = options.log;
    const { clock, random, log, trace, sockets } = options;
    const chunkSize = Math.max(chunkSizeMin, options.chunkSize ?? chunkSizeMin);
    const chunkMax = Math.max(chunkSize, options.chunkMax ?? 131_072);
    this.#windowBytes = options.windowBytes ?? 524_288;
    this.#readBytes = Math.min(chunkMax, 65_536);
    const { responseMs, outboundBytes } = this.#limits;
    this.#identity = options.tls && new TlsIdentity(options.tls);
    this.#listeners = new Listeners(options);
    const held = new HeldOctets(options.link?.heldOctets ?? options.heldOctets ?? heldOctetsMax);
    const settings = {
      ...{ clock, random, log, trace, sockets, chunkSize, chunkMax, responseMs, outboundBytes },
      limits: this.#limits,
      held,
    };
    this.#connections = new Connections(this, settings, this.#identity);
    this.#leases =
      options.relay &&
      new Leases(
        { ...{ clock, random, log }, relay: options.relay },
        this.#connections,
        (session) => this.#lose(session, 'refused'),
      );
  }

  get address(): MsrpAddress {
    return this.#listeners.plain;
  }

  get secureAddress(): MsrpAddress | undefined {
    return this.#listeners.secure;
  }

  get webSocketAddress(): MsrpAddress | undefined {
    return this.#listeners.webSocket;
  }

  get fingerprint(): CertificateFingerprint | undefined {
    return this.#identity?.fingerprint;
  }

  get relayed(): boolean {
    return this.#leases !== undefined;
  }

  get webSocket(): boolean {
    return this.#options.webSocket !== undefined;
  }

  reloadCertificate(certificate: MsrpCertificate): void {
    if (!this.#identity) throw new MsrpError('MSRP_CERTIFICATE', 'the endpoint has no TLS');
    this.#identity.reload(certificate);
  }

  async start(handler: MsrpHandler): Promise<void> {
    assert(!this.#handler);
    this.#handler = handler;
    try {
      await this.#listeners.open(this.#connections);
    } catch (error) {
      await this.#connections.stopListening();
      throw error;
    }
  }

  reserve(owner: Owner, carriage: MsrpCarriage = {}): string {
    const known = this.#sessions.of(owner);
    if (known) return known.uri;
    if (this.#sessions.size >= this.#limits.sessions) {
      throw new MsrpError('MSRP_SESSIONS_FULL', 'too many sessions');
    }
    const session = this.#makeSession(owner, carriage);
    this.#sessions.add(session);
    return session.uri;
  }

  path(owner: Owner): Promise<readonly string[]> {
    const session = this.#sessions.of(owner);
    if (!session) return Promise.reject(new MsrpError('MSRP_SESSION', 'there is no such session'));
    return this.#leases ? this.#leases.path(session) : Promise.resolve([session.uri]);
  }

  connect(owner: Owner, remote: MsrpRemote): void {
    const session = this.#sessions.of(owner);
    if (!session) return;
    session.outgoing.toPath = [...session.usePath, ...remote.path];
    session.outgoing.acceptTypes = remote.acceptTypes;
    session.address = remote.address;
    session.fingerprints = remote.fingerprints ?? [];
    if (session.state === 'bound') {
      // The peer was faster than its path.
      session.connection?.writer.wake(session.outgoing);
    } else if (remote.active) {
      if (session.state === 'reserved') this.#open(session);
    } else if (session.state !== 'binding') {
      session.state = 'waiting';
      session.withdrawWait?.();
      session.withdrawWait = this.#options.clock.after(this.#limits.bindWaitMs, () => {
        this.#lose(session, 'timeout');
      });
    }
  }

  send(message: MsrpOutgoing): void {
    const session = this.#sessions.of(message.session);
    const status = session ? session.outgoing.enqueue(message) : 481;
    if (status !== undefined) {
      // Never inside the call: the caller's turn is not over.
      queueMicrotask(() => this.#handler?.sent(message.owner, message.messageId, status));
    } else if (session?.state === 'bound') {
      session.connection?.writer.wake(session.outgoing);
    }
  }

  release(owner: Owner): void {
    const session = this.#sessions.of(owner);
    if (session) this.#remove(session);
  }

  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    const stopped = this.#connections.stopListening();
    if (!this.#isQuiet() && graceMs > 0) {
      await new Promise<void>((resolve) => {
        const withdraw = this.#options.clock.after(graceMs, resolve);
        this.#quieted = () => {
          withdraw();
          resolve();
        };
      });
    }
    this.#quieted = undefined;
    this.#connections.closeAll();
    for (const session of this.#sessions.all()) this.#remove(session);
    await stopped;
  }

  // ------------------------------------------------------------------- of the connections

  request(connection: Connection, head: MsrpRequestHead): RequestBody {
    const { random } = this.#options;
    const session = this.#sessionOf(head);
    if (!session) return new SendRequest(connection, random, head, 481);
    if (session.connection && session.connection !== connection) {
      return new SendRequest(connection, random, head, 506);
    }
    // As active endpoint we are bound by the answer to our own SEND, whatever the peer sends.
    if (session.state === 'reserved' || session.state === 'waiting') {
      const refusal = this.#refusal(session, connection);
      if (refusal !== undefined) return new SendRequest(connection, random, head, refusal);
      this.#bindPassive(session, connection, head);
    }
    return new SendRequest(connection, random, head, session.incoming);
  }

  report(connection: Connection, head: MsrpRequestHead): void {
    const session = this.#sessionOf(head);
    if (session?.connection === connection) session.outgoing.report(head);
  }

  bound(connection: Connection, flow: Outgoing, status: number): void {
    const session = this.#sessions.withId(sessionIdOf(flow.fromPath[0]!) ?? '');
    if (session?.connection !== connection || session.state !== 'binding') return;
    if (status >= 200 && status <= 299) this.#bind(session);
    else this.#lose(session, status === 408 ? 'timeout' : 'refused');
  }

  closed(connection: Connection, cause: LostCause): void {
    this.#connections.forget(connection);
    for (const owner of [...connection.sessions]) {
      const session = this.#sessions.of(owner);
      if (session?.connection !== connection) continue;
      if (session.state === 'binding' && session.isReusing) this.#open(session);
      else this.#lose(session, cause);
    }
    this.written();
  }

  written(): void {
    if (this.#quieted && this.#isQuiet()) this.#quieted();
  }

  // --------------------------------------------------------------------------- sessions

  #makeSession(owner: Owner, carriage: MsrpCarriage): Session {
    const id = this.#options.random.token(sessionIdLength);
    const uri = this.#listeners.uri(id, carriage);
    const failed = (code: string, cause: unknown): void => this.#failed(code, cause);
    const incoming = new Incoming(
      { receive: (message) => this.#handler?.receive(owner, message) ?? 481, failed },
      this.#limits,
    );
    const { outgoingMessages, fragments } = this.#limits;
    const outgoing: Outgoing = new Outgoing(
      {
        sent: (message, status) => {
          this.#handler?.sent(message.owner, message.messageId, status);
          this.written();
        },
        reported: (message, status) => {
          this.#handler?.reported(message.owner, message.messageId, status);
        },
        ended: () => this.#lose(session, 'protocol'),
        failed,
        wake: () => session.connection?.writer.wake(outgoing),
      },
      uri,
      { outgoingMessages, fragments, windowBytes: this.#windowBytes, readBytes: this.#readBytes },
    );
    const session: Session = {
      ...{ owner, id, uri, incoming, outgoing },
      isSecure: this.#listeners.isSecure(carriage),
      usePath: [],
      address: undefined,
      fingerprints: [],
      lease: undefined,
      state: 'reserved',
      connection: undefined,
      isReusing: false,
      withdrawWait: undefined,
    };
    return session;
  }

  /** SDP-09: by session-id only; ours must be the last URI, for we are no relay. */
  #sessionOf(head: MsrpRequestHead): Session | undefined {
    const [uri, ...others] = head.toPath;
    if (uri === undefined || others.length > 0) return undefined;
    const id = sessionIdOf(uri);
    return id === undefined ? undefined : this.#sessions.withId(id);
  }

  /** Why the session cannot be bound to that connection: a status. */
  #refusal(session: Session, connection: Connection): number | undefined {
    // Its URI is good for TLS only.
    if (session.isSecure && !connection.isSecure) return 481;
    // Behind a relay its certificate is not that of the peer.
    if (session.usePath.length > 0 || connection.mayCarry(session.fingerprints)) return undefined;
    const { peer } = connection;
    this.#log.warn({ code: 'MSRP_TLS_CERTIFICATE', peer }, 'MSRP session not bound');
    return 403;
  }

  /** Active: RFC 4975 5.4. A target that cannot be is told like one that refuses. */
  #open(session: Session): void {
    session.state = 'binding';
    const { connection: relayed, fingerprints } = session;
    // Behind a relay its connection is ours already.
    const isRelayed = session.usePath.length > 0 && relayed !== undefined;
    const found = remoteTarget(session.outgoing.toPath, session.address);
    // Who has announced TLS does not do without.
    const target = session.isSecure && found?.secure === false ? undefined : found;
    const opened =
      target && !isRelayed && !this.#isStopping
        ? this.#connections.open(target, fingerprints)
        : undefined;
    const connection = isRelayed ? relayed : opened;
    session.connection = connection;
    if (!connection) {
      const code = target ? 'MSRP_CONNECTIONS_FULL' : 'MSRP_TARGET';
      this.#log.warn({ code }, 'MSRP session not opened');
      queueMicrotask(() => this.#lose(session, 'refused'));
      return;
    }
    session.isReusing = connection.isOpen && !isRelayed;
    connection.attach(session.owner);
    connection.writer.bind(session.outgoing, this.#options.random.token(messageIdLength));
  }

  #bindPassive(session: Session, connection: Connection, head: MsrpRequestHead): void {
    session.connection = connection;
    connection.attach(session.owner);
    // Known from the SDP in general; a request may be faster.
    if (session.outgoing.toPath.length === 0) session.outgoing.toPath = head.fromPath;
    this.#bind(session);
  }

  #bind(session: Session): void {
    session.withdrawWait?.();
    session.withdrawWait = undefined;
    session.state = 'bound';
    session.outgoing.bound = true;
    this.#handler?.connected(session.owner);
    session.connection?.writer.wake(session.outgoing);
  }

  #lose(session: Session, cause: LostCause): void {
    if (this.#sessions.of(session.owner) !== session) return;
    this.#remove(session);
    this.#handler?.lost(session.owner, cause);
  }

  #remove(session: Session): void {
    this.#sessions.remove(session);
    session.withdrawWait?.();
    session.lease?.();
    session.outgoing.clear();
    session.incoming.lose();
    const { connection } = session;
    session.connection = undefined;
    if (!connection) return;
    connection.writer.drop(session.outgoing);
    connection.detach(session.owner);
  }

  #failed(code: string, cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#log.error({ code, reason }, 'MSRP content or sink failed');
  }

  #isQuiet(): boolean {
    const isSent = this.#sessions.all().every((session) => session.outgoing.isIdle);
    return isSent && this.#connections.all().every((connection) => connection.isQuiet);
  }
}
