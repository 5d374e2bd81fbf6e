/** Carries durable effects out of the node: reports by SIP, metadata to an external XDMS. */

import assert from 'node:assert';
import type {
  AccountId,
  AccountsPort,
  HistoryFacts,
  Log,
  Owner,
  SipPort,
  XdmsOutcome,
  XdmsPort,
} from '../ports.js';
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
  /** Stored messages, for a rebuild of their metadata. */
  readonly histories: AccountsPort['histories'];
}

/** Histories that are read at a time. */
const page = 256;

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
    const { xdms, log } = this.#parts;
    if (!xdms) return 'done';
    try {
      const outcome = await this.#keep(xdms, account, effect);
      return outcome === 'changed' ? 'changed' : 'done';
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      log.warn({ ...(code === undefined ? { err: error } : { code }), account }, 'XDMS has failed');
      return isFinal(code) ? 'refused' : 'retry';
    }
  }

  #keep(
    xdms: XdmsPort,
    account: AccountId,
    effect: Exclude<OutboxRow['effect'], { type: 'report.send' }>,
  ): Promise<XdmsOutcome> {
    const { messageUri, histories } = this.#parts;
    switch (effect.type) {
      case 'history.put':
        return xdms.put(account, historyFacts(effect, messageUri(effect.serial)));
      case 'history.delete':
        return xdms.delete(account, messageUri(effect.serial));
      case 'history.rebuild':
        return xdms.rebuild(account, () => pagesOf(account, histories)).then(() => 'done');
      default:
        return effect satisfies never;
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

async function* pagesOf(
  account: AccountId,
  histories: AccountsPort['histories'],
): AsyncGenerator<readonly HistoryFacts[]> {
  let after = 0;
  for (;;) {
    const found = await histories(account, { after, limit: page });
    if (found.length > 0) yield found;
    if (found.length < page) return;
    after = found.at(-1)!.serial;
  }
}

/** The XDMS has understood, and will not. */
function isFinal(code: unknown): boolean {
  return code === 'XDMS_REFUSED' || code === 'XDMS_CREDENTIALS';
}

/** A refusal that another attempt would only repeat is final (RFC 3261 21.4, 21.6). */
function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return 'done';
  if (status === 408 || status === 480 || status === 430 || status === 429) return 'retry';
  // 513: it would be too large again.
  return status >= 500 && status < 600 && status !== 513 ? 'retry' : 'refused';
}
