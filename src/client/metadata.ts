/** The metadata of stored messages as the client reads it from the XDMS (RFC 4825). */

import { WireError } from '../wire/error.js';
import { parseHistoryList } from '../wire/xml/history.js';
import type { History } from '../wire/xml/history.js';
import { ClientError } from './im-client.js';
import type { ListedMessage, Outcome } from './im-client.js';
import { Realms } from './realms.js';
import { messageUri, userOf } from './request.js';
import type { ClientWorld } from './world.js';

const auid = 'org.openmobilealliance.deferred-list';
const nothing = Buffer.alloc(0);

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly body: Buffer;
}

export class Metadata {
  readonly #world: ClientWorld;
  readonly #realms: Realms | undefined;
  readonly #stopping = new AbortController();

  constructor(world: ClientWorld) {
    this.#world = world;
    const { aor, credentials } = world.options;
    if (!credentials) return;
    const { username = userOf(aor), password, realm, md5 = false } = credentials;
    this.#realms = new Realms({ username, password, realm, md5, proof: 'accept' }, world.random);
  }

  /** Rejects with ClientError `CLIENT_REFUSED` and the status, `CLIENT_MALFORMED`, … */
  async list(): Promise<readonly ListedMessage[]> {
    const { status, reason, body } = await this.#request('GET', '');
    // No message was ever stored (D-82).
    if (status === 404) return [];
    if (status !== 200) {
      throw new ClientError('CLIENT_REFUSED', `the XDMS refuses: ${status} ${reason}`, status);
    }
    try {
      return parseHistoryList(body).map(listed);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw new ClientError('CLIENT_MALFORMED', `metadata: ${error.code}: ${error.hint}`);
    }
  }

  /** One after the other; 404 only when none of them was there (D-31). */
  async delete(ids: readonly string[]): Promise<Outcome> {
    let found: Outcome | undefined;
    let missing: Outcome | undefined;
    for (const id of ids) {
      const { status, reason } = await this.#request('DELETE', historyNode(messageUri(id)));
      if (status === 404) missing = { status, reason };
      else if (status >= 300) return { status, reason };
      else found = { status, reason };
    }
    return found ?? missing!;
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #request(method: 'GET' | 'DELETE', node: string): Promise<Answer> {
    const { xcap, aor } = this.#world.options;
    if (!xcap) throw new ClientError('CLIENT_USAGE', 'the client has no xcap root');
    const root = xcap.root.replace(/\/+$/, '');
    const user = encodeURIComponent(aor).replaceAll('%3A', ':').replaceAll('%40', '@');
    const url = new URL(`${root}/${auid}/users/${user}/deferred-list${node}`);
    const first = await this.#fetch(method, url);
    if (first.status !== 401 || !this.#isChallenged(first)) return answerOf(first, this.#world);
    await first.body?.cancel();
    return answerOf(await this.#fetch(method, url), this.#world);
  }

  async #fetch(method: string, url: URL): Promise<Response> {
    const { options, limits, product } = this.#world;
    const uri = `${url.pathname}${url.search}`;
    const headers: [string, string][] = [['User-Agent', `XDM-client/OMA1.1 ${product}`]];
    if (options.xcap?.identity === 'asserted') {
      headers.push(['X-3GPP-Asserted-Identity', `"${options.aor}"`]);
    } else {
      headers.push(['X-3GPP-Intended-Identity', `"${options.aor}"`]);
    }
    const given = this.#realms?.authorize({ method, uri, body: nothing });
    for (const [name, value] of given?.fields ?? []) headers.push([name, value]);
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(limits.answerMs)]);
    try {
      return await fetch(url, { method, headers, signal, redirect: 'error' });
    } catch (error) {
      throw failureOf(error, url, this.#stopping.signal.aborted);
    }
  }

  #isChallenged(response: Response): boolean {
    if (!this.#realms) return false;
    const value = response.headers.get('www-authenticate') ?? '';
    // Fetch joins several challenges by commas; each begins with its scheme.
    const fields = value.split(/,\s*(?=Digest\s)/i);
    const realms = this.#realms.challenged({ status: 401, fields: () => fields });
    for (const realm of realms) this.#realms.keep(realm);
    return realms.length > 0;
  }
}

async function answerOf(response: Response, { limits }: ClientWorld): Promise<Answer> {
  const { status, statusText: reason } = response;
  const pieces: Uint8Array[] = [];
  let octets = 0;
  for await (const piece of response.body ?? []) {
    const bytes = piece as Uint8Array;
    octets += bytes.length;
    if (octets > limits.documentBytes) {
      throw new ClientError('CLIENT_OVERFLOW', 'the document of the XDMS is too large');
    }
    pieces.push(bytes);
  }
  return { status, reason, body: Buffer.concat(pieces) };
}

function failureOf(error: unknown, url: URL, isStopped: boolean): ClientError {
  if (isStopped) return new ClientError('CLIENT_STOPPED', 'the client was stopped');
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new ClientError('CLIENT_TIMEOUT', `${url.host} did not answer in time`);
  }
  return new ClientError('CLIENT_UNREACHABLE', `${url.host} cannot be reached`);
}

/** The node of one message: by attribute, for positions change (RFC 4825 8.4). */
function historyNode(id: string): string {
  const step = `history[@history-reference="${id.replaceAll('"', '&quot;')}"]`;
  return `/~~/history-list/${encodeURIComponent(step)}`;
}

function listed({ reference, size, expiry, subject, pager, date }: History): ListedMessage {
  return {
    ...{ id: reference, size, from: pager.from, to: pager.to },
    receivedAt: new Date(pager.timeStamp),
    ...(expiry !== undefined && { expiresAt: new Date(expiry) }),
    ...(date !== undefined && { date: new Date(date) }),
    ...(subject !== undefined && { subject }),
  };
}
