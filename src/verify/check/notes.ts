/** What the wire has told of things that the account calls otherwise. */

import type { Address } from '../../machines/events.js';
import { PersistentMap } from './persistent-map.js';

export interface Notes {
  /** Message-IDs of the server, by serial. */
  readonly names: PersistentMap<string>;
  /** Serials, by Message-ID. */
  readonly serials: PersistentMap<number>;
  /** Whose dialog a Call-ID is. */
  readonly dialogs: PersistentMap<Address>;
  /** Serials, by session and MSRP Message-ID. */
  readonly sends: PersistentMap<number>;
  /** Call-IDs of messages from before the trace, by serial. */
  readonly callIds: PersistentMap<string>;
  /** The same Call-IDs. */
  readonly shown: PersistentMap<true>;
  /** Reports that were sent, by imdn.Message-ID and status. */
  readonly reported: PersistentMap<true>;
}

export const noNotes: Notes = {
  names: new PersistentMap(),
  serials: new PersistentMap(),
  dialogs: new PersistentMap(),
  sends: new PersistentMap(),
  callIds: new PersistentMap(),
  shown: new PersistentMap(),
  reported: new PersistentMap(),
};
