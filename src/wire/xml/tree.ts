/** XML as a small tree: strict, with namespaces, bounded (DOCTYPE is refused). */

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

export interface XmlLimits {
  /** Octets of the document. */
  readonly size: number;
  readonly depth: number;
  readonly elements: number;
  /** Attributes of one element. */
  readonly attributes: number;
}

/** The root element. Throws WireError `XML_…`. */
export function parseXml(body: Buffer, limits?: Partial<XmlLimits>): XmlElement {
  throw new Error(String(body.length) + limits?.depth);
}

/** The value of an attribute, by default of one in no namespace. */
export function attributeOf(
  element: XmlElement,
  name: string,
  namespace?: string,
): string | undefined {
  throw new Error(element.name + name + namespace);
}

/** Child elements of that name in that namespace, in order. */
export function childrenOf(
  element: XmlElement,
  name: string,
  namespace: string,
): readonly XmlElement[] {
  throw new Error(element.name + name + namespace);
}

/** Its own character data, trimmed; undefined when the element is. */
export function textOf(element: XmlElement | undefined): string | undefined {
  throw new Error(element?.name);
}
