/** The MSRP endpoint: sessions and their connections behind `MsrpPort` (RFC 4975). */

import assert from 'node:assert';
import type { Log, MsrpHandler, MsrpOutgoing, Owner } from '../../ports.js';
import type { MsrpRequestHead } from '../../wire/msrp/frame.js';
import { formatMsrpUri, isMsrpUri, parseMsrpUri, sessionIdOf } from '../../wire/msrp/uri.js';
import { WireError } from '../../wire/error.js';
import { Connections } from './connections.js';
import type { Target } from './connections.js';
import type { Connection, ConnectionOwner, LostCause, RequestBody } from './connection.js';
import { Incoming } from './incoming.js';
import { MsrpError, msrpLimits } from './options.js';
import type { MsrpEndpoint, MsrpEndpointOptions, MsrpLimits } from './options.js';
import { Outgoing } from './outgoing.js';
import { SendRequest } from './send-request.js';
import { SessionTable } from './session.js';
import type { Session } from './session.js';

export { MsrpError, msrpLimits } from './options.js';
export type { MsrpEndpoint, MsrpEndpointOptions, MsrpLimits } from './options.js';

/** 22 characters of 62: 131 random bits (MSRP-10). */
const sessionIdLength = 22;
const messageIdLength = 12;
const chunkSizeMin = 2048;
/** The discard port: a path with it is never connected to (SDP-06). */
const discardPort = 9;

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
  readonly #windowBytes: number;
  readonly #readBytes: number;
  #handler: MsrpHandler | undefined;
  #isStopping = false;
  #quieted: (() => void) | undefined;

  constructor(options: MsrpEndpointOptions) {
    this.#options = options;
    this.#limits = { ...msrpLimits, ...options.limits };
    this.#log = options.log;
    const { clock, random, log, trace } = options;
    const chunkSize = Math.max(chunkSizeMin, options.chunkSize ?? chunkSizeMin);
    const chunkMax = Math.max(chunkSize, options.chunkMax ?? 131_072);
    this.#windowBytes = options.windowBytes ?? 524_288;
    this.#readBytes = Math.min(chunkMax, 65_536);
    const { responseMs, outboundBytes } = this.#limits;
    this.#connections = new Connections(this, {
      ...{ clock, random, log, trace, chunkSize, chunkMax, responseMs, outboundBytes },
      limits: this.#limits,
    });
  }

  get address(): { readonly address: string; readonly port: number } {
    const { address } = this.#connections;
    if (!address) throw new MsrpError('MSRP_NOT_STARTED', 'the endpoint does not listen');
    return address;
  }

  async start(handler: MsrpHandler): Promise<void> {
    assert(!this.#handler);
    this.#handler = handler;
    await this.#connections.listen(this.#options.host, this.#options.port);
  }

  reserve(owner: Owner): string {
    const known = this.#sessions.of(owner);
    if (known) return known.uri;
    if (this.#sessions.size >= this.#limits.sessions) {
      throw new MsrpError('MSRP_SESSIONS_FULL', 'too many sessions');
    }
    const session = this.#makeSession(owner);
    this.#sessions.add(session);
    return session.uri;
  }

  connect(
    owner: Owner,
    remote: { readonly path: readonly string[]; readonly active: boolean },
  ): void {
    const session = this.#sessions.of(owner);
    if (!session) return;
    session.outgoing.toPath = remote.path;
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
    for (const connection of this.#connections.all()) connection.close('closed');
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
    if (!session.connection) this.#bindPassive(session, connection, head);
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

  #makeSession(owner: Owner): Session {
    const { random, host, advertisedHost, advertisedPort } = this.#options;
    const id = random.token(sessionIdLength);
    const name = advertisedHost ?? host;
    const uri = formatMsrpUri({
      secure: false,
      host: name.includes(':') && !name.startsWith('[') ? `[${name}]` : name,
      port: advertisedPort ?? this.address.port,
      sessionId: id,
      transport: 'tcp',
      parameters: [],
    });
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

  /** Active: RFC 4975 5.4. A target that cannot be is told like one that refuses. */
  #open(session: Session): void {
    session.state = 'binding';
    session.connection = undefined;
    const target = targetOf(session.outgoing.toPath);
    const connection = target && !this.#isStopping ? this.#connections.open(target) : undefined;
    if (!connection) {
      const code = target ? 'MSRP_CONNECTIONS_FULL' : 'MSRP_TARGET';
      this.#log.warn({ code }, 'MSRP session not opened');
      queueMicrotask(() => this.#lose(session, 'refused'));
      return;
    }
    session.connection = connection;
    session.isReusing = connection.isOpen;
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

/** Where the leftmost URI of a path leads (MSRP-15), if it can be connected to. */
function targetOf(path: readonly string[]): Target | undefined {
  if (!path.every(isMsrpUri)) return undefined;
  try {
    const { host, port, secure, transport } = parseMsrpUri(path[0] ?? '');
    if (secure || transport !== 'tcp' || port === undefined || port === discardPort)
      return undefined;
    return { host: host.startsWith('[') ? host.slice(1, -1) : host, port };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return undefined;
  }
}
