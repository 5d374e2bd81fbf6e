/** What every part of a client is given: its options with defaults, ports and parties. */

import type { Clock, Log, MsrpPort, Random, SipPort } from '../ports.js';
import type { ClientError, ClientLimits, ImClientOptions } from './im-client.js';
import type { Parties } from './party.js';
import type { Waits } from '../machines/client/events.js';

export interface ClientWorld {
  readonly options: ImClientOptions;
  readonly limits: ClientLimits;
  readonly waits: Waits;
  readonly sip: SipPort;
  readonly msrp: MsrpPort;
  readonly parties: Parties;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Product tokens of User-Agent and Server. */
  readonly product: string;
  trouble(error: ClientError): void;
}

export const clientLimits: ClientLimits = {
  messageBytes: 10_485_760,
  spooledBytes: 4_294_967_296,
  transfers: 4,
  documentBytes: 67_108_864,
  queuedMessages: 64,
  collectedBytes: 67_108_864,
  incomingBytes: 67_108_864,
  queuedStates: 64,
  rememberedIds: 10_000,
  deliveries: 4,
  submissions: 16,
  queuedSubmissions: 10_000,
  answerMs: 35_000,
  bindMs: 30_000,
  idleMs: 60_000,
  consumerMs: 20_000,
  attempts: 1,
  retryMs: 2_000,
  graceMs: 2_000,
};

export function waitsOf(limits: ClientLimits): Waits {
  const { answerMs, bindMs, idleMs, retryMs, graceMs } = limits;
  return { answerMs, bindMs, idleMs, retryMs, farewellMs: graceMs };
}
