/** What carries the octets of an MSRP connection: TCP, TLS over it, or a WebSocket. */

import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Peer, SocketsPort } from '../../ports.js';
import type { CertificateFingerprint } from '../../wire/msrp/fingerprint.js';

/** What a connection asks of a socket. */
export type CarrierSocket = Duplex &
  Pick<
    Socket,
    | 'localAddress'
    | 'localPort'
    | 'remoteAddress'
    | 'remotePort'
    | 'setNoDelay'
    | 'setKeepAlive'
    | 'destroySoon'
  >;

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
