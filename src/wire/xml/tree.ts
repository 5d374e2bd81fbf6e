/** XML as a small tree: strict, with namespaces, bounded (DOCTYPE is refused). */

import { SaxesParser } from 'saxes';
import type { SaxesTagNS } from 'saxes';
import { WireError } from '../error.js';

export interface XmlAttribute {
  readonly namespace: string;
  readonly prefix: string;
  /** Local name. */
  readonly name: string;
  readonly value: string;
}

export interface XmlElement {
  readonly namespace: string;
  readonly prefix: string;
  /** Local name. */
  readonly name: string;
  /** Without declarations of namespaces. */
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly (XmlElement | string)[];
}

/** Where an element stands in the text that was parsed: indices of characters. */
export interface XmlPlace {
  readonly start: number;
  /** Behind the start tag; with an empty-element tag the same as `end`. */
  readonly contentStart: number;
  readonly end: number;
  /** Namespaces that its start tag declares, by prefix. */
  readonly declared: readonly (readonly [prefix: string, namespace: string])[];
}

export interface XmlContext {
  /** Takes the place of every element. */
  readonly places?: Map<XmlElement, XmlPlace>;
  /** Namespaces by prefix that are bound around the text. */
  readonly bound?: ReadonlyMap<string, string>;
}

export interface XmlLimits {
  /** Octets of the document. */
  readonly size: number;
  readonly depth: number;
  readonly elements: number;
  /** Attributes of one element. */
  readonly attributes: number;
  /** Characters of one attribute, so that of a namespace, which every name repeats. */
  readonly attributeValue: number;
}

export const xmlLimits: XmlLimits = {
  size: 1048576,
  depth: 64,
  elements: 16384,
  attributes: 64,
  attributeValue: 4096,
};

const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/';
const pieceLength = 4096;

/** The root element. Comments and processing instructions are left out. Throws `XML_…`. */
export function parseXml(
  body: Buffer,
  limits: Partial<XmlLimits> = {},
  context: XmlContext = {},
): XmlElement {
  const bounds = { ...xmlLimits, ...limits };
  if (body.length > bounds.size) throw new WireError('XML_TOO_LONG', 'the document is too long');
  const text = body.toString('utf8');
  if (text.includes('\ufffd') && !Buffer.from(text).equals(body)) {
    throw new WireError('XML_NOT_UTF8', 'the document is not UTF-8');
  }
  return new TreeBuilder(text, bounds, context).build();
}

/** The value of an attribute, by default of one in no namespace. */
export function attributeOf(element: XmlElement, name: string, namespace = ''): string | undefined {
  return element.attributes.find(
    (attribute) => attribute.name === name && attribute.namespace === namespace,
  )?.value;
}

/** Child elements of that name in that namespace, in order. */
export function childrenOf(
  element: XmlElement,
  name: string,
  namespace: string,
): readonly XmlElement[] {
  return element.children.filter(
    (child): child is XmlElement =>
      typeof child !== 'string' && child.name === name && child.namespace === namespace,
  );
}

/** Its own character data, trimmed; undefined when the element is. */
export function textOf(element: XmlElement | undefined): string | undefined {
  return element?.children
    .filter((child) => typeof child === 'string')
    .join('')
    .trim();
}

interface OpenElement extends XmlElement {
  readonly children: (XmlElement | string)[];
}

type OpenPlace = Omit<XmlPlace, 'end'>;

class TreeBuilder {
  readonly #text: string;
  readonly #parser: SaxesParser<{ xmlns: true }>;
  readonly #limits: XmlLimits;
  readonly #open: OpenElement[] = [];
  readonly #places: Map<XmlElement, XmlPlace> | undefined;
  readonly #openPlaces: OpenPlace[] = [];
  #root: XmlElement | undefined;
  #elements = 0;
  #attributes = 0;
  /** Where the tag that is being read begins. */
  #start = 0;

  constructor(text: string, limits: XmlLimits, { places, bound = new Map() }: XmlContext) {
    this.#text = text;
    const additionalNamespaces = Object.fromEntries(bound);
    this.#parser = new SaxesParser({ xmlns: true, position: false, additionalNamespaces });
    this.#limits = limits;
    this.#places = places;
    this.#parser.on('error', () => {
      throw new WireError('XML_NOT_WELL_FORMED', 'the document is not well-formed');
    });
    this.#parser.on('xmldecl', ({ encoding }) => {
      if (encoding !== undefined && !/^(?:utf-?8|us-ascii)$/i.test(encoding)) {
        throw new WireError('XML_NOT_UTF8', 'the document declares another encoding');
      }
    });
    this.#parser.on('doctype', () => {
      throw new WireError('XML_DOCTYPE', 'a document type declaration is refused');
    });
    this.#parser.on('opentagstart', () => this.#begin());
    this.#parser.on('attribute', ({ value }) => this.#countAttribute(value));
    this.#parser.on('opentag', (tag) => this.#push(tag));
    this.#parser.on('closetag', () => this.#pop());
    this.#parser.on('text', (text) => this.#characters(text));
    this.#parser.on('cdata', (text) => this.#characters(text));
  }

  build(): XmlElement {
    // In pieces, so that a bound stops the parser before it has buffered more.
    for (let at = 0; at < this.#text.length; at += pieceLength) {
      this.#parser.write(this.#text.slice(at, at + pieceLength));
    }
    this.#parser.close();
    if (this.#root === undefined) {
      throw new WireError('XML_NOT_WELL_FORMED', 'the document has no root');
    }
    return this.#root;
  }

  #begin(): void {
    this.#attributes = 0;
    // The name of a tag has no `<` in it.
    if (this.#places) this.#start = this.#text.lastIndexOf('<', this.#parser.position - 1);
    if (this.#open.length >= this.#limits.depth) {
      throw new WireError('XML_TOO_DEEP', 'elements are nested too deep');
    }
    if (++this.#elements > this.#limits.elements) {
      throw new WireError('XML_TOO_MANY', 'there are too many elements');
    }
  }

  #countAttribute(value: string): void {
    if (++this.#attributes > this.#limits.attributes) {
      throw new WireError('XML_TOO_MANY', 'there are too many attributes');
    }
    if (value.length > this.#limits.attributeValue) {
      throw new WireError('XML_TOO_LONG', 'an attribute is too long');
    }
  }

  #push(tag: SaxesTagNS): void {
    const attributes = Object.values(tag.attributes)
      .filter((attribute) => attribute.uri !== xmlnsNamespace)
      .map(({ uri, prefix, local, value }) => ({ namespace: uri, prefix, name: local, value }));
    const { uri, prefix, local } = tag;
    this.#open.push({ namespace: uri, prefix, name: local, attributes, children: [] });
    if (this.#places) this.#place(tag);
  }

  #place(tag: SaxesTagNS): void {
    const contentStart = this.#parser.position;
    const declared = Object.values(tag.attributes)
      .filter((attribute) => attribute.uri === xmlnsNamespace)
      .map(({ prefix, local, value }) => [prefix === '' ? '' : local, value] as const);
    this.#openPlaces.push({ start: this.#start, contentStart, declared });
  }

  #pop(): void {
    const element = this.#open.pop();
    const parent = this.#open.at(-1);
    const place = this.#openPlaces.pop();
    if (element && place) this.#places?.set(element, { ...place, end: this.#parser.position });
    if (parent === undefined) this.#root = element;
    else if (element !== undefined) parent.children.push(element);
  }

  #characters(text: string): void {
    this.#open.at(-1)?.children.push(text);
  }
}
