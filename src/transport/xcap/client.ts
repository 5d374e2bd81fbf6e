/** The XCAP client that keeps metadata in an external XDMS (XCAP-10, D-80 to D-83). */

import type {
  AccountId,
  Clock,
  HistoryFacts,
  Random,
  Trace,
  XdmsOutcome,
  XdmsPort,
} from '../../ports.js';
import { historyListFrame, writeHistory, writeHistoryEntry } from '../../wire/xml/history.js';
import { xcapElementType } from '../../wire/xml/xcap-document.js';
import { parseXcapError } from '../../wire/xml/xcap-error.js';
import { writeXcapUri } from '../../wire/xml/xcap-uri.js';
import { Breaker } from './breaker.js';
import { ClientDigest } from './client-digest.js';
import type { DigestUser } from './client-digest.js';
import { deferredListAuid, deferredListType } from './deferred-list.js';
import { historyElement } from './history-element.js';
import { HttpClient } from './http-client.js';
import type { HttpAnswer, HttpQuestion, HttpTls } from './http-client.js';
import { XdmsError } from './xdms-error.js';

export interface XdmsClientOptions {
  /** The XCAP root, such as `https://xdms.example.net/xcap`. */
  readonly root: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The value of User-Agent (STANDARDS 5.8). */
  readonly product: string;
  /** A URI for X-3GPP-Asserted-Identity, where the XDMS trusts us. */
  readonly assertedIdentity?: string;
  /** Where it wants digest authentication. */
  readonly user?: DigestUser;
  readonly tls?: HttpTls;
  readonly limits?: Partial<XdmsLimits>;
  /** Sees what goes and comes, without bodies. */
  readonly trace?: Trace | undefined;
}

export interface XdmsLimits {
  readonly connections: number;
  readonly pending: number;
  readonly timeoutMs: number;
  readonly answerOctets: number;
  /** Documents whose ETags are remembered. */
  readonly etags: number;
  /** Failures in a row before requests are spared, and ms between two attempts then. */
  readonly failures: number;
  readonly pauseMs: number;
}

export const defaultXdmsLimits: XdmsLimits = {
  connections: 16,
  pending: 1_000,
  timeoutMs: 10_000,
  answerOctets: 65_536,
  etags: 100_000,
  failures: 5,
  pauseMs: 5_000,
};

export interface XdmsClient extends XdmsPort {
  counters(): Readonly<Record<string, number>>;
  close(): void;
}

/** Throws XdmsError `XDMS_URI`. */
export function createXdmsClient(options: XdmsClientOptions): XdmsClient {
  return new Client(options);
}

/** Requests for one change: conditions that fail and documents that are missing included. */
const roundsMax = 8;
const emptyList = historyListFrame.start + historyListFrame.end;

class Client implements XdmsClient {
  readonly #options: XdmsClientOptions;
  readonly #limits: XdmsLimits;
  readonly #http: HttpClient;
  readonly #path: string;
  readonly #digest: ClientDigest | undefined;
  readonly #breaker: Breaker;
  /** As the XDMS said last, least recently used first. */
  readonly #etags = new Map<AccountId, string>();
  readonly #counters = {
    'xdms.requests': 0,
    'xdms.conflicts': 0,
    'xdms.created': 0,
    'xdms.rebuilt': 0,
    'xdms.spared': 0,
    'xdms.failed': 0,
  };

  constructor(options: XdmsClientOptions) {
    const { root, clock, random, user, tls, trace } = options;
    const limits = { ...defaultXdmsLimits, ...options.limits };
    const origin = urlOf(root);
    this.#options = options;
    this.#limits = limits;
    this.#path = origin.pathname.replace(/\/$/, '');
    this.#digest = user && new ClientDigest(user, random);
    this.#breaker = new Breaker({ clock, failures: limits.failures, pauseMs: limits.pauseMs });
    this.#http = new HttpClient({ origin, clock, trace, ...(tls && { tls }), ...limits });
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, 'xdms.down': this.#breaker.isOpen ? 1 : 0 };
  }

  put(account: AccountId, history: HistoryFacts): Promise<XdmsOutcome> {
    const body = Buffer.from(writeHistory(historyElement(history)));
    return this.#change(account, history.reference, body);
  }

  delete(account: AccountId, reference: string): Promise<XdmsOutcome> {
    return this.#change(account, reference, undefined);
  }

  async rebuild(
    account: AccountId,
    pages: () => AsyncIterable<readonly HistoryFacts[]>,
  ): Promise<void> {
    for (let round = 0; round < roundsMax; round++) {
      // RFC 4825 7.11: one that is given up and served late must not undo what came after it.
      const condition = await this.#condition(account);
      const answer = await this.#ask({
        method: 'PUT',
        path: this.#document(account),
        headers: { ...condition, 'Content-Type': deferredListType },
        body: () => documentOf(pages()),
      });
      if (isSuccess(answer)) {
        this.#counters['xdms.rebuilt']++;
        this.#learn(account, answer);
        return;
      }
      if (answer.status !== 412) throw failure(answer);
      this.#counters['xdms.conflicts']++;
      this.#etags.delete(account);
    }
    throw raced();
  }

  close(): void {
    this.#http.close();
  }

  // ------------------------------------------------------------------------------- changes

  /** PUT of one history, or DELETE when there is no body; repeated until it stands or is refused. */
  async #change(
    account: AccountId,
    reference: string,
    body: Buffer | undefined,
  ): Promise<XdmsOutcome> {
    const path = this.#element(account, reference);
    let outcome: XdmsOutcome = 'done';
    for (let round = 0; round < roundsMax; round++) {
      const etag = this.#etag(account);
      const answer = await this.#ask({
        method: body ? 'PUT' : 'DELETE',
        path,
        headers: {
          ...(etag !== undefined && { 'If-Match': etag }),
          ...(body && { 'Content-Type': xcapElementType }),
        },
        ...(body && { body }),
      });
      if (isSuccess(answer) || (!body && answer.status === 404)) {
        if (answer.status !== 404) this.#learn(account, answer);
        return outcome;
      }
      if (answer.status === 412) {
        outcome = 'changed';
        await this.#relearn(account);
      } else if (body && parseXcapError(answer.body)?.kind === 'no-parent') {
        // Whatever else should be in a document that is not there has to be put again.
        outcome = 'changed';
        await this.#create(account);
      } else throw failure(answer);
    }
    throw raced();
  }

  /** XCAP-10: 412 is followed by a look at the document as it is. */
  async #relearn(account: AccountId): Promise<void> {
    this.#counters['xdms.conflicts']++;
    await this.#look(account);
  }

  /** Whether there is a document; its ETag is learned. */
  async #look(account: AccountId): Promise<boolean> {
    this.#etags.delete(account);
    const question = { method: 'HEAD', path: this.#document(account), headers: {} } as const;
    const answer = await this.#ask(question);
    if (answer.status === 404) return false;
    if (!isSuccess(answer)) throw failure(answer);
    this.#learn(account, answer);
    return true;
  }

  /** The document is as it was when this was asked; nothing where the XDMS has no strong ETag. */
  async #condition(account: AccountId): Promise<Record<string, string>> {
    if (!this.#etags.has(account) && !(await this.#look(account))) return { 'If-None-Match': '*' };
    const etag = this.#etag(account);
    return etag === undefined ? {} : { 'If-Match': etag };
  }

  /** D-82. Somebody else may have been faster. */
  async #create(account: AccountId): Promise<void> {
    this.#etags.delete(account);
    const answer = await this.#ask({
      method: 'PUT',
      path: this.#document(account),
      headers: { 'If-None-Match': '*', 'Content-Type': deferredListType },
      body: Buffer.from(emptyList),
    });
    if (answer.status === 412) return;
    if (!isSuccess(answer)) throw failure(answer);
    this.#counters['xdms.created']++;
    this.#learn(account, answer);
  }

  // ----------------------------------------------------------------------------------- HTTP

  async #ask(question: HttpQuestion): Promise<HttpAnswer> {
    if (!this.#breaker.admits()) {
      this.#counters['xdms.spared']++;
      throw new XdmsError('XDMS_DOWN', 'the XDMS has failed too often');
    }
    try {
      let answer = await this.#send(question);
      const challenges = answer.fields['www-authenticate'] ?? [];
      if (answer.status === 401 && this.#digest?.take(challenges) === true) {
        answer = await this.#send(question);
      }
      if (isUnavailable(answer)) this.#failed();
      else this.#breaker.succeeded();
      return answer;
    } catch (error) {
      if (error instanceof XdmsError && error.code !== 'XDMS_BUSY') this.#failed();
      throw error;
    }
  }

  #failed(): void {
    this.#counters['xdms.failed']++;
    this.#breaker.failed();
  }

  #send(question: HttpQuestion): Promise<HttpAnswer> {
    const { product, assertedIdentity } = this.#options;
    const { method, path } = question;
    const authorization = this.#digest?.authorization(method, path);
    this.#counters['xdms.requests']++;
    return this.#http.ask({
      ...question,
      headers: {
        'User-Agent': product,
        ...(assertedIdentity !== undefined && {
          'X-3GPP-Asserted-Identity': `"${assertedIdentity}"`,
        }),
        ...(authorization !== undefined && { Authorization: authorization }),
        ...question.headers,
      },
    });
  }

  // ---------------------------------------------------------------------------------- names

  #document(account: AccountId, node?: string): string {
    const xui = account.includes('@') ? `sip:${account}` : `tel:${account}`;
    const uri = { auid: deferredListAuid, tree: 'users', xui, document: 'deferred-list' } as const;
    return writeXcapUri(this.#path, node === undefined ? uri : { ...uri, node });
  }

  #element(account: AccountId, reference: string): string {
    return this.#document(account, `history-list/history[@history-reference="${reference}"]`);
  }

  // ---------------------------------------------------------------------------------- ETags

  #etag(account: AccountId): string | undefined {
    const etag = this.#etags.get(account);
    if (etag === undefined) return undefined;
    this.#etags.delete(account);
    this.#etags.set(account, etag);
    return etag;
  }

  #learn(account: AccountId, { fields }: HttpAnswer): void {
    this.#etags.delete(account);
    const [etag] = fields['etag'] ?? [];
    // A weak one would never match (RFC 7232 3.1).
    if (etag === undefined || !etag.startsWith('"')) return;
    this.#etags.set(account, etag);
    if (this.#etags.size <= this.#limits.etags) return;
    const [oldest] = this.#etags.keys();
    this.#etags.delete(oldest!);
  }
}

async function* documentOf(pages: AsyncIterable<readonly HistoryFacts[]>): AsyncGenerator<string> {
  yield historyListFrame.start;
  for await (const page of pages) {
    yield page.map((facts) => writeHistoryEntry(historyElement(facts))).join('');
  }
  yield historyListFrame.end;
}

function isSuccess({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}

/** Another attempt may fare better (RFC 7231 6.6, RFC 6585 4). */
function isUnavailable({ status }: HttpAnswer): boolean {
  return status >= 500 || status === 408 || status === 429;
}

function failure(answer: HttpAnswer): XdmsError {
  const { status, body } = answer;
  if (isUnavailable(answer)) return new XdmsError('XDMS_UNAVAILABLE', `answers ${status}`);
  if (status === 401) return new XdmsError('XDMS_CREDENTIALS', 'our credentials are not accepted');
  const kind = parseXcapError(body)?.kind;
  return new XdmsError('XDMS_REFUSED', `answers ${status}${kind ? ` ${kind}` : ''}`);
}

function raced(): XdmsError {
  return new XdmsError('XDMS_RACED', 'others change the document all the time');
}

function urlOf(root: string): URL {
  const url = URL.canParse(root) ? new URL(root) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new XdmsError('XDMS_URI', 'the XCAP root is no http or https URI');
  }
  return url;
}
