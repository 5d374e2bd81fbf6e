/** XCAP URIs: document selector, node selector and query (RFC 4825 6). */

import { WireError } from '../error.js';

/** What a request names, decoded; the node selector as text. */
export interface XcapUri {
  readonly auid: string;
  readonly tree: 'users' | 'global';
  /** The user whose document it is; absent in the global tree. */
  readonly xui?: string;
  /** Path of the document below the user or below `global`. */
  readonly document: string;
  readonly node?: string;
  /** As written, without the question mark. */
  readonly query: string;
}

/** Characters of a whole request target. */
const targetMax = 8_192;
const separator = '~~';
/** RFC 3986 3.3 and what clients write besides; nothing that ends a target. */
const segmentForm = /^[^\s?#\0-\x1f\x7f]*$/;

/**
 * Reads the target of a request, in origin or absolute form, below the XCAP root `root`, such as
 * `/xcap`. Throws WireError `XCAP_URI`, and `XCAP_NOT_FOUND` for what is not below the root.
 */
export function parseXcapUri(target: string, root: string): XcapUri {
  if (target.length > targetMax) throw new WireError('XCAP_URI', 'the URI is too long', 414);
  const { path, query } = partsOf(target);
  if (!path.startsWith(`${root}/`)) throw notFound();
  const segments = path
    .slice(root.length + 1)
    .split('/')
    .map(decode);
  const end = segments.indexOf(separator);
  const [auid, tree, ...rest] = end < 0 ? segments : segments.slice(0, end);
  if (auid === undefined || auid === '') throw notFound();
  const node = end < 0 ? undefined : segments.slice(end + 1).join('/');
  const named = { auid, query, ...(node !== undefined && { node }) };
  if (tree === 'global') return { ...named, tree, document: pathOf(rest) };
  const [xui, ...names] = rest;
  if (tree !== 'users' || xui === undefined || xui === '') throw notFound();
  return { ...named, tree, xui, document: pathOf(names) };
}

/** The path of a document, or of a node in it; the inverse of `parseXcapUri`. */
export function writeXcapUri(root: string, uri: Omit<XcapUri, 'query'>): string {
  const { auid, tree, xui, document, node } = uri;
  const names = document.split('/').map(encode);
  const path = [root, encode(auid), tree, ...(xui === undefined ? [] : [encode(xui)]), ...names];
  if (node !== undefined) path.push(separator, ...node.split('/').map(encode));
  return path.join('/');
}

function partsOf(target: string): { readonly path: string; readonly query: string } {
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target);
  const local = absolute ? target.slice(absolute[0].length) : target;
  const mark = local.indexOf('?');
  const path = mark < 0 ? local : local.slice(0, mark);
  if (!segmentForm.test(path)) throw new WireError('XCAP_URI', 'the path has what no path has');
  return { path, query: mark < 0 ? '' : local.slice(mark + 1) };
}

function pathOf(names: readonly string[]): string {
  if (names.length === 0 || names.some((name) => name === '' || name.includes('/'))) {
    throw notFound();
  }
  return names.join('/');
}

/** Throws WireError `XCAP_URI` when it is not the encoding of UTF-8. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) throw new WireError('XCAP_URI', 'an escape is no UTF-8');
    throw error;
  }
}

/** RFC 3986 3.3: pchar stays readable, but for what some servers take apart. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%3A', ':')
    .replaceAll('%40', '@')
    .replaceAll('%3D', '=');
}

function notFound(): WireError {
  return new WireError('XCAP_NOT_FOUND', 'no document has that name', 404);
}
