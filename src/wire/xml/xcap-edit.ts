/** Changes of a document by XCAP: everything else stays octet by octet (RFC 4825 8.2, 8.4). */

import { attributeOf, parseXml } from './tree.js';
import type { XmlElement, XmlLimits, XmlPlace } from './tree.js';
import {
  boundAt,
  closestAncestor,
  conflictOf,
  readDocument,
  type XcapDocument,
} from './xcap-document.js';
import { XcapConflict } from './xcap-error.js';
import type { XcapErrorKind } from './xcap-error.js';
import type { XcapName, XcapNode, XcapStep } from './xcap-node.js';
import { elementsOf, namedLike, selectElement, selectPath } from './xcap-select.js';
import type { XcapPath } from './xcap-select.js';

export interface XcapChange {
  readonly text: string;
  /** Something is there that was not there before. */
  readonly created: boolean;
}

/** Where an element goes, and what is there now. */
interface Slot {
  readonly parents: XcapPath;
  readonly present: XmlElement | undefined;
}

/**
 * PUT of an element or attribute. `ancestor` makes the path of the steps that lead to an element.
 * Throws XcapConflict.
 */
export function putNode(
  document: XcapDocument,
  node: XcapNode,
  body: Buffer,
  ancestor: (steps: readonly XcapStep[]) => string,
): XcapChange {
  const { terminal, steps } = node;
  if (terminal?.kind === 'attribute') {
    return putAttribute(document, steps, terminal.name, body, ancestor);
  }
  const slot = slotOf(document, steps, ancestor);
  const fragment = fragmentText(document, slot.parents, body);
  const { text, at } = spliced(document, slot, steps.at(-1)!, fragment);
  const changed = reread(text, document.limits, 'cannot-insert');
  const selected = selectElement(changed.root, steps);
  // 8.2.2: a selector that would not lead to what was put is refused.
  if (!selected || changed.places.get(selected)!.start !== at) conflict('cannot-insert');
  return { text, created: slot.present === undefined };
}

/** DELETE of an element or attribute; undefined when there is none. Throws XcapConflict. */
export function deleteNode(document: XcapDocument, node: XcapNode): string | undefined {
  const { steps, terminal } = node;
  const element = selectElement(document.root, steps);
  if (!element) return undefined;
  if (terminal?.kind === 'attribute') {
    const range = attributeRange(document, element, terminal.name);
    return range && document.text.slice(0, range.start) + document.text.slice(range.end);
  }
  // A document without root is none.
  if (steps.length === 1) conflict('cannot-delete');
  const { start, end } = document.places.get(element)!;
  const text = document.text.slice(0, start) + document.text.slice(end);
  const { outcome } = selectPath(reread(text, document.limits, 'cannot-delete').root, steps);
  if (outcome !== 'none') conflict('cannot-delete');
  return text;
}

// ------------------------------------------------------------------------------- element

function slotOf(
  document: XcapDocument,
  steps: readonly XcapStep[],
  ancestor: (steps: readonly XcapStep[]) => string,
): Slot {
  const { path, outcome } = selectPath(document.root, steps);
  if (outcome === 'one') return { parents: path.slice(0, -1), present: path.at(-1) };
  if (path.length < steps.length - 1) {
    const found = closestAncestor(document.root, steps);
    throw new XcapConflict({ kind: 'no-parent', ancestor: ancestor(found) });
  }
  if (outcome === 'several' || path.length === 0) conflict('cannot-insert');
  return { parents: path, present: undefined };
}

/** The one element of a body, read with the namespaces that are bound where it goes. */
function fragmentText(document: XcapDocument, parents: XcapPath, body: Buffer): string {
  const places = new Map<XmlElement, XmlPlace>();
  try {
    const root = parseXml(body, {}, { places, bound: boundAt(document, parents) });
    const { start, end } = places.get(root)!;
    return body.toString().slice(start, end);
  } catch (error) {
    throw conflictOf(error, 'not-xml-frag');
  }
}

function spliced(
  { text, places }: XcapDocument,
  { parents, present }: Slot,
  step: XcapStep,
  fragment: string,
): { readonly text: string; readonly at: number } {
  if (present) {
    const { start, end } = places.get(present)!;
    return { text: text.slice(0, start) + fragment + text.slice(end), at: start };
  }
  const parent = parents.at(-1)!;
  const place = places.get(parent)!;
  if (place.contentStart === place.end) {
    const name = parent.prefix === '' ? parent.name : `${parent.prefix}:${parent.name}`;
    // `<a b="c" />` becomes `<a b="c" >…</a>`.
    const tag = `${text.slice(place.start, place.end - 2)}>`;
    const element = `${tag}${fragment}</${name}>`;
    const at = place.start + tag.length;
    return { text: text.slice(0, place.start) + element + text.slice(place.end), at };
  }
  const at = insertionPoint(text, places, parent, step);
  return { text: text.slice(0, at) + fragment + text.slice(at), at };
}

/**
 * 8.2.3: the earliest place that makes it the last one of its name, or the one of its position;
 * behind every other child when it is the first of its name.
 */
function insertionPoint(
  text: string,
  places: ReadonlyMap<XmlElement, XmlPlace>,
  parent: XmlElement,
  step: XcapStep,
): number {
  const alike = namedLike(elementsOf(parent), step);
  const { position } = step;
  const next = position === undefined ? undefined : alike[position - 1];
  if (next) return places.get(next)!.start;
  if (position !== undefined && position > alike.length + 1) conflict('cannot-insert');
  const last = alike.at(-1) ?? elementsOf(parent).at(-1);
  if (last) return places.get(last)!.end;
  return text.lastIndexOf('</', places.get(parent)!.end);
}

// ----------------------------------------------------------------------------- attribute

function putAttribute(
  document: XcapDocument,
  steps: readonly XcapStep[],
  name: XcapName,
  body: Buffer,
  ancestor: (steps: readonly XcapStep[]) => string,
): XcapChange {
  const { path, outcome } = selectPath(document.root, steps);
  const element = path.at(-1);
  if (outcome !== 'one' || !element) {
    const found = closestAncestor(document.root, steps);
    throw new XcapConflict({ kind: 'no-parent', ancestor: ancestor(found) });
  }
  const value = attributeValue(body);
  const range = attributeRange(document, element, name);
  const written = range?.name ?? qualifiedName(document, path, name);
  const { start, contentStart, end } = document.places.get(element)!;
  const close = contentStart === end ? end - 2 : contentStart - 1;
  const at = range ?? { start: close, end: close };
  const before = document.text.slice(0, at.start);
  const text = `${before} ${written}="${value}"${document.text.slice(at.end)}`;
  const changed = reread(text, document.limits, 'not-xml-att-value');
  const selected = selectElement(changed.root, steps);
  if (!selected || changed.places.get(selected)!.start !== start) conflict('cannot-insert');
  return { text, created: range === undefined };
}

/** What stands between the quotes: character data and references. */
function attributeValue(body: Buffer): string {
  const text = body.toString();
  if (text.includes('\ufffd') && !Buffer.from(text).equals(body)) conflict('not-utf-8');
  if (text.includes('<')) conflict('not-xml-att-value');
  return text.replaceAll('"', '&quot;');
}

/** A prefix that leads to the namespace; attributes without one are in none. */
function qualifiedName(
  document: XcapDocument,
  path: XcapPath,
  { namespace, name }: XcapName,
): string {
  if (namespace === '') return name;
  const bound = [...boundAt(document, path)].filter(([, uri]) => uri === namespace);
  const prefix = bound.find(([candidate]) => candidate !== '')?.[0];
  if (prefix === undefined) conflict('cannot-insert');
  return `${prefix}:${name}`;
}

/** Where an attribute stands, with the white space in front of it. */
function attributeRange(
  { text, places }: XcapDocument,
  element: XmlElement,
  { namespace, name }: XcapName,
): { readonly start: number; readonly end: number; readonly name: string } | undefined {
  if (attributeOf(element, name, namespace) === undefined) return undefined;
  const { prefix } = element.attributes.find(
    (one) => one.name === name && one.namespace === namespace,
  )!;
  const written = prefix === '' ? name : `${prefix}:${name}`;
  const form = /\s+([^\s=<>/]+)\s*=\s*(?:"[^"]*"|'[^']*')/y;
  const { start } = places.get(element)!;
  form.lastIndex = start + /^<[^\s/>]+/.exec(text.slice(start, start + 4_096))![0].length;
  for (let match = form.exec(text); match; match = form.exec(text)) {
    if (match[1] === written) return { start: match.index, end: form.lastIndex, name: written };
  }
  return undefined;
}

// -------------------------------------------------------------------------------- result

/** The document as it would be; what does not parse any more is refused for `kind`. */
function reread(text: string, limits: Partial<XmlLimits>, kind: XcapErrorKind): XcapDocument {
  try {
    return readDocument(Buffer.from(text), limits);
  } catch (error) {
    const mended = conflictOf(error, 'not-xml-frag');
    if (mended instanceof XcapConflict && mended.conflict.kind === 'not-xml-frag') conflict(kind);
    throw mended;
  }
}

function conflict(kind: XcapErrorKind): never {
  throw new XcapConflict({ kind });
}
