/** What the adapter uses of drachtio-srf 5, which it never imports. */

import type { Peer } from '../../ports.js';
import { DrachtioError } from './error.js';

/** A message as drachtio-srf hands it on. */
interface SrfMessage {
  /** The text the server sent. */
  readonly raw: string;
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  readonly stackDialogId?: string;
}

/** A request from the network, or one the server sent on its own (`application`). */
export interface SrfRequest extends SrfMessage {
  readonly method: string;
  readonly source: string;
  on(event: 'cancel', listener: () => void): unknown;
}

/** The way to answer a request. */
export interface SrfAnswer {
  readonly stackDialogId?: string;
  send(
    status: number,
    reason: string,
    options: { readonly headers: Record<string, string>; readonly body?: string },
    done: (error: unknown, sent?: SrfSentAnswer) => void,
  ): void;
}

/** An answer as the server has sent it. */
export interface SrfSentAnswer {
  get(name: string): string | undefined;
}

/** A request of ours that the server has sent. */
export interface SrfSent {
  on(event: 'response', listener: (response: SrfMessage, ack: () => void) => void): unknown;
  cancel(
    options: { readonly headers: Record<string, string> },
    done: (error: unknown) => void,
  ): void;
}

export interface SrfRequestOptions {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  /** A dialog of the server. */
  readonly stackDialogId?: string;
  /** The URI the request is sent to instead of its Request-URI. */
  readonly proxy?: string;
}

export type SrfListener = (request: SrfRequest, answer: SrfAnswer) => void;

export interface Srf {
  connect(options: object): unknown;
  disconnect(): void;
  on(event: string, listener: (...values: readonly unknown[]) => void): unknown;
  use(listener: SrfListener): unknown;
  use(method: string, listener: SrfListener): unknown;
  request(
    uri: string,
    options: SrfRequestOptions,
    done: (error: unknown, sent?: SrfSent) => void,
  ): unknown;
}

/** Throws DrachtioError `DRACHTIO_SRF` when a method that is needed is not there. */
export function srfOf(value: object): Srf {
  for (const name of ['connect', 'disconnect', 'on', 'use', 'request'] as const) {
    if (typeof (value as Partial<Srf>)[name] !== 'function') {
      throw new DrachtioError('DRACHTIO_SRF', `no method ${name}`);
    }
  }
  return value as Srf;
}

const transports: readonly Peer['transport'][] = ['udp', 'tcp', 'tls', 'ws', 'wss'];

/** Where the server had a message from. */
export function peerOf(message: SrfMessage): Peer {
  const protocol = message.protocol.toLowerCase();
  const transport = transports.find((one) => one === protocol) ?? 'udp';
  return { transport, address: message.source_address, port: message.source_port };
}
