/** Usages whose documents are kept as they were put (RFC 4825 8). */

import { WireError } from '../../wire/error.js';
import { fragmentOf, parseXcapDocument, readDocument } from '../../wire/xml/xcap-document.js';
import type { XcapDocument } from '../../wire/xml/xcap-document.js';
import { deleteNode, putNode } from '../../wire/xml/xcap-edit.js';
import { XcapConflict } from '../../wire/xml/xcap-error.js';
import type { XcapStep } from '../../wire/xml/xcap-node.js';
import type { XmlLimits } from '../../wire/xml/tree.js';
import { writeXcapUri } from '../../wire/xml/xcap-uri.js';
import type { XcapUri } from '../../wire/xml/xcap-uri.js';
import type {
  XcapIdentities,
  XcapResource,
  XcapUsage,
  XcapView,
  XcapWrite,
  XcapWritten,
} from './usage.js';

/** The document of a user as somebody keeps it. */
export interface KeptDocument {
  readonly content: Buffer;
  /** Changes with every change of the content. */
  readonly etag: string;
}

/** Where documents are kept, by the user they belong to and their name. */
export interface DocumentsPort {
  read(xui: string, name: string): Promise<KeptDocument | undefined>;
  /**
   * Keeps the content, or nothing when it is undefined, if the document is still what `expected`
   * says (undefined: there is none). Resolves with what is kept then, or with `stale`.
   */
  write(
    xui: string,
    name: string,
    content: Buffer | undefined,
    expected: string | undefined,
  ): Promise<KeptDocument | undefined | 'stale'>;
}

export interface DocumentsOptions {
  readonly auid: string;
  readonly contentType: string;
  readonly namespace: string;
  /** Names of documents. */
  readonly names: readonly string[];
  readonly documents: DocumentsPort;
  /** Path of the server, for the ancestors in errors. */
  readonly root: string;
  /** What these identities may do with the documents of that user; undefined: nothing at all. */
  permit(xui: string, identities: XcapIdentities): 'read' | 'write' | undefined;
  /** Whether the document is one of this usage; throws XcapConflict when it is not. */
  check(document: XcapDocument): void;
  readonly limits?: Partial<XmlLimits>;
}

export class DocumentsUsage implements XcapUsage {
  readonly auid: string;
  readonly contentType: string;
  readonly namespace: string;
  readonly isPublic = false;
  readonly #options: DocumentsOptions;

  constructor(options: DocumentsOptions) {
    this.auid = options.auid;
    this.contentType = options.contentType;
    this.namespace = options.namespace;
    this.#options = options;
  }

  mayWrite({ xui }: XcapUri, identities: XcapIdentities): boolean {
    return xui !== undefined && this.#options.permit(xui, identities) === 'write';
  }

  open({ tree, xui, document }: XcapUri, identities: XcapIdentities): XcapResource | undefined {
    const { names, permit } = this.#options;
    if (tree !== 'users' || xui === undefined || !names.includes(document)) return undefined;
    const permitted = permit(xui, identities);
    return permitted && new Kept(this.#options, xui, document, permitted === 'write');
  }
}

class Kept implements XcapResource {
  readonly #options: DocumentsOptions;
  readonly #xui: string;
  readonly #name: string;
  readonly #writable: boolean;

  constructor(options: DocumentsOptions, xui: string, name: string, writable: boolean) {
    this.#options = options;
    this.#xui = xui;
    this.#name = name;
    this.#writable = writable;
  }

  async read(): Promise<XcapView | undefined> {
    const kept = await this.#options.documents.read(this.#xui, this.#name);
    if (!kept) return undefined;
    return {
      etag: kept.etag,
      whole: () => kept.content.toString(),
      node: (node) => Promise.resolve(fragmentOf(this.#parse(kept.content), node)),
    };
  }

  async put({ uri, node, view }: XcapWrite, body: Buffer): Promise<XcapWritten | 'stale'> {
    if (!this.#writable) throw forbidden();
    if (!node) {
      const document = parseXcapDocument(body, this.#options.limits);
      return this.#write(document, view, view === undefined);
    }
    const present = await this.#present(view);
    if (present === 'stale') return present;
    if (!present) {
      // The parent of everything in it would be the document.
      const { root } = this.#options;
      const ancestor = `${root}/${uri.auid}/users`;
      throw new XcapConflict({ kind: 'no-parent', ancestor });
    }
    const { text, created } = putNode(present, node, body, (steps) => this.#pathTo(uri, steps));
    return this.#write(this.#parse(Buffer.from(text)), view, created);
  }

  async delete({ node, view }: XcapWrite): Promise<XcapWritten | 'stale' | undefined> {
    if (!this.#writable) throw forbidden();
    const { documents } = this.#options;
    if (!node) {
      const kept = await documents.write(this.#xui, this.#name, undefined, view?.etag);
      if (kept === 'stale') return kept;
      return { etag: kept?.etag, created: false };
    }
    const present = await this.#present(view);
    if (present === 'stale' || !present) return present;
    const text = deleteNode(present, node);
    return text === undefined
      ? undefined
      : this.#write(this.#parse(Buffer.from(text)), view, false);
  }

  /** The document that the conditions were compared with. */
  async #present(view: XcapView | undefined): Promise<XcapDocument | 'stale' | undefined> {
    const kept = await this.#options.documents.read(this.#xui, this.#name);
    if (kept?.etag !== view?.etag) return 'stale';
    return kept && this.#parse(kept.content);
  }

  async #write(
    document: XcapDocument,
    view: XcapView | undefined,
    created: boolean,
  ): Promise<XcapWritten | 'stale'> {
    const { check, documents } = this.#options;
    check(document);
    const content = Buffer.from(document.text);
    const kept = await documents.write(this.#xui, this.#name, content, view?.etag);
    return kept === 'stale' ? kept : { etag: kept?.etag, created };
  }

  #parse(content: Buffer): XcapDocument {
    return readDocument(content, this.#options.limits ?? {});
  }

  #pathTo({ query: _, node: _node, ...uri }: XcapUri, steps: readonly XcapStep[]): string {
    const node = steps.map((step) => step.text).join('/');
    return writeXcapUri(this.#options.root, node === '' ? uri : { ...uri, node });
  }
}

function forbidden(): WireError {
  return new WireError('XCAP_FORBIDDEN', 'this may be read only', 403);
}
