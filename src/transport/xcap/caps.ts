/** What this server can do, for everybody to read: `xcap-caps/global/index` (XCAP-08). */

import { WireError } from '../../wire/error.js';
import {
  writeXcapCaps,
  xcapCapsAuid,
  xcapCapsNamespace,
  xcapCapsType,
} from '../../wire/xml/xcap-caps.js';
import { fragmentOf, readDocument } from '../../wire/xml/xcap-document.js';
import type { XcapUri } from '../../wire/xml/xcap-uri.js';
import type { XcapResource, XcapUsage, XcapView } from './usage.js';

export class XcapCapsUsage implements XcapUsage {
  readonly auid = xcapCapsAuid;
  readonly contentType = xcapCapsType;
  readonly namespace = xcapCapsNamespace;
  readonly isPublic = true;
  readonly #view: XcapView;

  constructor(usages: readonly XcapUsage[]) {
    const all = [this, ...usages];
    const body = writeXcapCaps({
      auids: all.map(({ auid }) => auid),
      extensions: [],
      namespaces: [...new Set(all.map(({ namespace }) => namespace))],
    });
    const document = readDocument(body, {});
    this.#view = {
      etag: all.map(({ auid }) => auid).join(' '),
      whole: () => document.text,
      node: (node) => Promise.resolve(fragmentOf(document, node)),
    };
  }

  mayWrite(): boolean {
    return false;
  }

  open({ tree, document }: XcapUri): XcapResource | undefined {
    if (tree !== 'global' || document !== 'index') return undefined;
    const refuse = () => Promise.reject(new WireError('XCAP_FORBIDDEN', 'nobody writes it', 403));
    return { read: () => Promise.resolve(this.#view), put: refuse, delete: refuse };
  }
}
