/** What an XCAP server can do: `application/xcap-caps+xml` (RFC 4825 12). */

import { xmlDocument, xmlElement } from './write.js';

export const xcapCapsAuid = 'xcap-caps';
export const xcapCapsType = 'application/xcap-caps+xml';
export const xcapCapsNamespace = 'urn:ietf:params:xml:ns:xcap-caps';

export interface XcapCaps {
  readonly auids: readonly string[];
  readonly extensions: readonly string[];
  readonly namespaces: readonly string[];
}

export function writeXcapCaps({ auids, extensions, namespaces }: XcapCaps): Buffer {
  const list = (name: string, entry: string, values: readonly string[]): string =>
    xmlElement(
      name,
      [],
      values.map((value) => xmlElement(entry, [], value)),
    );
  return xmlDocument(
    xmlElement(
      'xcap-caps',
      [['xmlns', xcapCapsNamespace]],
      [
        list('auids', 'auid', auids),
        list('extensions', 'extension', extensions),
        list('namespaces', 'namespace', namespaces),
      ],
    ),
  );
}
