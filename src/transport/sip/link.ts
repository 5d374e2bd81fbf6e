/** Sockets that another process holds: what passes between it and an endpoint without its own. */

import type { SipMessage } from '../../wire/sip/message.js';
import type { Flow } from './flow.js';
import type { SipAddress, SipTransport } from './options.js';

/** A message that has come in where the sockets are. */
export interface SipArrival {
  /** Number of the connection or socket, from 1 on; sockets of UDP first, in their order. */
  readonly flow: number;
  readonly transport: SipTransport;
  readonly address: string;
  readonly port: number;
  /** What the certificate of the peer proves. */
  readonly names: readonly string[];
  readonly bytes: Buffer;
}

/** A message that is to leave where the sockets are. */
export interface SipDeparture {
  /** The connection it came by; 0: whichever leads to the address. */
  readonly flow: number;
  readonly transport: SipTransport;
  readonly address: string;
  readonly port: number;
  /** What a certificate of the peer has to prove. */
  readonly domain: string;
  /** Comes back when it did not leave; 0: nobody asks. */
  readonly id: number;
  readonly bytes: Buffer;
}

export interface SipLinkReceiver {
  arrived(arrival: SipArrival): void;
  /** A connection is gone. */
  closed(flow: number): void;
  /** What had that id has not left. */
  failed(id: number): void;
}

/** The way to the process with the sockets. */
export interface SipLink {
  /** The listeners there. */
  readonly addresses: readonly SipAddress[];
  open(receiver: SipLinkReceiver): void;
  /** Sends by a UDP socket that both processes have; false: only the other one has it. */
  sendDatagram?(socket: number, bytes: Buffer, address: string, port: number): boolean;
  /** False: there is no room, and it is dropped. */
  send(departure: SipDeparture): boolean;
}

/** Messages for somebody else: asked before the endpoint looks at them. */
export interface SipDiverter {
  /** A datagram, before it is read; true: it is taken. */
  octets?(bytes: Buffer, flow: Flow, address: string, port: number): boolean;
  /** True: it is taken. */
  message(message: SipMessage, flow: Flow, address: string, port: number): boolean;
  closed(flow: Flow): void;
}
