/** URI lists in a request body (RFC 4826, 5363, 5366). */

import { WireError } from '../error.js';
import { attributeOf, parseXml } from './tree.js';
import type { XmlElement } from './tree.js';
import { xmlDocument, xmlElement } from './write.js';

const namespace = 'urn:ietf:params:xml:ns:resource-lists';

/** Entries of one list document (RFC 5363 5.3). */
export const uriListEntries = 2_048;

/**
 * The URIs of all entries in order, nested lists included, entry-ref and external left out
 * (LIST-04); as written, with duplicates. Empty when the list names nothing (D-70). Throws
 * WireError `XML_…`, `LIST_…`.
 */
export function parseUriList(body: Buffer, entriesMax = uriListEntries): string[] {
  const root = parseXml(body);
  if (root.name !== 'resource-lists' || root.namespace !== namespace) {
    throw new WireError('LIST_ROOT', 'the root is not resource-lists');
  }
  const uris: string[] = [];
  // Reversed, so that the next element of the document is the last of those that wait.
  const waiting = listsOf(root);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.name !== 'entry') waiting.push(...listsOf(next));
    else if (uris.length < entriesMax) uris.push(uriOf(next));
    else throw new WireError('LIST_TOO_LONG', 'the list has too many entries', 413);
  }
  return uris;
}

export function writeUriList(uris: readonly string[]): Buffer {
  const entries = uris.map((uri) => xmlElement('entry', [['uri', uri]]));
  const list = xmlElement('list', [], entries);
  return xmlDocument(xmlElement('resource-lists', [['xmlns', namespace]], [list]));
}

function listsOf(element: XmlElement): XmlElement[] {
  return element.children
    .filter(
      (child): child is XmlElement =>
        typeof child !== 'string' &&
        child.namespace === namespace &&
        (child.name === 'list' || (child.name === 'entry' && element.name === 'list')),
    )
    .reverse();
}

function uriOf(entry: XmlElement): string {
  const uri = attributeOf(entry, 'uri')?.trim();
  if (uri === undefined || uri === '') {
    throw new WireError('LIST_ENTRY', 'an entry names nothing');
  }
  return uri;
}
