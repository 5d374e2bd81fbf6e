/** The MSRP listeners of several processes with sessions: one port each for all of them. */

import { sessionIdOf } from '../../wire/msrp/uri.js';
import { Acceptor, openListeners } from './acceptor.js';
import { Admission } from './admission.js';
import { HeldOctets } from './held-octets.js';
import { encodePeer, msrpRecord } from './link.js';
import type { MsrpAddresses } from './link.js';
import { msrpLimits } from './options.js';
import type { MsrpCertificate, MsrpEndpointOptions } from './options.js';
import { SharedConnection } from './shared-connection.js';
import type { SharedConnectionOwner } from './shared-connection.js';
import { SharedStream } from './shared-stream.js';
import type { SessionsWay } from './shared-stream.js';
import { TlsIdentity } from './tls.js';

export interface MsrpFrontOptions extends Omit<MsrpEndpointOptions, 'link' | 'random'> {
  /** Octets that one process and one connection may send each other before they are taken in. */
  readonly windowOctets: number;
  /** Octets of all connections together that wait for peers to read. */
  readonly heldOctets: number;
  /** The processes that are there: of the session, or any of them. */
  wayOf(sessionId: string | undefined): SessionsWay | undefined;
}

export class MsrpFront implements SharedConnectionOwner {
  readonly #options: MsrpFrontOptions;
  readonly #identity: TlsIdentity | undefined;
  readonly #admission: Admission;
  readonly #acceptor: Acceptor;
  readonly #held: HeldOctets;
  readonly #connections = new Set<SharedConnection>();
  readonly #streams = new Map<number, SharedStream>();
  #last = 0;
  #addresses: MsrpAddresses | undefined;

  /** Throws MsrpError `MSRP_CERTIFICATE`. */
  constructor(options: MsrpFrontOptions) {
    const { log, clock, trace, tls } = options;
    const limits = { ...msrpLimits, ...options.limits };
    this.#options = options;
    this.#identity = tls && new TlsIdentity(tls);
    this.#admission = new Admission(limits, log);
    this.#held = new HeldOctets(options.heldOctets);
    const settings = { limits, log, clock, trace, held: this.#held };
    this.#acceptor = new Acceptor({ limits, log }, this.#admission, (carrier) => {
      this.#connections.add(new SharedConnection(carrier, this, settings));
    });
  }

  /** Only after `start`. */
  get addresses(): MsrpAddresses | undefined {
    return this.#addresses;
  }

  /** Octets that wait for peers to read. */
  get heldOctets(): number {
    return this.#held.sum;
  }

  get connections(): number {
    return this.#connections.size;
  }

  async start(): Promise<void> {
    this.#addresses = await openListeners(this.#acceptor, this.#identity, this.#options);
  }

  /** For connections to come. Throws, and keeps the old one. */
  reloadCertificate(certificate: MsrpCertificate): void {
    this.#identity?.reload(certificate);
  }

  async stop(): Promise<void> {
    const stopped = this.#acceptor.stop();
    for (const connection of [...this.#connections]) connection.destroy();
    this.#admission.closeAll();
    await stopped;
  }

  /** A record of a process. */
  received(kind: number, record: Buffer): void {
    // Unknown: what was closed here before the process had heard of that.
    const stream = this.#streams.get(record.readUInt32LE(0));
    if (!stream) return;
    const { connection } = stream;
    switch (kind) {
      case msrpRecord.octets:
        connection.arrived(stream, record.subarray(4));
        break;
      case msrpRecord.credit:
        stream.credited(record.readUInt32LE(4));
        connection.released(stream);
        break;
      case msrpRecord.idle:
        connection.idle(stream, record.readUInt32LE(4));
        break;
      case msrpRecord.closed:
        connection.left(stream, record[4] === 1);
        break;
      default:
    }
  }

  /** Everything that was on its way to the process is there. */
  drained(way: SessionsWay): void {
    for (const stream of this.#of(way)) stream.connection.released(stream);
  }

  /** The process is gone, its sessions with it. */
  lost(way: SessionsWay): void {
    for (const stream of this.#of(way)) stream.connection.left(stream, true);
  }

  // ------------------------------------------------------------- of the connections

  wayOf(toPath: string | undefined): SessionsWay | undefined {
    // With more than one URI it is for nobody: this is no relay.
    const uri = toPath?.includes(' ') === true ? undefined : toPath;
    return this.#options.wayOf(uri === undefined ? undefined : sessionIdOf(uri));
  }

  opened(connection: SharedConnection, way: SessionsWay): SharedStream {
    do this.#last = this.#last >= 0xffff_fffe ? 1 : this.#last + 1;
    while (this.#streams.has(this.#last));
    const { windowOctets } = this.#options;
    const stream = new SharedStream(this.#last, way, { connection, windowOctets });
    this.#streams.set(stream.number, stream);
    way.send(msrpRecord.opened, stream.number, encodePeer(connection.peer));
    return stream;
  }

  left(stream: SharedStream): void {
    this.#streams.delete(stream.number);
  }

  closed(connection: SharedConnection): void {
    this.#connections.delete(connection);
  }

  #of(way: SessionsWay): SharedStream[] {
    return [...this.#streams.values()].filter((stream) => stream.way === way);
  }
}
