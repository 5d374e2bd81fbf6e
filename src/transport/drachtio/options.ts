/** What the drachtio adapter is given: the way to the server, its bounds and its ports. */

import type { Clock, Log, Random } from '../../ports.js';
import { DrachtioError } from './error.js';

/** The control socket of a drachtio-server, as `Srf#connect` takes it. */
export interface DrachtioConnection {
  readonly host: string;
  readonly port: number;
  readonly secret?: string;
  /** Options of `tls.connect`; absent: plain TCP. */
  readonly tls?: object;
}

/** Every bound of the adapter. What is beyond a bound is refused, never queued. */
export interface DrachtioLimits {
  /** Requests from the network that are not answered, and answers the server has not confirmed. */
  readonly serverTransactions: number;
  /** Requests of ours without a final response. */
  readonly clientTransactions: number;
  /** INVITE dialogs, those whose ACK is awaited included. */
  readonly dialogs: number;
  /** Octets of one message to the server, which reads five digits of length. */
  readonly frameBytes: number;
  readonly connectMs: number;
  /** The server confirms a command within this time, or its connection is given up. */
  readonly commandMs: number;
  /** Wait before the control socket is opened again; doubled after each failure. */
  readonly reconnectMs: number;
  readonly reconnectMsMax: number;
  /** The server's own Timer F ends a request first; this one is for a server that forgets it. */
  readonly responseMs: number;
  /** The same for an INVITE. */
  readonly inviteMs: number;
  /** A request that nobody has answered after this time gets 408. */
  readonly answerMs: number;
  /** The server's own 64*T1 ends a 200 without ACK first. */
  readonly ackMs: number;
}

export const drachtioLimits: DrachtioLimits = {
  serverTransactions: 100_000,
  clientTransactions: 50_000,
  dialogs: 50_000,
  frameBytes: 99_999,
  connectMs: 10_000,
  commandMs: 10_000,
  reconnectMs: 500,
  reconnectMsMax: 30_000,
  responseMs: 40_000,
  inviteMs: 200_000,
  answerMs: 180_000,
  ackMs: 40_000,
};

export interface DrachtioOptions {
  /** Makes an Srf that nobody else uses: `() => new Srf()`. Called once for each connection. */
  readonly createSrf: () => object;
  readonly connection: DrachtioConnection;
  /** The control protocol carries text only; there is no other value. */
  readonly binaryBodies?: false;
  /** Host for Contact; by default the one the server tells. */
  readonly advertised?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits?: Partial<DrachtioLimits>;
}

/** The options with every default filled in. */
export interface DrachtioSettings extends Omit<DrachtioOptions, 'limits' | 'binaryBodies'> {
  readonly limits: DrachtioLimits;
}

/** Fills in the defaults. Throws DrachtioError `DRACHTIO_BINARY`. */
export function settingsOf(options: DrachtioOptions): DrachtioSettings {
  const binaryBodies: unknown = options.binaryBodies ?? false;
  if (binaryBodies !== false) {
    throw new DrachtioError('DRACHTIO_BINARY', 'drachtio carries bodies as UTF-8 text');
  }
  return { ...options, limits: { ...drachtioLimits, ...options.limits } };
}
