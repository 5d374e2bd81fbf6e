/** Writes XML: everything is escaped, characters that XML cannot hold are refused. */

/** Throws WireError `XML_CHARACTER`. */
export function escapeXml(text: string): string {
  throw new Error(text);
}

export interface XmlAttributes {
  readonly [name: string]: string | undefined;
}

/** An element with text; an attribute or text that is undefined is left out. */
export function xmlElement(
  name: string,
  attributes: XmlAttributes,
  content?: string | readonly string[],
): string {
  throw new Error(name + attributes['x'] + content?.length);
}
