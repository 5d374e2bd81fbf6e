/** What the spool of a client keeps files with. Part of `ports.ts`. */

/** Files of one host. They behave as those of Node; a simulation gives others. */
export interface FilesPort {
  /** Opens a file that must not be there yet, readable by its owner alone. */
  create(path: string): Promise<OpenFile>;
  remove(path: string): Promise<void>;
  /** The names in the directory of that file outlive a loss of power from then on. */
  syncDirectoryOf(path: string): Promise<void>;
}

export interface OpenFile {
  /** Writes some of the octets at that place, and tells how many. */
  write(octets: Buffer, at: number): Promise<number>;
  /** Up to so many octets from that place. */
  read(at: number, length: number): Promise<Buffer>;
  /** The octets outlive a loss of power from then on. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
