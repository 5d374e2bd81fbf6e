/** The metadata documents of another message store, kept as it puts them (1.2). */

import { historyNamespace } from '../../wire/xml/history.js';
import { attributeOf, childrenOf } from '../../wire/xml/tree.js';
import type { XmlLimits } from '../../wire/xml/tree.js';
import type { XcapDocument } from '../../wire/xml/xcap-document.js';
import { XcapConflict } from '../../wire/xml/xcap-error.js';
import { deferredListAuid, deferredListType } from './deferred-list.js';
import { DocumentsUsage } from './documents.js';
import type { DocumentsPort } from './documents.js';

export interface DeferredListDocumentsOptions {
  readonly documents: DocumentsPort;
  readonly root: string;
  /** Identities of message stores, which may do everything; the owner of a document reads it. */
  readonly stores: readonly string[];
  readonly limits?: Partial<XmlLimits>;
}

export function deferredListDocuments(options: DeferredListDocumentsOptions): DocumentsUsage {
  const { documents, root, stores, limits } = options;
  return new DocumentsUsage({
    auid: deferredListAuid,
    contentType: deferredListType,
    namespace: historyNamespace,
    names: ['deferred-list'],
    ...{ documents, root, check },
    permit: (xui, identities) => {
      if (identities.some((identity) => stores.includes(identity))) return 'write';
      return identities.includes(xui) ? 'read' : undefined;
    },
    ...(limits && { limits }),
  });
}

/** XCAP-03: a list of histories, each known by a reference of its own. */
function check({ root }: XcapDocument): void {
  if (root.name !== 'history-list' || root.namespace !== historyNamespace) {
    throw new XcapConflict({ kind: 'schema-validation-error', phrase: 'no history-list' });
  }
  const references = new Set<string>();
  for (const history of childrenOf(root, 'history', historyNamespace)) {
    const reference = attributeOf(history, 'history-reference');
    if (reference === undefined) {
      throw new XcapConflict({ kind: 'schema-validation-error', phrase: 'no history-reference' });
    }
    if (references.has(reference)) {
      throw new XcapConflict({ kind: 'uniqueness-failure', exists: 'history/@history-reference' });
    }
    references.add(reference);
  }
}
