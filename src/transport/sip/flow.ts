/** A flow: the way a message came, on which its answer can go back. */

import type { WireError } from '../../wire/error.js';
import type { SipMessage, SipRequest } from '../../wire/sip/message.js';
import type { SipSettings, SipTransport } from './options.js';

/** A UDP socket or one connection. */
export interface Flow {
  readonly transport: SipTransport;
  readonly isOpen: boolean;
  /** SIP domains that the certificate of the peer proves (RFC 5922 7.1), in lower case. */
  readonly names?: readonly string[];
  /** Whether our requests offer to keep this flow alive (RFC 6223). */
  readonly offersKeepAlive?: boolean;
  /** Sends to the address; a connection ignores it. `failed` hears that it did not leave. */
  send(bytes: Buffer, address: string, port: number, failed?: () => void): void;
  /** The peer wants keep-alives that often; 0: as often as we like. */
  keepAlive?(seconds: number): void;
}

/** Who takes what comes in on the flows. */
export interface Receiver {
  /** A datagram before it is read; true: it is taken. */
  octets?(bytes: Buffer, flow: Flow, address: string, port: number): boolean;
  message(message: SipMessage, flow: Flow, address: string, port: number): void;
  /** Broken input; `salvaged` is what can be answered of it. */
  malformed(
    error: WireError,
    salvaged: SipRequest | undefined,
    flow: Flow,
    address: string,
    port: number,
  ): void;
  /** A connection is gone. */
  closed?(flow: Flow): void;
}

/** What the endpoint counts from its beginning on. */
export interface SipCounters {
  received: number;
  sent: number;
  /** Octets that were no SIP message. */
  malformed: number;
  /** Retransmissions of requests that a server transaction absorbed. */
  absorbed: number;
  /** Messages sent again by a timer or in answer to a retransmission. */
  retransmitted: number;
  merged: number;
  /** Responses without a client transaction. */
  strayResponses: number;
  strayAcks: number;
  /** 2xx to requests with credentials that do not prove who gave them (RFC 7616 3.5). */
  unprovenAnswers: number;
  /** Requests refused with 503 because a table was full or the endpoint is stopping. */
  refused: number;
  timeouts: number;
  sendFailures: number;
  connectionsAccepted: number;
  connectionsOpened: number;
  connectionsRefused: number;
  /** Connections dropped: slow reader, idle, incomplete message, lost framing. */
  connectionsDropped: number;
}

export function zeroCounters(): SipCounters {
  return {
    received: 0,
    sent: 0,
    malformed: 0,
    absorbed: 0,
    retransmitted: 0,
    merged: 0,
    strayResponses: 0,
    strayAcks: 0,
    unprovenAnswers: 0,
    refused: 0,
    timeouts: 0,
    sendFailures: 0,
    connectionsAccepted: 0,
    connectionsOpened: 0,
    connectionsRefused: 0,
    connectionsDropped: 0,
  };
}

/** `address:port`, an IPv6 address in brackets. */
export function hostPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Tells the trace, if there is one, of a message that passes. */
export function traceMessage(
  settings: SipSettings,
  direction: 'in' | 'out',
  passage: {
    readonly transport: SipTransport;
    readonly local: string;
    readonly address: string;
    readonly port: number;
  },
  bytes: Buffer,
): void {
  settings.trace?.record({
    at: settings.clock.now(),
    protocol: 'sip',
    direction,
    local: passage.local,
    remote: hostPort(passage.address, passage.port),
    transport: passage.transport,
    bytes,
  });
}
