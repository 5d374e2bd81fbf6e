/** What the tester asks of an XDMS: documents of its user, over HTTP (RFC 4825). */

import { Realms } from '../../client/realms.js';
import { systemRandom } from '../../system.js';
import { Unable } from './case.js';
import type { Stage } from './stage.js';

/** Octets of a document. */
const documentBytes = 1_048_576;
const nothing = Buffer.alloc(0);

export interface XdmsAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly type: string | undefined;
  readonly body: Buffer;
}

export interface XdmsQuestion {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Behind the root. */
  readonly path: string;
  readonly type?: string;
  readonly body?: Buffer;
}

export class Xdms {
  readonly #stage: Stage;
  readonly #root: string;
  readonly #realms: Realms | undefined;

  constructor(stage: Stage, root: string) {
    this.#stage = stage;
    this.#root = root.replace(/\/+$/, '');
    const { credentials } = stage.settings;
    const { user } = stage.endpoint;
    if (credentials === undefined) return;
    const known = { username: user, password: credentials.passwordOf(user), realm: undefined };
    this.#realms = new Realms({ ...known, md5: true, proof: 'accept' }, systemRandom);
  }

  /** Of the user, in that usage. */
  document(auid: string, name: string): string {
    const user = encodeURIComponent(this.#stage.cast.user);
    return `/${auid}/users/${user.replaceAll('%3A', ':').replaceAll('%40', '@')}/${name}`;
  }

  /** Throws Unable when nobody answers, or not this user. */
  async ask(question: XdmsQuestion): Promise<XdmsAnswer> {
    let response = await this.#fetch(question);
    if (response.status === 401 && this.#answers(response)) {
      await response.body?.cancel();
      response = await this.#fetch(question);
    }
    const { status, headers } = response;
    const answer = {
      ...{ status, etag: headers.get('etag') ?? undefined },
      ...{ type: headers.get('content-type') ?? undefined, body: await octetsOf(response) },
    };
    if (status === 401) throw new Unable('the XDMS asks for credentials (401): --credentials');
    return answer;
  }

  async #fetch({ method, path, type, body }: XdmsQuestion): Promise<Response> {
    const url = new URL(`${this.#root}${path}`);
    const { cast, settings } = this.#stage;
    const who = settings.identity === 'asserted' ? 'Asserted' : 'Intended';
    const headers: [string, string][] = [
      ['User-Agent', 'XDM-client/OMA1.1'],
      [`X-3GPP-${who}-Identity`, `"${cast.user}"`],
    ];
    if (type !== undefined) headers.push(['Content-Type', type]);
    const uri = `${url.pathname}${url.search}`;
    const given = this.#realms?.authorize({ method, uri, body: body ?? nothing });
    for (const [name, value] of given?.fields ?? []) headers.push([name, value]);
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(this.#stage.patience)));
    const more = body === undefined ? {} : { body: new Uint8Array(body) };
    try {
      return await fetch(url, { method, headers, signal, redirect: 'error', ...more });
    } catch {
      throw new Unable(`the XDMS at ${url.host} does not answer`);
    }
  }

  #answers(response: Response): boolean {
    const value = response.headers.get('www-authenticate') ?? '';
    // Fetch joins several challenges by commas; each begins with its scheme.
    const fields = value.split(/,\s*(?=Digest\s)/i);
    const realms = this.#realms?.challenged({ status: 401, fields: () => fields }) ?? [];
    for (const realm of realms) this.#realms?.keep(realm);
    return realms.length > 0;
  }
}

async function octetsOf(response: Response): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let octets = 0;
  try {
    for await (const piece of response.body ?? []) {
      const bytes = piece as Uint8Array;
      octets += bytes.length;
      if (octets > documentBytes) throw new Unable('the document of the XDMS is too large');
      pieces.push(bytes);
    }
  } catch (error) {
    if (error instanceof Unable) throw error;
    throw new Unable('the answer of the XDMS breaks off');
  }
  return Buffer.concat(pieces);
}
