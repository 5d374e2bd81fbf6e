/** What an application usage of XCAP is to the server (RFC 4825 5). */

import type { XcapNode } from '../../wire/xml/xcap-node.js';
import type { XcapUri } from '../../wire/xml/xcap-uri.js';

/** URIs that are proven to be those of whoever asks; empty where nobody has to be anybody. */
export type XcapIdentities = readonly string[];

/** Text, or pieces of it that are made while they are sent. */
export type XcapText = string | AsyncIterable<string>;

export interface XcapAnswer {
  readonly type: string;
  readonly text: XcapText;
}

/** A document at one moment. */
export interface XcapView {
  /** Any text; changes with every change of the document (RFC 4825 8.5). */
  readonly etag: string;
  whole(): XcapText;
  /** Undefined when there is no such node. */
  node(node: XcapNode): Promise<XcapAnswer | undefined>;
}

export interface XcapWritten {
  /** Undefined when there is no document any more. */
  readonly etag: string | undefined;
  readonly created: boolean;
}

/** `view` is what the conditions of the request were compared with; `stale`: it has changed since. */
export interface XcapWrite {
  readonly uri: XcapUri;
  /** Absent: the document itself. */
  readonly node: XcapNode | undefined;
  readonly view: XcapView | undefined;
}

/**
 * A document that somebody may see. What he may not do throws WireError `XCAP_FORBIDDEN`, what
 * conflicts with the document throws XcapConflict.
 */
export interface XcapResource {
  /** Undefined when there is no document. */
  read(): Promise<XcapView | undefined>;
  put(write: XcapWrite, body: Buffer): Promise<XcapWritten | 'stale'>;
  /** Undefined when there is no such node. */
  delete(write: XcapWrite): Promise<XcapWritten | 'stale' | undefined>;
}

export interface XcapUsage {
  readonly auid: string;
  /** MIME type of its documents. */
  readonly contentType: string;
  /** That of names without prefix in node selectors. */
  readonly namespace: string;
  /** Whether everybody may read it without saying who he is. */
  readonly isPublic: boolean;
  /** Whether it can be asked for a write at all before its body is looked at. */
  mayWrite(uri: XcapUri, identities: XcapIdentities): boolean;
  /**
   * Undefined for what does not exist, and in the same way for what is none of theirs, so that
   * nobody learns which users there are.
   */
  open(uri: XcapUri, identities: XcapIdentities): XcapResource | undefined;
}
