/** One XCAP request and what it is answered with, whatever carries them (RFC 4825 8). */

import { WireError } from '../../wire/error.js';
import { xcapAttributeType, xcapElementType } from '../../wire/xml/xcap-document.js';
import { writeXcapError, XcapConflict, xcapErrorType } from '../../wire/xml/xcap-error.js';
import { parseXcapNode } from '../../wire/xml/xcap-node.js';
import type { XcapNode } from '../../wire/xml/xcap-node.js';
import { parseXcapUri } from '../../wire/xml/xcap-uri.js';
import type { XcapUri } from '../../wire/xml/xcap-uri.js';
import { entityTag, failedCondition } from './conditional.js';
import type { Conditions } from './conditional.js';
import type { Identified } from './identity.js';
import type {
  XcapIdentities,
  XcapResource,
  XcapText,
  XcapUsage,
  XcapView,
  XcapWritten,
} from './usage.js';

export interface XcapRequest extends Conditions {
  readonly method: string;
  readonly target: string;
  /** Of Content-Type, in lower case and without parameters. */
  readonly type: string | undefined;
  readonly body: Buffer;
  /** Asked only where somebody has to be somebody. */
  identify(): Promise<Identified>;
}

export interface XcapResponse {
  readonly status: number;
  readonly headers: readonly (readonly [string, string | readonly string[]])[];
  readonly body?: XcapText;
}

/** Writes of others that are waited out before the client has to try again. */
const attemptsMax = 8;
const methods = 'GET, HEAD, PUT, DELETE';

export class XcapExchange {
  readonly #root: string;
  readonly #usages: ReadonlyMap<string, XcapUsage>;

  constructor(root: string, usages: readonly XcapUsage[]) {
    this.#root = root;
    this.#usages = new Map(usages.map((usage) => [usage.auid, usage]));
  }

  /** Rejects with what is neither the fault of the peer nor a conflict. */
  async answer(request: XcapRequest): Promise<XcapResponse> {
    try {
      return await this.#answer(request);
    } catch (error) {
      if (error instanceof XcapConflict) return conflicting(error);
      if (error instanceof WireError) return status(error.status);
      throw error;
    }
  }

  async #answer(request: XcapRequest): Promise<XcapResponse> {
    const { method, target } = request;
    const uri = parseXcapUri(target, this.#root);
    const usage = this.#usages.get(uri.auid);
    if (!usage) return status(404);
    const reads = method === 'GET' || method === 'HEAD';
    if (!reads && method !== 'PUT' && method !== 'DELETE') return notAllowed(methods);
    let identities: XcapIdentities = [];
    if (!usage.isPublic || !reads) {
      const identified = await request.identify();
      if (identified.kind !== 'known') return unidentified(identified);
      identities = identified.identities;
    }
    const resource = usage.open(uri, identities);
    if (!resource) return status(404);
    const node =
      uri.node === undefined ? undefined : parseXcapNode(uri.node, uri.query, usage.namespace);
    if (reads) return read(request, usage, resource, node);
    // 8: namespace bindings are changed by changing elements.
    if (node?.terminal?.kind === 'namespaces') return notAllowed('GET, HEAD');
    const written = { uri, node, resource };
    return method === 'PUT'
      ? put(request, usage, usage.mayWrite(uri, identities), written)
      : remove(request, written);
  }
}

interface Target {
  readonly uri: XcapUri;
  readonly node: XcapNode | undefined;
  readonly resource: XcapResource;
}

async function read(
  request: XcapRequest,
  usage: XcapUsage,
  resource: XcapResource,
  node: XcapNode | undefined,
): Promise<XcapResponse> {
  const view = await resource.read();
  if (!view) return status(404);
  const answer = node ? await view.node(node) : { type: usage.contentType, text: view.whole() };
  if (!answer) return status(404);
  const tag = entityTag(view.etag);
  const failed = failedCondition(request, tag, true);
  if (failed !== undefined) return status(failed, [['ETag', tag]]);
  const headers = [
    ['Content-Type', answer.type],
    ['ETag', tag],
  ] as const;
  // Nobody reads it: pieces are not made before somebody does.
  return request.method === 'HEAD'
    ? { status: 200, headers }
    : { status: 200, headers, body: answer.text };
}

async function put(
  request: XcapRequest,
  usage: XcapUsage,
  mayWrite: boolean,
  { uri, node, resource }: Target,
): Promise<XcapResponse> {
  if (!mayWrite) return status(403);
  if (request.type !== typeOf(usage, node)) return status(415);
  return changed(request, resource, (view) => resource.put({ uri, node, view }, request.body));
}

function remove(request: XcapRequest, { uri, node, resource }: Target): Promise<XcapResponse> {
  return changed(request, resource, (view) =>
    view ? resource.delete({ uri, node, view }) : Promise.resolve(undefined),
  );
}

/** Conditions and change belong together: what others have written in between begins anew. */
async function changed(
  request: XcapRequest,
  resource: XcapResource,
  change: (view: XcapView | undefined) => Promise<XcapWritten | 'stale' | undefined>,
): Promise<XcapResponse> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const view = await resource.read();
    const failed = failedCondition(request, view && entityTag(view.etag), false);
    if (failed !== undefined) return status(failed);
    const written = await change(view);
    if (written === 'stale') continue;
    if (!written) return status(404);
    const { etag, created } = written;
    return status(created ? 201 : 200, etag === undefined ? [] : [['ETag', entityTag(etag)]]);
  }
  return status(503, [['Retry-After', '1']]);
}

function typeOf(usage: XcapUsage, node: XcapNode | undefined): string {
  if (!node) return usage.contentType;
  return node.terminal ? xcapAttributeType : xcapElementType;
}

function conflicting({ conflict }: XcapConflict): XcapResponse {
  const body = writeXcapError(conflict).toString();
  return { status: 409, headers: [['Content-Type', xcapErrorType]], body };
}

function unidentified(identified: Exclude<Identified, { kind: 'known' }>): XcapResponse {
  if (identified.kind === 'challenge') {
    return status(401, [['WWW-Authenticate', identified.challenges]]);
  }
  const { status: code } = identified;
  return code === 403 ? status(code) : status(code, [['Retry-After', '10']]);
}

function notAllowed(allow: string): XcapResponse {
  return status(405, [['Allow', allow]]);
}

function status(code: number, headers: XcapResponse['headers'] = []): XcapResponse {
  return { status: code, headers };
}
