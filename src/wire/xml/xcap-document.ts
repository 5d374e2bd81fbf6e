/** A document that XCAP reads and changes: its text, where what stands in it (RFC 4825 7, 8). */

import { WireError } from '../error.js';
import { attributeOf, parseXml } from './tree.js';
import type { XmlElement, XmlLimits, XmlPlace } from './tree.js';
import { xmlElement } from './write.js';
import { XcapConflict } from './xcap-error.js';
import type { XcapNode, XcapStep } from './xcap-node.js';
import { selectElement, selectPath } from './xcap-select.js';
import type { XcapPath } from './xcap-select.js';

export const xcapElementType = 'application/xcap-el+xml';
export const xcapAttributeType = 'application/xcap-att+xml';
export const xcapNamespaceType = 'application/xcap-ns+xml';

export interface XcapDocument {
  readonly text: string;
  readonly root: XmlElement;
  readonly places: ReadonlyMap<XmlElement, XmlPlace>;
  /** By which it was read, and by which it is read again when it was changed. */
  readonly limits: Partial<XmlLimits>;
}

export interface XcapFragment {
  readonly type: string;
  readonly text: string;
}

/** Throws XcapConflict `not-utf-8`, `not-well-formed`. */
export function parseXcapDocument(body: Buffer, limits: Partial<XmlLimits> = {}): XcapDocument {
  try {
    return readDocument(body, limits);
  } catch (error) {
    throw conflictOf(error, 'not-well-formed');
  }
}

/** Throws WireError `XML_…`. */
export function readDocument(body: Buffer, limits: Partial<XmlLimits>): XcapDocument {
  const places = new Map<XmlElement, XmlPlace>();
  const root = parseXml(body, limits, { places });
  return { text: body.toString(), root, places, limits };
}

/** What GET of a node answers; undefined when there is no such node. */
export function fragmentOf(document: XcapDocument, node: XcapNode): XcapFragment | undefined {
  const { path, outcome } = selectPath(document.root, node.steps);
  const element = path.at(-1);
  if (outcome !== 'one' || !element) return undefined;
  const { terminal } = node;
  if (!terminal) return { type: xcapElementType, text: textOfElement(document, element) };
  if (terminal.kind === 'namespaces') {
    return { type: xcapNamespaceType, text: namespacesText(document, path, element) };
  }
  const { name, namespace } = terminal.name;
  const value = attributeOf(element, name, namespace);
  return value === undefined ? undefined : { type: xcapAttributeType, text: attributeText(value) };
}

/** As it stands in the document, without bindings of namespaces that stand outside of it. */
export function textOfElement({ text, places }: XcapDocument, element: XmlElement): string {
  const { start, end } = places.get(element)!;
  return text.slice(start, end);
}

/** 7.10: the element without content, with every namespace that is bound for it. */
function namespacesText(document: XcapDocument, path: XcapPath, element: XmlElement): string {
  const name = element.prefix === '' ? element.name : `${element.prefix}:${element.name}`;
  const bound = [...boundAt(document, path)].filter(([, namespace]) => namespace !== '');
  return xmlElement(
    name,
    bound.map(([prefix, namespace]) => [prefix === '' ? 'xmlns' : `xmlns:${prefix}`, namespace]),
  );
}

/** The namespaces that are bound for the last element of a path, by prefix. */
export function boundAt({ places }: XcapDocument, path: XcapPath): Map<string, string> {
  const bound = new Map<string, string>();
  for (const element of path) {
    for (const [prefix, namespace] of places.get(element)!.declared) bound.set(prefix, namespace);
  }
  return bound;
}

/** The value as an attribute holds it, in either kind of quotes. */
function attributeText(value: string): string {
  const [, text] = /^<a a="([^"]*)"\/>$/.exec(xmlElement('a', [['a', value]])) ?? [];
  return text ?? '';
}

/** How far the steps lead into the document, for `no-parent`. */
export function closestAncestor(root: XmlElement, steps: readonly XcapStep[]): readonly XcapStep[] {
  for (let count = steps.length - 1; count > 0; count--) {
    const ancestors = steps.slice(0, count);
    if (selectElement(root, ancestors)) return ancestors;
  }
  return [];
}

/** An error of a parser as the conflict that it means; anything else as it is. */
export function conflictOf(error: unknown, kind: 'not-well-formed' | 'not-xml-frag'): unknown {
  if (!(error instanceof WireError) || error instanceof XcapConflict) return error;
  if (error.code === 'XML_NOT_UTF8') return new XcapConflict({ kind: 'not-utf-8' });
  // What our bounds refuse is no fault of the grammar.
  if (error.code === 'XML_NOT_WELL_FORMED') return new XcapConflict({ kind });
  return new XcapConflict({ kind: 'constraint-failure', phrase: error.hint });
}
