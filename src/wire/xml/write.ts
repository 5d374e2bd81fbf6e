/** Writes XML: everything is escaped, characters that XML cannot hold are refused. */

import { WireError } from '../error.js';

export const xmlDeclaration = '<?xml version="1.0" encoding="UTF-8"?>';

/** XML 1.0, 2.2: Char. */
const notXml = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const escapes = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  // A reader would make spaces of these in an attribute, and a line feed of CR in text.
  ['\t', '&#9;'],
  ['\n', '&#10;'],
  ['\r', '&#13;'],
]);

/** For text and for attributes in double quotes. Throws WireError `XML_CHARACTER`. */
export function escapeXml(text: string): string {
  if (notXml.test(text)) throw new WireError('XML_CHARACTER', 'a character XML cannot hold', 500);
  return text.replace(/[&<>"\t\n\r]/g, (character) => escapes.get(character)!);
}

/** Whether XML can hold the text. */
export function isXmlText(text: string): boolean {
  return !notXml.test(text);
}

/** Attributes in order; one whose value is undefined is left out. */
export type XmlAttributes = readonly (readonly [name: string, value: string | undefined])[];

/**
 * An element. Content that is a string is text; content that is an array is markup, made by this
 * function.
 */
export function xmlElement(
  name: string,
  attributes: XmlAttributes,
  content?: string | readonly string[],
): string {
  let tag = name;
  for (const [attribute, value] of attributes) {
    if (value !== undefined) tag += ` ${attribute}="${escapeXml(value)}"`;
  }
  const inner = typeof content === 'string' ? escapeXml(content) : (content ?? []).join('');
  return inner === '' ? `<${tag}/>` : `<${tag}>${inner}</${name}>`;
}

/** A whole document. */
export function xmlDocument(root: string): Buffer {
  return Buffer.from(`${xmlDeclaration}${root}`);
}
