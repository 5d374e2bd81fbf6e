/** An XDMS on loopback that keeps what a message store puts: the peer of an XCAP client. */

import { deferredListDocuments } from '../transport/xcap/deferred-list-documents.js';
import { MemoryDocuments } from '../transport/xcap/memory-documents.js';
import type { XcapServerOptions } from '../transport/xcap/options.js';
import { createXcapServer } from '../transport/xcap/server.js';
import { parseHistoryList } from '../wire/xml/history.js';

export interface XdmsPeer {
  /** The XCAP root. */
  readonly root: string;
  readonly port: number;
  /** `history-reference`s of a user's document in order; undefined when there is none. */
  references(xui: string): Promise<readonly string[] | undefined>;
  /** The document as it is kept. */
  document(xui: string): Promise<{ readonly content: Buffer; readonly etag: string } | undefined>;
  /** Replaces the document, or takes it away, behind the back of every client. */
  tamper(xui: string, content: Buffer | undefined): Promise<void>;
  counters(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

export interface XdmsPeerOptions {
  /** 0, the default: any free one. */
  readonly port?: number;
  /** Identities that may write. */
  readonly stores: readonly string[];
  /** What was kept by a former peer. */
  readonly documents?: MemoryDocuments;
  readonly server?: Partial<XcapServerOptions>;
}

const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

export async function startXdmsPeer(options: XdmsPeerOptions): Promise<XdmsPeer> {
  const { port = 0, stores, documents = new MemoryDocuments() } = options;
  const limits = { size: 67_108_864, elements: 4_194_304 };
  const server = createXcapServer({
    ...{ host: '127.0.0.1', port, root: '/xcap' },
    usages: [deferredListDocuments({ documents, root: '/xcap', stores, limits })],
    trustedProxies: ['127.0.0.1'],
    product: 'XDM-serv/OMA1.0',
    log: silent,
    ...options.server,
    limits: { rate: 1_000_000, bodyOctets: limits.size, ...options.server?.limits },
  });
  await server.start();
  const document = (xui: string) => documents.read(xui, 'deferred-list');
  return {
    root: `http://127.0.0.1:${server.address.port}/xcap`,
    port: server.address.port,
    document,
    async references(xui) {
      const kept = await document(xui);
      return kept && parseHistoryList(kept.content).map(({ reference }) => reference);
    },
    async tamper(xui, content) {
      const kept = await document(xui);
      await documents.write(xui, 'deferred-list', content, kept?.etag);
    },
    counters: () => server.counters(),
    stop: () => server.stop(0),
  };
}

function nothing(): void {
  // A peer says nothing.
}
