/** XCAP of a trace: what was asked about a document of a user, and what was answered (RFC 4825). */

import { WireError } from '../../wire/error.js';
import { historyNamespace } from '../../wire/xml/history.js';
import { settingsNamespace } from '../../wire/xml/settings.js';
import { parseXcapNode, type XcapNode } from '../../wire/xml/xcap-node.js';
import { parseXcapUri, type XcapUri } from '../../wire/xml/xcap-uri.js';
import { canonicalAor } from '../../wire/sip/uri.js';
import { withoutChunks } from '../capture/http-body.js';
import type { Observed } from '../capture/observed.js';
import { readable } from './session-media.js';

export interface HttpMessage {
  readonly observed: Observed;
  /** Without line ends. */
  readonly start: string;
  /** Names in lower case; values of one name are joined. */
  readonly fields: ReadonlyMap<string, string>;
  /** Absent where it was not all seen. */
  readonly body: Buffer | undefined;
}

export type XcapSubject = 'history' | 'settings' | 'other';

export interface XcapExchange {
  readonly id: string;
  readonly method: string;
  readonly uri: XcapUri;
  /** Below the document; absent: the whole of it. `unknown`: it could not be read. */
  readonly node: XcapNode | 'unknown' | undefined;
  readonly subject: XcapSubject;
  /** Canonical: whose document it is. */
  readonly user: string;
  /** Canonical, as whoever is trusted says who asks; absent: that was not seen. */
  readonly asker: string | undefined;
  readonly request: HttpMessage;
  answer: HttpMessage | undefined;
  status: number | undefined;
}

const noBody = Buffer.alloc(0);
const deferredList = 'org.openmobilealliance.deferred-list';
/** The one that this project takes where nobody has chosen another. */
const settingsAuid = 'org.openmobilealliance.im-service-settings';

/** Throws WireError for what is no HTTP. */
export function httpMessageOf(observed: Observed): HttpMessage {
  const { bytes, cut } = observed;
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) throw new WireError('XCAP_URI', 'no whole head of an HTTP message');
  const [start = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:\s]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    const key = name.toLowerCase();
    const before = fields.get(key);
    fields.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  const octets = bytes.subarray(end + 4);
  const isChunked = /\bchunked$/i.test(fields.get('transfer-encoding') ?? '');
  const body = cut ? undefined : isChunked ? withoutChunks(octets) : octets;
  return { observed, start, fields, body };
}

/** Puts answers to their questions: on a connection they come in the order of these. */
export class XcapExchanges {
  readonly all: XcapExchange[] = [];
  readonly #waiting = new Map<string, (XcapExchange | undefined)[]>();
  /** Documents that hold settings, whatever their names are. */
  readonly #settings = new Set<string>();

  /** The exchange that the message belongs to; undefined: of nothing that is known. */
  take(message: HttpMessage): XcapExchange | undefined {
    const { source, target } = message.observed;
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(message.start)?.[1];
    if (status === undefined) {
      const asked = this.#asked(message);
      const way = `${source} ${target}`;
      const waiting = this.#waiting.get(way);
      if (waiting) waiting.push(asked);
      else this.#waiting.set(way, [asked]);
      return asked;
    }
    if (status.startsWith('1')) return undefined;
    const asked = this.#waiting.get(`${target} ${source}`)?.shift();
    if (asked === undefined) return undefined;
    asked.answer = message;
    asked.status = Number(status);
    return asked;
  }

  #asked(message: HttpMessage): XcapExchange | undefined {
    const [method = '', target = ''] = message.start.split(' ');
    const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
    const [, root = ''] = /^(.*?)\/[^/]*\/users\//.exec(path) ?? [];
    const uri = readable(() => parseXcapUri(target, root));
    const user = uri?.xui === undefined ? undefined : canonicalAor(uri.xui);
    if (uri === undefined || user === undefined) return undefined;
    const subject = this.#subjectOf(uri, message);
    const exchange: XcapExchange = {
      ...{ id: `h${this.all.length}`, method, uri, subject, user, request: message },
      node: nodeOf(uri, subject),
      asker: askerIn(message),
      ...{ answer: undefined, status: undefined },
    };
    this.all.push(exchange);
    return exchange;
  }

  #subjectOf({ auid, document }: XcapUri, { body = noBody }: HttpMessage): XcapSubject {
    if (auid === deferredList) return document === 'deferred-list' ? 'history' : 'other';
    const name = `${auid} ${document}`;
    if (auid === settingsAuid || body.includes(settingsNamespace)) this.#settings.add(name);
    return this.#settings.has(name) ? 'settings' : 'other';
  }
}

/** Whether anything of the document may be another behind it. */
export function isChange({ method, status }: XcapExchange): boolean {
  const isAsked = method === 'PUT' || method === 'DELETE';
  return isAsked && (status === undefined || (status >= 200 && status < 300));
}

function nodeOf({ node, query }: XcapUri, subject: XcapSubject): XcapExchange['node'] {
  if (node === undefined) return undefined;
  const namespace = subject === 'history' ? historyNamespace : settingsNamespace;
  return readable(() => parseXcapNode(node, query, namespace)) ?? 'unknown';
}

/** TS 24.109: as a proxy asserts it; what a client says of itself comes second. */
function askerIn({ fields }: HttpMessage): string | undefined {
  // Who proves it himself may be somebody else.
  if (fields.has('authorization')) return undefined;
  const said = fields.get('x-3gpp-asserted-identity') ?? fields.get('x-3gpp-intended-identity');
  const [, quoted, plain] = /^\s*(?:"([^"\\]+)"|([^\s",]+))/.exec(said ?? '') ?? [];
  return canonicalAor(quoted ?? plain ?? '');
}
