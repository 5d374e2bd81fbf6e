/** Why an XCAP server refuses a change: `application/xcap-error+xml` (RFC 4825 11). */

import { WireError } from '../error.js';
import { attributeOf, childrenOf, parseXml, textOf } from './tree.js';
import { isXmlText, xmlDocument, xmlElement } from './write.js';

export const xcapErrorType = 'application/xcap-error+xml';

const namespace = 'urn:ietf:params:xml:ns:xcap-error';

/** 11.1: what each of them means. */
const kinds = [
  'not-well-formed',
  'not-xml-frag',
  'no-parent',
  'schema-validation-error',
  'not-xml-att-value',
  'cannot-insert',
  'cannot-delete',
  'uniqueness-failure',
  'constraint-failure',
  'extension',
  'not-utf-8',
] as const;

export type XcapErrorKind = (typeof kinds)[number];

export interface XcapError {
  readonly kind: XcapErrorKind;
  /** For people. */
  readonly phrase?: string;
  /** With `no-parent`: path of the closest ancestor that exists. */
  readonly ancestor?: string;
  /** With `uniqueness-failure`: node selector of what exists elsewhere already. */
  readonly exists?: string;
}

/** A change that conflicts with the document: 409 with an error document. */
export class XcapConflict extends WireError {
  readonly conflict: XcapError;

  constructor(conflict: XcapError) {
    super('XCAP_CONFLICT', conflict.kind, 409);
    this.name = 'XcapConflict';
    this.conflict = conflict;
  }
}

export function writeXcapError({ kind, phrase, ancestor, exists }: XcapError): Buffer {
  const children: string[] = [];
  if (ancestor !== undefined) children.push(xmlElement('ancestor', [], printable(ancestor)));
  if (exists !== undefined) children.push(xmlElement('exists', [['field', printable(exists)]]));
  const error = xmlElement(kind, [['phrase', phrase]], children);
  return xmlDocument(xmlElement('xcap-error', [['xmlns', namespace]], [error]));
}

/** Undefined for a document that is no XCAP error, or for an error that is not known. */
export function parseXcapError(body: Buffer): XcapError | undefined {
  const root = parsed(body);
  if (root?.name !== 'xcap-error' || root.namespace !== namespace) return undefined;
  const error = root.children.find((child) => typeof child !== 'string');
  const kind = kinds.find((known) => known === error?.name);
  if (typeof error !== 'object' || kind === undefined) return undefined;
  const phrase = attributeOf(error, 'phrase');
  const ancestor = textOf(childrenOf(error, 'ancestor', namespace)[0]);
  return {
    kind,
    ...(phrase !== undefined && { phrase }),
    ...(ancestor !== undefined && { ancestor }),
  };
}

function parsed(body: Buffer): ReturnType<typeof parseXml> | undefined {
  try {
    return parseXml(body, { size: 65_536 });
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** What a client has written comes back to it, so that it may hold anything. */
function printable(text: string): string {
  return isXmlText(text) ? text : '';
}
