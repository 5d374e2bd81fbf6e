/** Carries durable effects out of the node: reports by SIP, metadata to an external XDMS. */

import assert from 'node:assert';
import type { AccountId, Log, Owner, SipPort, XdmsPort } from '../ports.js';
import { historyFacts } from './history.js';
import type { Counters } from './counters.js';
import { reportTarget } from './outbox.js';
import type { Outcome, OutboxRow } from './outbox.js';
import type { Product } from './product.js';
import { reportRequest } from './report.js';
import type { ReportRow } from './report.js';

export interface CourierParts {
  readonly sip: SipPort;
  readonly xdms: XdmsPort | undefined;
  readonly product: Product;
  readonly log: Log;
  /** Reports on their way to one URI, the one in flight included. */
  readonly perTarget: number;
  /** Octets of a report on the wire. */
  readonly reportOctets: number;
  readonly counters: Counters;
  /** Message-ID with scheme. */
  messageUri(serial: number): string;
}

export class Courier {
  readonly #parts: CourierParts;
  readonly #pending = new Map<Owner, (status: number) => void>();
  #sequence = 1;
  /** MSG-07: reports that wait until the one before them to the same URI is answered. */
  readonly #lanes = new Map<string, (() => void)[]>();

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  /** One attempt. Rejects when the request cannot be made at all. */
  async deliver(account: AccountId, row: OutboxRow): Promise<Outcome> {
    const { effect } = row;
    if (effect.type === 'report.send') return this.#report(account, { ...row, effect });
    const { xdms, log, messageUri } = this.#parts;
    if (!xdms) return 'done';
    try {
      const reference = messageUri(effect.serial);
      if (effect.type === 'history.put') await xdms.put(account, historyFacts(effect, reference));
      else await xdms.delete(account, reference);
      return 'done';
    } catch (error) {
      log.warn({ err: error, account }, 'XDMS has failed');
      return 'retry';
    }
  }

  /** The outcome of a request of ours; false when it was not for a report. */
  settle(owner: Owner, id: string, status: number): boolean {
    if (id !== 'report') return false;
    // Late answers to what was given up, and to what a former life of the account sent.
    this.#pending.get(owner)?.(status);
    return true;
  }

  async #report(account: AccountId, row: ReportRow): Promise<Outcome> {
    const to = reportTarget(row.effect);
    const lane = this.#lanes.get(to);
    if (!lane) {
      this.#lanes.set(to, []);
    } else {
      if (lane.length + 1 >= this.#parts.perTarget) return 'retry';
      await new Promise<void>((resolve) => lane.push(resolve));
    }
    try {
      return outcomeOf(await this.#send(account, row));
    } finally {
      this.#next(to);
    }
  }

  #send(account: AccountId, row: ReportRow): Promise<number> {
    const { sip, product, counters, reportOctets } = this.#parts;
    // Numbers of rows return when an account is loaded again; these never do.
    const request = reportRequest(account, this.#sequence++, row, product, reportOctets);
    if (!request) {
      counters['actors.reports.oversized']++;
      return Promise.resolve(513);
    }
    return new Promise((resolve, reject) => {
      this.#pending.set(request.owner, (status) => {
        this.#pending.delete(request.owner);
        resolve(status);
      });
      try {
        sip.request({ ...request, id: 'report' });
      } catch (error) {
        this.#pending.delete(request.owner);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  #next(to: string): void {
    const lane = this.#lanes.get(to);
    assert(lane);
    const next = lane.shift();
    if (next) next();
    else this.#lanes.delete(to);
  }
}

/** A refusal that another attempt would only repeat is final (RFC 3261 21.4, 21.6). */
function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return 'done';
  if (status === 408 || status === 480 || status === 430 || status === 429) return 'retry';
  // 513: it would be too large again.
  return status >= 500 && status < 600 && status !== 513 ? 'retry' : 'refused';
}
