/** What carries the octets of an MSRP connection: TCP, TLS over it, or a WebSocket. */

import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Peer, SocketsPort } from '../../ports.js';
import type { CertificateFingerprint } from '../../wire/msrp/fingerprint.js';
import type { PeerProof } from './tls.js';

/** What a connection asks of a socket. */
export type CarrierSocket = Duplex & {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  setNoDelay(isOn: boolean): unknown;
  setKeepAlive(isOn: boolean, afterMs: number): unknown;
  /** Closes when everything has been written. */
  destroySoon(): void;
};

export interface Carrier {
  readonly socket: CarrierSocket;
  readonly transport: Peer['transport'];
  /** Under what it is found again (MSRP-13); undefined when the peer opened it. */
  readonly target: string | undefined;
  /** The event after which it may be used; undefined when it is open. */
  readonly opens: 'connect' | 'secureConnect' | undefined;
  /** Whether each write has to be one frame, neither more nor less (RFC 7977 5). */
  readonly framed: boolean;
  /** Why the certificate of the peer does not do, given what its description says of it. */
  refusal(fingerprints: readonly CertificateFingerprint[]): string | undefined;
  /** What the peer has shown of itself in an accepted handshake of TLS. */
  readonly proof?: PeerProof;
  /**
   * Asks whoever has the socket, in another process, to close it when no session uses it. He also
   * watches over how slow its peer is.
   */
  leave?(): void;
}

/** Where a connection goes. */
export interface Target {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
}

const fits = (): undefined => undefined;

export function openTcp(
  { host, port }: Target,
  target: string,
  sockets: SocketsPort | undefined,
): Carrier {
  const socket = sockets?.connect(host, port) ?? createConnection({ host, port });
  return { socket, transport: 'tcp', target, opens: 'connect', framed: false, refusal: fits };
}

export function acceptedTcp(socket: Socket): Carrier {
  const opens = undefined;
  return { socket, transport: 'tcp', target: undefined, opens, framed: false, refusal: fits };
}
